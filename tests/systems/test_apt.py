"""The package list, read from dpkg's status file."""

from __future__ import annotations

from pathlib import Path

from imagecycle.build.offline import MountedSystem
from imagecycle.systems.apt import Apt
from imagecycle.systems.package_manager import Package

STATUS = """Package: zlib1g
Status: install ok installed
Architecture: amd64
Version: 1:1.2.13
Description: compression library
 Version: this line belongs to the description

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: adduser
Status: install ok installed
Architecture: all
Version: 3.134
"""


def test_installed_packages_are_listed_by_name(tmp_path: Path) -> None:
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS)
    assert Apt().installed(MountedSystem(tmp_path)) == [
        Package("adduser", "3.134", "all"),
        Package("zlib1g", "1:1.2.13", "amd64"),
    ]


def test_a_system_without_dpkg_has_no_list(tmp_path: Path) -> None:
    assert Apt().installed(MountedSystem(tmp_path)) == []
