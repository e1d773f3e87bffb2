"""The drivers for virtual hardware that Windows does not bring along: from the virtio-win ISO.

That ISO has a folder for each driver, below it one for each release, below it one for each
architecture: ``viostor/2k22/amd64/viostor.inf``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagecycle.errors import UsageError
from imagecycle.systems import windows_media
from imagecycle.systems.windows_answers import ARCHITECTURES
from imagecycle.systems.windows_releases import WindowsRelease

STORAGE = ("viostor", "vioscsi")
"""Without one of these Setup finds no disk, and the installed system does not start."""
NEEDED = {
    "viostor": "disks on virtio-blk",
    "vioscsi": "disks and CD-ROMs on virtio-scsi",
    "netkvm": "network cards",
    "balloon": "memory ballooning",
    "vioserial": "the guest agent's channel",
    "viorng": "random numbers",
}
WELCOME = {
    "viogpudo": "screens",
    "qxldod": "screens of SPICE",
    "vioinput": "keyboards and mice on virtio",
    "pvpanic": "telling the hypervisor of a crash",
    "fwcfg": "an unknown device of the firmware",
    "qemupciserial": "serial ports on PCI",
}
"""Taken where the ISO has them; the older releases have not all."""
AGENT = "guest-agent/qemu-ga-x86_64.msi"
"""The guest agent's installer, on the same ISO."""
_PARTS = (".inf", ".sys", ".cat")
_VERSION = re.compile(r"^\s*DriverVer\s*=\s*([\d/]+)\s*,\s*([\d.]+)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Driver:
    """One driver as it was taken from the ISO."""

    name: str
    version: str
    """``100.93.104.25800``; empty where its inf file does not say"""
    date: str
    """In the vendor's words, month first"""


def collect(iso: Path, release: WindowsRelease, arch: str, target: Path) -> tuple[Driver, ...]:
    """Copy the drivers of a release below ``target``, a folder for each.

    :raises UsageError: naming what the ISO lacks.
    """
    with windows_media.opened(iso) as disc:
        found = _by_driver(disc.names())
        places = {
            name: _place(found.get(name, {}), release, ARCHITECTURES[arch])
            for name in (*NEEDED, *WELCOME)
        }
        _refuse_incomplete(iso, found, places, release)
        for name, files in places.items():
            for file in files:
                disc.copy(file, target / name / Path(file).name)
    return tuple(_described(name, target / name) for name, files in places.items() if files)


def copy_agent(iso: Path, target: Path) -> None:
    """Copy the guest agent's installer.

    :raises UsageError: when the ISO has none.
    """
    with windows_media.opened(iso) as disc:
        for name in disc.names():
            if name.lower() == AGENT:
                disc.copy(name, target)
                return
    raise UsageError(
        f"{iso} has no {AGENT}", hint="take a complete virtio-win.iso of the virtio-win project"
    )


Folders = Mapping[tuple[str, str], list[str]]
"""The files of one driver by folder of the release and architecture, in small letters"""


def _by_driver(names: Iterator[str]) -> dict[str, dict[tuple[str, str], list[str]]]:
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for name in names:
        parts = name.lower().split("/")
        if len(parts) == 4:
            driver, release, arch, _ = parts
            found.setdefault(driver, {}).setdefault((release, arch), []).append(name)
    return found


def _place(folders: Folders, release: WindowsRelease, arch: str) -> list[str]:
    """The files of the first fitting folder that is complete; none where there is no such."""
    for folder in release.driver_folders:
        files = folders.get((folder.lower(), arch), [])
        if {Path(file).suffix.lower() for file in files} >= set(_PARTS):
            return sorted(files)
    return []


def _refuse_incomplete(
    iso: Path,
    found: Mapping[str, Folders],
    places: Mapping[str, list[str]],
    release: WindowsRelease,
) -> None:
    missing = [name for name in NEEDED if not places[name]]
    if not missing:
        return
    if not set(found) & set(NEEDED):
        raise UsageError(
            f"{iso} holds no virtio drivers",
            hint="name the virtio-win project's ISO as windows.drivers in the site's settings",
        )
    has = sorted({folder for name in NEEDED for folder, _ in found.get(name, {})})
    words = ", ".join(f"{name} ({NEEDED[name]})" for name in missing)
    raise UsageError(
        f"{iso} has no driver for {release.title} as {' or '.join(release.driver_folders)}: "
        f"{words}; it has folders for {', '.join(has)}",
        hint="it is too old for this release, or one that left out older ones: take another",
    )


def _described(name: str, folder: Path) -> Driver:
    for inf in sorted(folder.glob("*.[iI][nN][fF]")):
        data = inf.read_bytes()
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1")
        if said := _VERSION.search(text):
            return Driver(name, said[2], said[1])
    return Driver(name, "", "")
