"""What is switched on in an image, on small systems in folders."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from imagecycle import systems
from imagecycle.build.offline import MountedSystem
from imagecycle.verify.checks.test_services import test_those_switched_on_are_declared as check
from imagecycle.verify.findings import Defects
from imagecycle.verify.pristine import Pristine

UNITS = "/usr/lib/systemd/system"
WANTED = "/etc/systemd/system/multi-user.target.wants"
NETWORK = f"{UNITS}/systemd-networkd.service"
BESIDE = f"{UNITS}/systemd-networkd-storage.service"
SAID = {
    NETWORK: "[Install]\nWantedBy=multi-user.target\nAlso=systemd-networkd-storage.service\n",
    BESIDE: "[Install]\nAlso=further.socket\n",
    f"{UNITS}/further.socket": "[Socket]\n",
    f"{UNITS}/other.service": "[Service]\n",
}
DEFECTS = Defects("services.those_switched_on_are_declared", frozenset(), ())


def system_with(folder: Path, *on: str, unit: str = "") -> Pristine:
    """A system whose package systemd brings the units.

    :param on: what is switched on.
    :param unit: what somebody has written in the place of networkd's.
    """
    sums = "".join(
        f"{hashlib.md5(said.encode()).hexdigest()}  {path[1:]}\n" for path, said in SAID.items()
    )
    files = {
        **SAID,
        **{f"{WANTED}/{name}": "" for name in on},
        "/var/lib/dpkg/info/systemd.md5sums": sums,
        "/var/lib/dpkg/info/systemd.list": "".join(f"{path}\n" for path in SAID),
        "/var/lib/dpkg/status": "Package: systemd\nStatus: install ok installed\nVersion: 1\n\n",
    }
    if unit:
        files[NETWORK] = unit
    for path, said in files.items():
        (folder / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (folder / path[1:]).write_text(said)
    return Pristine(MountedSystem(folder), systems.linux("debian"), folder / "disk.raw")


def test_a_unit_brings_along_what_its_package_says(tmp_path: Path) -> None:
    on = ("systemd-networkd.service", "systemd-networkd-storage.service", "further.socket")
    check(system_with(tmp_path, *on), DEFECTS)


def test_another_unit_does_not_come_along(tmp_path: Path) -> None:
    system = system_with(tmp_path, "systemd-networkd.service", "other.service")
    with pytest.raises(AssertionError, match=r"other\.service: is switched on"):
        check(system, DEFECTS)


def test_a_unit_that_is_off_brings_nothing_along(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"networkd-storage\.service: is switched on"):
        check(system_with(tmp_path, "systemd-networkd-storage.service"), DEFECTS)


def test_a_unit_that_somebody_has_changed_brings_nothing_along(tmp_path: Path) -> None:
    changed = "[Install]\nAlso=other.service\n"
    system = system_with(tmp_path, "systemd-networkd.service", "other.service", unit=changed)
    with pytest.raises(AssertionError, match=r"other\.service: is switched on"):
        check(system, DEFECTS)
