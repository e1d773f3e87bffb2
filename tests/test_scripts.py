import configparser
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from imagecycle import cli

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
THIN = (
    "adopt",
    "apply",
    "build",
    "completion",
    "devcloud",
    "doctor",
    "jenkins",
    "due",
    "janitor",
    "jobs",
    "list",
    "metadata",
    "notify",
    "operations",
    "plan",
    "prove",
    "publish",
    "retire",
    "revoke",
    "rollback",
    "site",
    "status",
    "tour",
    "usage",
    "copies",
    "verify",
)


def run(*words: object, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", THIN)
def test_a_thin_script_is_its_command_from_any_folder(name: str, tmp_path: Path) -> None:
    done = run(SCRIPTS / name, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: imagecycle {name} ")


def test_a_script_works_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "list").symlink_to(SCRIPTS / "list")
    assert "debian-12-x86_64-server" in run(tmp_path / "list", cwd=tmp_path).stdout


def test_a_script_hands_on_arguments_and_exit_code(tmp_path: Path) -> None:
    done = run(SCRIPTS / "list", "--no such option", cwd=tmp_path)
    assert done.returncode == 2
    assert "--no such option" in done.stderr


def test_a_file_in_the_current_folder_does_not_stand_in_for_a_module(tmp_path: Path) -> None:
    (tmp_path / "yaml.py").write_text("raise SystemExit('the wrong yaml')")
    assert run(SCRIPTS / "list", cwd=tmp_path).returncode == 0


def test_a_checkout_that_is_not_set_up_says_how(tmp_path: Path) -> None:
    shutil.copytree(SCRIPTS, tmp_path / "scripts")
    done = run(tmp_path / "scripts" / "list")
    assert done.returncode == 1
    assert done.stderr == (f"error: imagecycle is not set up\nhint: run {tmp_path}/scripts/setup\n")


def test_every_stage_has_its_script() -> None:
    commands = set(cli.imagecycle.commands)
    assert commands <= {path.name for path in SCRIPTS.iterdir()}


def test_continuous_integration_runs_exactly_the_tests_of_the_readme() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[1:] == [
        'exec "$(dirname "$(readlink -f "$0")")/../scripts/test"'
    ]
    pipeline = re.findall(r"sh '(.*)'", (ROOT / "Jenkinsfile").read_text())
    assert pipeline[:2] == ["scripts/test", "scripts/quickstart"]
    readme = (ROOT / "README.rst").read_text()
    assert "./scripts/quickstart" in readme
    assert "./scripts/test" in readme


def test_setup_refuses_an_unknown_argument() -> None:
    done = run(SCRIPTS / "setup", "--test")
    assert done.returncode == 2
    assert done.stderr == "error: unknown argument: --test\nhint: scripts/setup --help\n"


def test_setup_explains_itself() -> None:
    done = run(SCRIPTS / "setup", "--help")
    assert done.returncode == 0
    assert "usage: scripts/setup [--aarch64] [--compute] [--security] [--tests]" in done.stdout


class Debian:
    """A machine whose dpkg, apt and virsh are scripts, and a checkout on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.journal = folder / "journal"
        self.journal.touch()
        self.checkout = folder / "checkout"
        shutil.copytree(SCRIPTS, self.checkout / "scripts")
        shutil.copy(ROOT / "setup.cfg", self.checkout)
        self.program("id", "echo 0")
        self.program("virsh", "case $* in *net-list*) echo default;; esac")
        self.program("apt-get", "true")
        self.program("stat", "echo kvm")
        self.program("chgrp", "true")
        self.installed(*self.wanted())

    def program(self, name: str, behaviour: str) -> None:
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $@" >> {self.journal}\n{behaviour}\n')
        path.chmod(0o755)

    def wanted(self) -> list[str]:
        text = (SCRIPTS / "setup").read_text().partition("packages=(\n")[2].partition("\n)")[0]
        return [line.split()[0] for line in text.splitlines()]

    def installed(self, *names: str) -> None:
        lines = "\\n".join(f"installed {name}" for name in names)
        self.program("dpkg-query", f"printf '{lines}\\n'")

    def set_up_python(self) -> None:
        """As setup leaves it."""
        python = self.checkout / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.symlink_to("/usr/bin/python3")
        config = configparser.ConfigParser()
        config.read(ROOT / "setup.cfg")
        lines = [line for line in config["options"]["install_requires"].split("\n") if line]
        version = run("/usr/bin/python3", "--version").stdout
        digest = hashlib.sha256(("\n".join(lines) + "\n" + version).encode()).hexdigest()
        (self.checkout / ".venv" / "installed").write_text(f"{digest}\n")

    def setup(
        self, *arguments: str, around: Sequence[str] = (), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        path = f"{self.programs}:/usr/bin:/bin"
        # setup puts the folders of system programs first, and none of these is there
        script = self.checkout / "scripts" / "setup"
        return run(*around, script, *arguments, PATH=path, **environment)

    def calls(self, program: str) -> list[str]:
        lines = self.journal.read_text().splitlines()
        return [line for line in lines if line.startswith(f"{program} ")]


@pytest.fixture
def debian(tmp_path: Path) -> Debian:
    machine = Debian(tmp_path)
    machine.set_up_python()
    return machine


def test_setup_changes_nothing_where_all_is_in_place(debian: Debian) -> None:
    done = debian.setup()
    assert (done.returncode, done.stdout, done.stderr) == (0, "setup: all is in place\n", "")
    assert debian.calls("apt-get") == []
    assert not [call for call in debian.calls("virsh") if "start" in call or "define" in call]


def test_setup_installs_only_what_is_missing_and_says_so_first(debian: Debian) -> None:
    debian.installed(*(name for name in debian.wanted() if name not in ("oz", "zstd")))
    done = debian.setup()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "setup: installing 2 system packages with what they depend on: oz zstd\n"
    )
    assert debian.calls("apt-get")[-1].endswith("--no-install-recommends oz zstd")


def test_setup_says_why_packages_could_not_be_installed(debian: Debian) -> None:
    debian.installed()
    debian.program("apt-get", "echo 'E: Unable to locate package oz' >&2; exit 100")
    done = debian.setup()
    assert done.returncode == 1
    assert "E: Unable to locate package oz" in done.stderr
    assert "hint: see .reports/setup.log" in done.stderr


def test_setup_starts_a_network_that_is_down(debian: Debian) -> None:
    debian.program("virsh", "case $* in *net-list*--all*) echo default;; esac")
    done = debian.setup()
    assert done.returncode == 0, done.stderr
    assert debian.calls("virsh")[-1].endswith("net-start default")


SECURITY = ("openscap-scanner", "ssg-debian")


def test_setup_takes_the_guide_for_debian_12_from_debian_13(debian: Debian) -> None:
    debian.installed(*debian.wanted(), *SECURITY)
    debian.program("apt-get", "case $1 in indextargets) echo http://mirror.example/debian/;; esac")
    debian.program("dpkg", "true")
    done = debian.setup("--security", SECURITY_GUIDES=str(debian.folder))
    assert done.returncode == 0, done.stderr
    assert "fetching the security guide for Debian 12" in done.stdout
    assert [call.split()[-1] for call in debian.calls("apt-get")][1:] == ["update", "ssg-debian"]
    assert debian.calls("dpkg")[-1].startswith("dpkg --install ")


def test_setup_goes_on_without_that_guide(debian: Debian) -> None:
    debian.installed(*debian.wanted(), *SECURITY)
    debian.program("apt-get", "exit 100")
    done = debian.setup("--security", SECURITY_GUIDES=str(debian.folder))
    assert done.returncode == 0, done.stderr
    assert "images of Debian 12 cannot be verified with a security profile" in done.stdout


def test_setup_leaves_a_guide_that_is_there(debian: Debian) -> None:
    debian.installed(*debian.wanted(), *SECURITY)
    (debian.folder / "ssg-debian12-ds.xml").touch()
    assert "guide" not in debian.setup("--security", SECURITY_GUIDES=str(debian.folder)).stdout
    assert debian.calls("apt-get") == []


NETWORK = """
<network>
  <name>default</name>
  <bridge name='virbr0' stp='on' delay='0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
  </ip>
</network>
"""
LEFT = """
ip link set lo up
ip link add virbr0 type bridge
ip address add 192.168.122.1/24 dev virbr0
ip link set virbr0 up
"""
SERVER = """
import os, socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("192.168.122.1", 53))
server.set_inheritable(True)
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.integration
@pytest.mark.parametrize(
    ("before", "starts"),
    [
        pytest.param(LEFT, True, id="left"),
        pytest.param("true", True, id="none"),
        pytest.param(
            LEFT + "ip tuntap add port0 mode tap; ip link set port0 master virbr0",
            False,
            id="attached",
        ),
        pytest.param(LEFT + 'set -- python3 -c "$SERVER" "$@"', False, id="served"),
        pytest.param(LEFT + "ip address flush dev virbr0", False, id="another's"),
        pytest.param("ip tuntap add virbr0 mode tap", False, id="no bridge"),
    ],
)
def test_setup_removes_a_bridge_that_a_killed_libvirt_left(
    debian: Debian, before: str, starts: bool
) -> None:
    debian.program(
        "virsh",
        f"""case $* in
          *net-list*--all*) echo default;;
          *net-dumpxml*) cat {debian.folder}/network.xml;;
          *net-start*) ! ip link show dev virbr0 >/dev/null 2>&1 || exit 1;;
        esac""",
    )
    (debian.folder / "network.xml").write_text(NETWORK)
    # a network namespace of its own, with what is found there, and as another process may keep it
    around = ("unshare", "--net", "bash", "-ec", f'{before}\nexec "$@"', "bash")
    done = debian.setup(around=around, SERVER=SERVER)
    assert ("error" in done.stderr) == (done.returncode != 0) == (not starts), done.stderr
    assert ("removing the bridge virbr0" in done.stdout) == (starts and before != "true")


def test_setup_gives_kvm_its_group_where_udev_does_not(debian: Debian) -> None:
    debian.program("stat", "echo root")
    assert debian.setup().returncode == 0
    missing = Path("/dev/kvm").is_char_device() and not Path("/run/udev/control").exists()
    assert debian.calls("chgrp") == (["chgrp kvm /dev/kvm"] if missing else [])


def test_setup_leaves_libvirt_alone_when_told(debian: Debian) -> None:
    assert debian.setup("--no-libvirt").returncode == 0
    assert debian.calls("virsh") == []


def test_setup_runs_again_with_sudo_for_anyone_but_root(debian: Debian) -> None:
    debian.program("id", "echo 1000")
    debian.program("sudo", "exit 3")
    assert debian.setup("--tests").returncode == 3
    (call,) = debian.calls("sudo")
    assert call.endswith(f"{debian.checkout}/scripts/setup --tests")


@pytest.fixture
def pretended(tmp_path: Path) -> Path:
    """``scripts/test`` with programs that say when they begin, and go on until a signal."""
    for folder in ("scripts", ".venv/bin", ".ci", "lib", "images"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPTS / "test", tmp_path / "scripts/test")
    (tmp_path / "scripts/as-root.sh").touch()  # nothing here needs root
    for name in ("scripts/setup", *(f".venv/bin/{one}" for one in ("ruff", "mypy", "yamllint"))):
        (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / ".venv/bin/shellcheck").write_text("#!/bin/sh\n")
    (tmp_path / ".venv/bin/pytest").write_text(
        f"#!{sys.executable}\n"
        "import os, pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "marker = pathlib.Path('begun') / str(os.getpid())\n"
        "marker.parent.mkdir(exist_ok=True)\n"
        "marker.touch()\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    marker.rename(f'{marker}.ended')\n"
    )
    for path in (*tmp_path.glob("scripts/*"), *tmp_path.glob(".venv/bin/*")):
        path.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_that_the_test_script_began(
    pretended: Path, sign: signal.Signals
) -> None:
    process = subprocess.Popen([pretended / "scripts/test"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while len(list(pretended.glob("begun/*"))) < 4:
            assert time.monotonic() < deadline, "the four runs have not begun"
            time.sleep(0.05)
        process.send_signal(sign)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()
    assert len(list(pretended.glob("begun/*.ended"))) == 4
