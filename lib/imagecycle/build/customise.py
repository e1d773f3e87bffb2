"""What a flavour adds, put into a copy of the shared installation."""

from __future__ import annotations

import math
from pathlib import Path

from imagecycle import log, systems
from imagecycle.artifacts import lock_file, write_text
from imagecycle.build import changes, disk, media, offline, oz_guest, template
from imagecycle.build.console import Console
from imagecycle.build.domain import name_of
from imagecycle.build.guest_access import GuestAccess
from imagecycle.build.installation import surroundings
from imagecycle.build.oz_guest import StepTime
from imagecycle.errors import UsageError
from imagecycle.model import Family, GuestFile
from imagecycle.site import Site
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.linux import Linux
from imagecycle.systems.package_manager import Outlook, Wanted

REACH_LIMIT = 300.0
"""Seconds until a guest must let us in."""
MARGIN = 128 * 2**20
"""Bytes on the disk for package lists and for what packages make when they are installed"""
_LOCK_WAIT = 900.0
_ROOT = "root"


def needed(family: Family) -> bool:
    """Whether a flavour differs from the shared installation."""
    return bool(family.files or family.smaller_disk_gib or changes.needed(family))


def refuse(family: Family, site: Site) -> None:
    """Find out before anything is made whether the packages of a flavour can be had.

    :raises UsageError: naming those that no package source has, with their lines in the catalog.
    :raises ImagecycleError: when a package source cannot be used.
    """
    if not (family.packages or family.repositories):
        return
    with log.step("looking for the packages"):
        found = _outlook(family, systems.linux(family.distro), site, b"")
    if found.unknown:
        lines = [
            f"{family.places.get(f'packages.{name}', family.source)}: "
            f"no package source has {name} for {family.distro} {family.version} on {family.arch}"
            for name in found.unknown
        ]
        raise UsageError("\n".join(lines), hint="look for its name, or add its package source")
    if found.reason:
        raise UsageError(
            f"{changes.first_place(family, 'packages')}: the packages of {family.slug} cannot be "
            f"installed together: {found.reason}",
            hint="leave one of them out, or add the package source that has what they need",
        )


def customise(
    family: Family, site: Site, source: media.Source, folder: Path, raw: Path
) -> list[StepTime]:
    """Put what the flavour adds on the disk ``raw``.

    :returns: the steps that were done in the guest, with their seconds.
    :raises InstallationFailed: when a step fails, naming it and the console.
    :raises UsageError: when the disk is too small for the packages, or an account is unknown.
    """
    kind = systems.linux(family.distro)
    if family.smaller_disk_gib:
        with log.step(f"enlarging the disk to {family.disk_gib} GiB"):
            disk.enlarge(raw, family.disk_gib * 2**30)
            offline.grow(raw, folder)
    boots = changes.needed(family)
    reach = GuestAccess(folder, kind.access, REACH_LIMIT)
    with offline.opened(raw, folder) as system:
        if boots:
            _refuse_too_small(family, kind, site, system)
            reach.prepare(system)
        else:
            for file in family.files:
                put(system, file, family)
    if not boots:
        return []
    times = _run(family, kind, site, source, folder, raw, reach)
    with offline.opened(raw, folder) as system:
        reach.remove(system)
    return times


def _outlook(family: Family, kind: Linux, site: Site, installed: bytes) -> Outlook:
    wanted = Wanted(
        arch=family.arch,
        packages=family.packages,
        repositories=family.repositories,
        sources=kind.build_sources(family, site),
        installed=installed,
    )
    folder = site.cache / "package-lists" / family.system
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f".{folder.name}.lock")
    with lock_file(lock, "the package lists", "reading them", wait=_LOCK_WAIT):
        return kind.packages.outlook(wanted, folder)


def _refuse_too_small(family: Family, kind: Linux, site: Site, system: SystemFiles) -> None:
    status = kind.packages.status
    if not (family.packages and status and system.exists(status)):
        return
    needed = _outlook(family, kind, site, system.read(status)).needed
    room = system.room()
    if needed and needed + MARGIN > room:
        missing = needed + MARGIN - room
        raise UsageError(
            f"{family.places.get('disk', family.source)}: the packages of {family.slug} need "
            f"{(needed + MARGIN) / 2**20:.0f} MiB, and its disk of {family.disk_gib} GiB has "
            f"{room / 2**20:.0f} MiB free",
            hint="give the flavour a larger disk: `disk: "
            f"{family.disk_gib + max(1, math.ceil(missing * 1.1 / 2**30))}`",
        )


def put(system: SystemFiles, file: GuestFile, family: Family) -> None:
    """Put a file of a flavour on a disk.

    :raises UsageError: when the system has no such owner or group.
    """
    uid = _number(system, "/etc/passwd", file.owner, file, family)
    gid = _number(system, "/etc/group", file.group, file, family)
    system.write(file.path, file.data(), file.mode)
    system.give(file.path, uid, gid)
    system.write(file.path, file.data(), file.mode)  # giving it away takes setuid off


def _number(system: SystemFiles, database: str, name: str, file: GuestFile, family: Family) -> int:
    if name == _ROOT:
        return 0
    for line in system.read(database).decode(errors="replace").splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2])
    place = family.places.get(f"files.{file.path}", family.source)
    raise UsageError(
        f"{place}: {file.path} is to belong to {name}, which {database} does not have",
        hint="an account of a package comes with the package; a command can make another one",
    )


def _run(
    family: Family,
    kind: Linux,
    site: Site,
    source: media.Source,
    folder: Path,
    raw: Path,
    reach: GuestAccess,
) -> list[StepTime]:
    wanted = changes.of(family, kind, site)
    described = template.customisation(
        family,
        name=name_of(folder),
        media_url=source.fetch(),
        root_password=oz_guest.NO_PASSWORD,
        before=[step.text for step in wanted.before],
        after=[step.text for step in wanted.after],
    )
    write_text(folder / "customisation.tdl", described)
    console = Console(folder / "customisation.log", kind.console)
    with oz_guest.logged(folder / "oz.log"), reach:
        guest = oz_guest.prepare(
            kind,
            described,
            folder / "unattended",
            raw,
            surroundings(family, site, folder, family.firmware[0]),
            console,
        )
        guest.reach = reach
        guest.changes = wanted
        with oz_guest.errors_told(folder / "oz.log", console.path):
            guest.customize(guest._generate_xml("hd", None))
    times: list[StepTime] = guest.times
    return times
