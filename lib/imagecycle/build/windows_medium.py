"""What goes on a medium beside the operator's own: answers, drivers, the scripts that they call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlparse

from imagecycle import command
from imagecycle.artifacts import write_text
from imagecycle.build import media
from imagecycle.errors import UsageError
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.site_sections import Download
from imagecycle.systems import (
    windows,
    windows_drivers,
    windows_media,
    windows_releases,
    windows_script,
)
from imagecycle.systems.windows_answers import FOLDER
from imagecycle.systems.windows_drivers import Driver
from imagecycle.systems.windows_media import Edition

LABEL = "IMAGECYCLE"
"""Of the medium that is there while an installation is customised"""
ACCESS = "access.json"
ISO_TIMEOUT = 600.0
GROWTH = 6 * 2**30
"""Bytes by which a Windows grows before it is customised: what Setup unpacks, drivers, logs"""
_SETUP_SCRIPTS = ("load-drivers.cmd", "first-logon.ps1", "access.ps1")


@dataclass(frozen=True)
class Extras:
    """What an installation takes from elsewhere."""

    folders: tuple[Path, ...] = ()
    """Their content goes to the top of the medium"""
    answers: Mapping[str, str] = field(default_factory=dict)
    """What the medium says for the answer file"""
    drivers: tuple[Driver, ...] = ()
    room: int = 0
    """Bytes that the installation takes; 0 for what the disk can hold"""
    secret: bool = False
    """Whether the answer file holds what must not stay"""


def extras(family: Family, site: Site, url: str, folder: Path) -> Extras:
    """Find the image on the operator's medium, and gather what Setup needs beside it.

    :param url: of the medium, which is on this machine.
    :param folder: where it is gathered.
    :returns: nothing for a family that is no Windows.
    :raises UsageError: naming what a medium does not offer, or the site has not named.
    """
    if family.windows is None:
        return Extras()
    medium = Path(unquote(urlparse(url).path))
    image = windows.image(family, medium)
    windows_media.refuse_unbootable(medium, family.firmware[0])
    drivers_iso = fetched(site, site.windows.drivers, "drivers", "the virtio-win project's ISO")
    own = folder / FOLDER
    drivers = windows_drivers.collect(
        drivers_iso, windows_releases.release(family.version), family.arch, own / "drivers"
    )
    for name in _SETUP_SCRIPTS:
        windows_script.copy(name, own / name)
    answers = {"image_index": str(image.index)}
    return Extras((folder,), answers, drivers, room(family, image, medium), secret=True)


def room(family: Family, image: Edition, medium: Path) -> int:
    """Bytes that are written until a family is installed: to its disk, and to the new medium.

    The list of images on a medium says how large each is. The page file is as large as the memory
    at most, unless somebody asks for more. A medium is unpacked, packed, and stays packed.
    """
    iso, disk = medium.stat().st_size, family.installed_disk_gib * 2**30
    if image.size:
        disk = min(disk, image.size + family.install_memory_mib * 2**20 + GROWTH)
    return iso + max(iso, disk)


def fetched(site: Site, download: Download | None, key: str, what: str) -> Path:
    """A file that the site's settings name, in the cache.

    :raises UsageError: when they name none.
    """
    if download is None:
        raise UsageError(
            f"the site's settings name no windows.{key}",
            hint=f"name {what} there, with url and sha256; see docs/windows.rst",
        )
    return media.fetched(site, download.url, download.sha256)


def write_access(folder: Path, account: str, password: str) -> None:
    """The file by which an installation takes a password at its start."""
    write_text(folder / ACCESS, json.dumps({"account": account, "password": password}))
    (folder / ACCESS).chmod(0o600)


def write_iso(folder: Path, target: Path) -> None:
    """A medium for the customisation; it holds a password, and only QEMU may read it."""
    target.touch(mode=0o600)
    argv = ["genisoimage", "-quiet", "-V", LABEL, "-iso-level", "3", "-udf"]
    argv += ["-allow-limited-size", "-J", "-joliet-long", "-o", str(target), str(folder)]
    command.run(argv, timeout=ISO_TIMEOUT, hint="is there room on the disk?")
