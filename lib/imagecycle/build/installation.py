"""The installation that all flavours of a system share: made once, then kept.

``cache/installations/SYSTEM-DIGEST.raw`` is a clean disk that has never been booted by itself;
nothing writes to it. It is made again when the media, the unattended file, the disk's size or the
firmware change.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imagecycle import log, systems
from imagecycle.artifacts import lock_file, write_json, write_text
from imagecycle.build import (
    builder,
    clean,
    disk,
    domain,
    domain_xml,
    imagefactory,
    inputs,
    media,
    offline,
    oz_guest,
    template,
    windows_domain,
    windows_medium,
)
from imagecycle.build.console import Console
from imagecycle.build.domain import Limits, MachineCrashed, name_of
from imagecycle.catalog import unattended
from imagecycle.machine import accelerator, hardware
from imagecycle.model import Family
from imagecycle.site import Site

PROCESSORS = 2
_LOCK_WAIT = 7200.0


@dataclass(frozen=True)
class Installation:
    """An installed disk in the cache; ``digest`` names what it was made from."""

    path: Path
    digest: str


def digest(family: Family, source: media.Source) -> str:
    """What an installation of the family's system depends on."""
    return inputs.digest_of(depends_on(family, source))


def depends_on(family: Family, source: media.Source) -> dict[str, Any]:
    """The inputs of an installation, by name. Which builder it was is one only for another than Oz,
    whose installations came before there was a choice."""
    through = {"through": builder.NAME} if builder.chosen(family, source.site) else {}
    return {
        **through,
        "builder": inputs.BUILDER,
        "system": [family.oz_name, family.oz_version, family.arch],
        "media": source.digest,
        "unattended": unattended.render(family),
        "disk": family.installed_disk_gib,
        "firmware": family.firmware,
    }


def ensure(family: Family, site: Site, source: media.Source, folder: Path) -> Installation:
    """The installation of a family's system, from the cache or made now.

    :param folder: where Oz works; it keeps the console, Oz's log and a picture of a failure.
    :returns: a second name of the disk, in the folder: it stays when the cache's own is replaced.
    :raises InstallationFailed: naming the console and the picture.
    """
    wanted = digest(family, source)
    cache = site.cache / "installations"
    path = cache / f"{family.installation}-{wanted[:12]}.raw"
    lock = cache / f".{family.installation}.lock"
    with lock_file(lock, family.installation, "installing it", wait=_LOCK_WAIT):
        if path.exists():
            log.say(f"the installation of {family.installation} is unchanged: {path.name}")
            os.utime(path)
            return Installation(_held(path, folder), wanted)
        if builder.chosen(family, site):
            builder.version()  # before minutes are spent, as the next
        domain.require_network(site.libvirt_uri)
        url = source.fetch()
        raw = folder / "installed.raw"
        with log.step(f"installing {family.installation} with {builder.title(family, site)}"):
            _install(family, site, url, folder, raw)
        if family.windows is None:  # else sysprep comes before anybody starts it
            with log.step("cleaning the installation"), offline.opened(raw, folder) as system:
                kind = systems.linux(family.distro)
                clean.clean(system, kind)
                clean.label(system, kind)
                system.trim()
        raw.replace(path)
        path.chmod(0o444)
        write_json(path.with_suffix(".json"), {"digest": wanted, "system": family.installation})
        for old in cache.glob(f"{family.installation}-*.raw"):
            if old != path:
                old.unlink()
                old.with_suffix(".json").unlink(missing_ok=True)
        return Installation(_held(path, folder), wanted)


def _held(path: Path, folder: Path) -> Path:
    held = folder / "installation.raw"
    held.hardlink_to(path)
    return held


def surroundings(
    family: Family, site: Site, folder: Path, firmware: str = hardware.BIOS
) -> domain_xml.Surroundings:
    """Where and how the family's guests run while they are built."""
    found = accelerator.fitting(accelerator.find(site), family.arch)
    around = domain_xml.Surroundings(
        folder=folder,
        uri=site.libvirt_uri,
        accelerator=found,
        processors=min(PROCESSORS, os.cpu_count() or 1),
        memory_mib=family.install_memory_mib,
        limits=Limits(site.install_timeout, site.stall_timeout),
        firmware=firmware,
    )
    if family.windows is None:
        return around
    return replace(
        around,
        limits=Limits(site.windows.install_timeout, site.windows.stall_timeout),
        reshape=lambda xml: windows_domain.adapt(xml, family, found, folder),
        reads_screen=True,
    )


def firmware_of(family: Family) -> str:
    """What the vendor's installer boots from: one under UEFI makes disks for BIOS as well, one
    under BIOS none for UEFI. The embedded install tree makes both from either; Windows has its own
    machine."""
    vendors = family.media.kind != "tree" and family.windows is None
    return hardware.UEFI if vendors and hardware.UEFI in family.firmware else hardware.BIOS


def _install(family: Family, site: Site, url: str, folder: Path, raw: Path) -> None:
    """Install, and once more when QEMU crashed: software emulation does now and then."""
    try:
        _install_once(family, site, url, folder, raw)
    except MachineCrashed as crash:
        log.say(f"{crash.message.splitlines()[0]}; installing once more")
        for left in (raw, folder / "console.log"):
            left.unlink(missing_ok=True)
        _install_once(family, site, url, folder, raw)


def _install_once(family: Family, site: Site, url: str, folder: Path, raw: Path) -> None:
    answers = folder / "unattended"
    system = systems.of(family)
    extras = windows_medium.extras(family, site, url, folder / "medium")
    said = {**system.answers(family, site), **extras.answers}
    write_text(answers, unattended.render(family, **said), mode=0o600 if extras.secret else 0o644)
    name = name_of(folder)
    described = template.installation(
        family, name=name, media_url=url, root_password=oz_guest.NO_PASSWORD
    )
    write_text(folder / "template.tdl", described)
    disk.need_room(folder, extras.room or family.installed_disk_gib * 2**30)
    around = surroundings(family, site, folder, firmware_of(family))
    with log.phases(family.installation, system.console.phases) as report:
        console = Console(folder / "console.log", system.console, report)
        if builder.chosen(family, site):
            imagefactory.install(family, folder / "template.tdl", answers, raw, around, console)
        else:
            _with_oz(family, answers, raw, around, console, extras)


def _with_oz(
    family: Family,
    answers: Path,
    raw: Path,
    around: domain_xml.Surroundings,
    console: Console,
    extras: windows_medium.Extras,
) -> None:
    folder = around.folder
    described = (folder / "template.tdl").read_text()
    with oz_guest.logged(folder / "oz.log"):
        system = systems.of(family)
        guest = oz_guest.prepare(system, described, answers, raw, around, console)
        guest.extras = extras.folders
        with oz_guest.errors_told(folder / "oz.log", console.path):
            guest.check_for_guest_conflict()
            try:
                guest.generate_install_media(False, False)
                guest.generate_diskimage(size=family.installed_disk_gib, force=True)
                guest.install(int(around.limits.total), True)
            finally:
                guest.cleanup_install()
                if extras.secret:
                    answers.unlink()
