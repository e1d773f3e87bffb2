"""What dpkg's database on a disk says of the files that belong to packages."""

from pathlib import Path

import pytest

from imagecycle.build.offline import MountedSystem
from imagecycle.systems.apt import Apt

STATUS = """\
Package: dash
Status: install ok installed
Architecture: amd64
Version: 0.5.12-2
Conffiles:
 /etc/dash.conf 0123456789abcdef0123456789abcdef
 /etc/old.conf 0123456789abcdef0123456789abcdef obsolete
Description: shell
 A line of text.

Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Version: 2.36-9
"""
SUM = "00112233445566778899aabbccddeeff"
EDITOR = """\
auto
/usr/bin/editor
editor.1.gz
/usr/share/man/man1/editor.1.gz

/usr/bin/vim.tiny
15
/usr/share/man/man1/vim.1.gz

"""


@pytest.fixture
def disk(tmp_path: Path) -> MountedSystem:
    for name, text in {
        "status": STATUS,
        "info/dash.list": "/.\n/bin\n/bin/dash\n",
        "info/dash.postinst": "",
        "info/dash.md5sums": f"{SUM}  bin/dash\n{SUM}  bin/sh\n",
        "info/libc6:amd64.list": "/lib/libc.so.6\n",
        "info/removed.list": "/usr/bin/removed\n",
        "diversions": "/bin/sh\n/bin/sh.distrib\ndash\n",
        "alternatives/editor": EDITOR,
    }.items():
        path = tmp_path / "var/lib/dpkg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return MountedSystem(tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "/bin/dash",
        "/bin/sh.distrib",
        "/etc/alternatives/editor",
        "/etc/alternatives/editor.1.gz",
        "/etc/dash.conf",
        "/etc/old.conf",
        "/lib/libc.so.6",
        "/usr/bin/editor",
        "/usr/share/man/man1/editor.1.gz",
        "/var/lib/dpkg/info/dash.list",
        "/var/lib/dpkg/info/dash.postinst",
        "/var/lib/dpkg/info/libc6:amd64.list",
    ],
)
def test_what_packages_have_is_owned(disk: MountedSystem, path: str) -> None:
    assert path in Apt().owned(disk)


@pytest.mark.parametrize("path", ["/usr/bin/removed", "/var/lib/dpkg/info/removed.list", ""])
def test_what_no_installed_package_has_is_not_owned(disk: MountedSystem, path: str) -> None:
    assert path not in Apt().owned(disk)


def test_a_disk_without_a_database_owns_nothing(tmp_path: Path) -> None:
    assert Apt().owned(MountedSystem(tmp_path)) == set()


def test_a_packages_fields_are_read_over_several_lines(disk: MountedSystem) -> None:
    assert [package.name for package in Apt().installed(disk)] == ["dash", "libc6"]


def test_sums_are_those_of_packages_and_of_their_settings(disk: MountedSystem) -> None:
    sums = Apt().digests(disk)
    assert sums.algorithm == "md5"
    assert sums.by_path == {
        "/bin/dash": SUM,
        "/bin/sh.distrib": SUM,
        "/etc/dash.conf": "0123456789abcdef0123456789abcdef",
    }


def test_packages_that_are_held_back_are_named(disk: MountedSystem) -> None:
    assert Apt().held(disk) == []
    status = disk.root / "var/lib/dpkg/status"
    status.write_text(STATUS.replace("install ok installed", "hold ok installed", 1))
    assert Apt().held(disk) == ["dash"]


def test_a_package_that_others_need_is_missed(tmp_path: Path) -> None:
    place = tmp_path / "var/lib/dpkg/status"
    place.parent.mkdir(parents=True)
    place.write_text(
        "Package: a\nStatus: install ok installed\n"
        "Depends: b (>= 1.0), c:any | d, mail-agent,\n e [amd64] | f\n\n"
        "Package: d\nStatus: install ok installed\nProvides: mail-agent (= 1)\n\n"
        "Package: b\nStatus: deinstall ok config-files\nDepends: gone\n"
    )
    assert Apt().unmet(MountedSystem(tmp_path)) == [("a", "b"), ("a", "e or f")]
