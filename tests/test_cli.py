import errno
import getpass
import json
import os
import pwd
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import terminal
from imagecycle import cli, errors
from imagecycle.cli import main
from imagecycle.errors import ImagecycleError


@pytest.fixture(autouse=True)
def no_site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("IMAGECYCLE_SITE", raising=False)
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")


Raising = Callable[[BaseException], None]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Raising:
    """A command `fail` that raises what the test wants."""

    def install(error: BaseException) -> None:
        def fail() -> None:
            raise error

        monkeypatch.setitem(cli.imagecycle.commands, "fail", click.Command("fail", callback=fail))

    return install


def test_list_prints_the_families_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    captured = capsys.readouterr()
    assert "debian-12-x86_64-server" in captured.out
    assert captured.err == ""


def test_list_prints_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    assert "debian-12-x86_64-base" in [f["slug"] for f in json.loads(capsys.readouterr().out)]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ImagecycleError("it broke", hint="mend it"), 1),
        (errors.CommandFailed(["qemu-img"], 1, "it broke", hint="mend it"), 1),
        (errors.LockHeld("it broke", "process 1"), 1),
        (errors.UsageError("it broke", hint="mend it"), 2),
        (errors.DefectsFound("it broke", hint="mend it"), 3),
        (click.UsageError("it broke"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1),
        (EOFError(), 1),
        (SystemExit(), 0),
        (SystemExit(7), 7),
        (SystemExit("it broke"), 1),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    raising: Raising, error: BaseException, code: int
) -> None:
    raising(error)
    assert main(["fail"]) == code


def test_a_user_without_a_name_and_a_home_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unknown(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "JENKINS_URL", "JENKINS_FILE"):
        monkeypatch.setenv(name, "")  # so that what the program sets is gone after the test
        del os.environ[name]
    assert main(["jenkins", "status"]) == 2
    assert "no Jenkins controller is configured" in capsys.readouterr().err
    assert getpass.getuser() == str(os.getuid())


def test_an_error_shows_its_message_and_the_way_out_and_no_traceback(
    raising: Raising, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(ImagecycleError("the mirror [x] is away", hint="bring it [back]"))
    main(["fail"])
    captured = capsys.readouterr()
    assert captured.err == "error: the mirror [x] is away\nhint: bring it [back]\n"
    assert captured.out == ""


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "error: /srv/x: Permission denied\nhint: run it as root, or name another"),
        (errno.ENOSPC, "error: /srv/x: No space left on device\nhint: make room, or name another"),
        (errno.EROFS, "error: /srv/x: Read-only file system\nhint: name a folder that can be"),
    ],
)
def test_what_the_machine_refuses_is_no_defect_of_imagecycle(
    raising: Raising, capsys: pytest.CaptureFixture[str], number: int, words: str
) -> None:
    raising(OSError(number, os.strerror(number), "/srv/x"))
    assert main(["fail"]) == 1
    assert capsys.readouterr().err.startswith(words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["biuld"], "No such command 'biuld'"),
        (["build"], "Missing argument 'FAMILY'"),
        (["list", "--jsn"], "No such option '--jsn'"),
        (["publish", "debian-12-x86_64-server"], "Missing option '--cloud'"),
        (["verify", "debian-12-x86_64-sever"], "unknown flavour of debian-12-x86_64: sever"),
        (["build", "debain-12-x86_64-server"], "did you mean debian-12-x86_64-server?"),
        (["build", "debian-12-x86_64-server", "--release", "tomorrow"], "not a release: tomorrow"),
        (["verify", "debian-12-x86_64-server", "--release", "2026"], "not a release: 2026"),
        (["--site", "/nothing.yaml", "list"], "cannot read /nothing.yaml"),
    ],
)
def test_bad_usage_is_named_and_exits_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_a_mistake_in_the_site_file_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("home: /srv\nmiror: http://mirror.example\n")
    assert main(["--site", str(file), "list"]) == 2
    assert f"{file}:2: unknown setting miror" in capsys.readouterr().err


def test_a_mistake_in_the_catalog_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.yaml").write_text(f"catalog: {tmp_path}\n")
    (tmp_path / "images.yaml").touch()
    assert main(["--site", str(tmp_path / "images.yaml"), "list"]) == 0
    (tmp_path / "bad.yaml").write_text("nmae: x\n")
    assert main(["--site", str(tmp_path / "site.yaml"), "list"]) == 2
    assert "bad.yaml:1: unknown key nmae; did you mean name?" in capsys.readouterr().err


def start(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=terminal.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def what_an_interrupted_one_says(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """Send a signal to a command that has said it is ready; returns what it says after that."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert err.strip() == "error: interrupted; what was begun has been cleaned up"
    assert process.returncode == 130
    return out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cleans_up_and_exits_with_130(number: signal.Signals) -> None:
    process = start(
        "import sys, time, click\n"
        "from imagecycle import cli\n"
        "@cli.imagecycle.command('wait')\n"
        "def wait():\n"
        "    try:\n"
        "        print('ready', flush=True)\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        print('cleaned', flush=True)\n"
        "sys.exit(cli.main(['wait']))\n"
    )
    assert what_an_interrupted_one_says(process, number) == "cleaned\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_in_a_destructor_is_not_lost(number: signal.Signals) -> None:
    process = start(
        "import sys, time\n"
        "from imagecycle import cli\n"
        "class Held:\n"
        "    def __del__(self):\n"
        "        print('ready', flush=True)\n"
        "        time.sleep(60)\n"
        "@cli.imagecycle.command('wait')\n"
        "def wait():\n"
        "    Held()\n"
        "    time.sleep(60)\n"
        "sys.exit(cli.main(['wait']))\n"
    )
    assert what_an_interrupted_one_says(process, number) == ""


def in_shell(line: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `$P` is the program."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        env=terminal.environment(P=" ".join(terminal.argv()), **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "line",
    ["$P list | true", "$P list | head -1", "$P --help | true", "$P doctor --help | true"],
)
def test_a_reader_that_goes_away_is_no_error(line: str) -> None:
    done = in_shell(line)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_table_by_rich_whose_reader_goes_away_is_no_error() -> None:
    code = (
        "import sys, click\n"
        "from imagecycle import cli\n"
        "@cli.imagecycle.command('show')\n"
        "def show():\n"
        "    from rich.console import Console\n"
        "    sys.stdin.read()\n"
        "    Console().print('x')\n"
        "sys.exit(cli.main(['show']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=terminal.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout and process.stdin and process.stderr
    process.stdout.close()
    process.stdin.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("line", ["$P list > /dev/full", "$P --help > /dev/full"])
def test_an_output_that_is_full_is_said(line: str) -> None:
    done = in_shell(line)
    assert done.returncode == 1
    assert done.stderr == "error: standard output: No space left on device\n"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$P list >&-", 0),
        ("$P list <&- >&- 2>&-", 0),
        ("$P lsit 2>&-", 2),
        ("$P lsit 2> /dev/full", 2),
        ("$P lsit 2>&1 | true", 2),
        ("LC_ALL=xx_YY.ISO-8859-1 PYTHONCOERCECLOCALE=0 PYTHONUTF8=0 $P list", 0),
        ("PYTHONIOENCODING=ascii:strict $P list", 0),
        ("env -u HOME $P list", 0),
        ("mkdir gone; cd gone; rmdir ../gone; $P list", 0),
        ("IMAGECYCLE_HOME=/proc/none $P list", 0),
        ("touch file; IMAGECYCLE_HOME=$PWD/file $P build debian-12-x86_64-base", 1),
        ("printf 'home: \\377' > site.yaml; $P --site site.yaml list", 2),
        ("printf 'home: \\1' > site.yaml; $P --site site.yaml list", 2),
    ],
)
def test_odd_surroundings_show_no_traceback(line: str, code: int, tmp_path: Path) -> None:
    done = in_shell(f"cd {tmp_path}; {line}")
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "defect of imagecycle" not in done.stderr


def test_help_answers_without_loading_a_stage() -> None:
    code = (
        "import sys\n"
        "from imagecycle import cli\n"
        "assert cli.main(['--help']) == 0\n"
        "heavy = {'openstack', 'libvirt', 'guestfs', 'glanceclient', 'keystoneclient'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    process = start(code)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Keep the operating-system images of an OpenStack cloud up to date." in out


def test_the_manual_page_lists_every_command_with_what_its_help_says() -> None:
    page = (Path(__file__).parents[1] / "docs" / "imagecycle.1").read_text()
    plain = " ".join(re.sub(r"\\f[A-Z]|\\&|^\.\w+ ?", "", page, flags=re.M).split())
    plain = plain.replace("\\-", "-").replace("\\(aq", "'")
    for name, command in cli.imagecycle.commands.items():
        summary = " ".join(command.get_short_help_str(10_000).replace("`", "").split())
        assert f"{name} {summary}" in plain, "run scripts/docs"
