"""A flavour's own packages, files and commands, put into a copy of the shared installation."""

from __future__ import annotations

from pathlib import Path

from imagecycle import log, systems
from imagecycle.artifacts import write_text
from imagecycle.build import media, offline, oz_guest, template
from imagecycle.build.console import Console
from imagecycle.build.domain import name_of
from imagecycle.build.guest_access import GuestAccess
from imagecycle.build.installation import surroundings
from imagecycle.model import Family
from imagecycle.site import Site

REACH_LIMIT = 300.0
"""Seconds until a guest must let us in."""


def needed(family: Family) -> bool:
    """Whether a flavour differs from the shared installation."""
    return bool(family.packages or family.files or family.commands)


def customise(family: Family, site: Site, source: media.Source, folder: Path, raw: Path) -> None:
    """Put what the flavour adds on the disk ``raw``.

    :raises InstallationFailed: when a package or a command fails, naming the console.
    """
    boots = bool(family.packages or family.commands)
    reach = GuestAccess(folder, systems.linux(family.distro).access, REACH_LIMIT)
    with offline.opened(raw, folder) as system:
        for file in family.files:
            system.write(file.path, file.content.encode(), file.mode)
        if boots:
            reach.prepare(system)
    if not boots:
        return
    with log.step(f"adding {len(family.packages)} packages, {len(family.commands)} commands"):
        _run(family, site, source, folder, raw, reach)
    with offline.opened(raw, folder) as system:
        reach.remove(system)


def _run(
    family: Family, site: Site, source: media.Source, folder: Path, raw: Path, reach: GuestAccess
) -> None:
    described = template.customisation(
        family,
        name=name_of(folder),
        media_url=source.fetch(),
        root_password=oz_guest.NO_PASSWORD,
        **_steps(family, site),
    )
    write_text(folder / "customisation.tdl", described)
    console = Console(folder / "customisation.log", systems.of(family).console)
    with oz_guest.logged(folder / "oz.log"), reach:
        guest = oz_guest.prepare(
            systems.of(family),
            described,
            folder / "unattended",
            raw,
            surroundings(family, site, folder, family.firmware[0]),
            console,
        )
        guest.reach = reach
        with oz_guest.errors_told(folder / "oz.log", console.path):
            guest.customize(guest._generate_xml("hd", None))


def _steps(family: Family, site: Site) -> dict[str, str]:
    """What has to be done in the guest before and after."""
    system = systems.linux(family.distro)
    sources = system.build_sources(family, site)
    return {"prepare": system.packages.prepare(sources), "finish": system.packages.finish()}
