"""RPM's database and its package sources, read from a disk."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import rpm_roots
from imagecycle.build.offline import MountedSystem
from imagecycle.errors import ImagecycleError
from imagecycle.systems.dnf import Dnf
from imagecycle.systems.package_manager import Package, Source
from imagecycle.systems.zypper import Zypper


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return rpm_roots.build(tmp_path_factory.mktemp("packages"))


FORMS: dict[str, tuple[str, Callable[[Path, str], None] | None]] = {
    "redhat": ("/var/lib/rpm", None),
    "suse": ("/usr/lib/sysimage/rpm", rpm_roots.as_ndb),
    "redhat before 9": ("/var/lib/rpm", rpm_roots.as_berkeley),
}


@pytest.fixture(scope="module", params=FORMS)
def disk(
    request: pytest.FixtureRequest, packages: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> MountedSystem:
    root = tmp_path_factory.mktemp("root")
    folder, turn = FORMS[request.param]
    rpm_roots.install(root, packages, folder)
    if turn:
        turn(root, folder)
    return MountedSystem(root)


def test_installed_packages_are_listed_with_their_epoch(disk: MountedSystem) -> None:
    assert Dnf().installed(disk) == [
        Package("alpha", "1.0-1.el9", "noarch"),
        Package("beta", "3:2.5-1.el9", "noarch"),
    ]


def test_a_disk_without_a_database_has_no_packages(tmp_path: Path) -> None:
    assert Dnf().installed(MountedSystem(tmp_path)) == []


def test_what_packages_have_is_owned_with_the_folders_that_it_is_in(disk: MountedSystem) -> None:
    owned = Dnf().owned(disk)
    assert {"/etc/alpha.conf", "/usr/share/beta/data", "/usr/share/beta", "/usr", "/etc"} <= owned
    assert "/etc/gamma.conf" not in owned


def test_the_sums_of_packages_are_those_of_their_files(disk: MountedSystem) -> None:
    digests = Dnf().digests(disk)
    content = (disk.root / "etc" / "alpha.conf").read_bytes()
    assert digests.by_path["/etc/alpha.conf"] == hashlib.new(digests.algorithm, content).hexdigest()
    assert "/usr/share/alpha" not in digests.by_path


def test_the_list_is_the_one_that_rpm_itself_gives(packages: list[Path], tmp_path: Path) -> None:
    rpm_roots.install(tmp_path, packages, "/var/lib/rpm")
    form = r"[%{FILENAMES} %{FILEDIGESTS}\n]"
    said = subprocess.run(
        ["rpm", f"--root={tmp_path}", "--dbpath=/var/lib/rpm", "-qa", f"--queryformat={form}"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    pairs = dict(line.split(" ") for line in said.splitlines())
    disk = MountedSystem(tmp_path)
    assert pairs.keys() <= Dnf().owned(disk)
    assert {path: one for path, one in pairs.items() if one} == Dnf().digests(disk).by_path


@pytest.mark.parametrize("name", ["rpmdb.sqlite", "Packages.db"])
def test_a_damaged_database_is_named(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "var" / "lib" / "rpm"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"RpmP" + bytes(range(256)) * 32)
    with pytest.raises(ImagecycleError, match=f"/var/lib/rpm/{name} cannot be read"):
        Dnf().installed(MountedSystem(tmp_path))


def test_the_database_is_not_changed_by_being_read(disk: MountedSystem) -> None:
    def state() -> dict[str, bytes]:
        return {path: disk.read(path) for path in sorted(Dnf().owned(disk)) if "rpm/" in path}

    before = state()
    Dnf().installed(disk)
    assert state() == before


REPOSITORIES = """\
[baseos]
name=BaseOS
mirrorlist=https://mirrors.example/list?repo=baseos
gpgcheck=1
[extras]
baseurl=https://one.example/extras https://two.example/extras
[loose]
baseurl=http://loose.example/
gpgcheck=0
[off]
baseurl=http://off.example/
enabled=0
"""


def test_sources_are_those_that_are_on_and_tell_whether_signatures_count(tmp_path: Path) -> None:
    folder = tmp_path / "etc" / "yum.repos.d"
    folder.mkdir(parents=True)
    (folder / "all.repo").write_text(REPOSITORIES)
    (tmp_path / "etc" / "dnf").mkdir()
    (tmp_path / "etc" / "dnf" / "dnf.conf").write_text("[main]\ngpgcheck=1\n")
    path = "/etc/yum.repos.d/all.repo"
    assert Dnf().sources(MountedSystem(tmp_path)) == [
        Source(path, "https://mirrors.example/list?repo=baseos", False),
        Source(path, "https://one.example/extras", False),
        Source(path, "https://two.example/extras", False),
        Source(path, "http://loose.example/", True),
    ]


def test_a_manager_that_checks_nothing_makes_every_silent_source_unsigned(tmp_path: Path) -> None:
    folder = tmp_path / "etc" / "yum.repos.d"
    folder.mkdir(parents=True)
    (folder / "a.repo").write_text("[a]\nbaseurl=http://a.example/\n")
    (tmp_path / "etc" / "yum.conf").write_text("[main]\ngpgcheck=0\n")
    assert [one.unsigned for one in Dnf().sources(MountedSystem(tmp_path))] == [True]
    assert Dnf.unsafe.search("[main]\ngpgcheck=0\n")
    assert not Dnf.unsafe.search("[main]\ngpgcheck=1\n#gpgcheck=0\n")


@pytest.mark.parametrize(
    ("manager", "path", "text", "held"),
    [
        (
            Dnf(),
            "etc/dnf/plugins/versionlock.list",
            "# x\nkernel-0:5.14.0-1.*\n",
            "kernel-0:5.14.0-1.*",
        ),
        (Dnf(), "etc/dnf/versionlock.toml", '[[packages]]\nname = "kernel"\n', "kernel"),
        (Zypper(), "etc/zypp/locks", "type: package\nsolvable_name: kernel\n", "kernel"),
    ],
)
def test_packages_that_are_not_updated_are_named(
    manager: Dnf | Zypper, path: str, text: str, held: str, tmp_path: Path
) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text)
    assert manager.held(MountedSystem(tmp_path)) == [held]


def test_a_guest_is_asked_for_packages_in_its_own_managers_words() -> None:
    assert "install 'a b' c" in Dnf().install(["a b", "c"])
    prepared = Dnf().prepare(["http://m.example/r"])
    assert "baseurl=http://m.example/r" in prepared
    assert "build.repo" in Dnf().finish()
    assert "addrepo --check http://m.example/r build1" in Zypper().prepare(["http://m.example/r"])
    assert "install --no-recommends less" in Zypper().install(["less"])
