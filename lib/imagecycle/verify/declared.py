"""What the catalog declares of a flavour, in the words of the checks: it is no defect."""

from __future__ import annotations

from collections.abc import Iterator

from imagecycle import systems
from imagecycle.model import Explained, Family
from imagecycle.site import Site
from imagecycle.systems.linux import Linux

_ON = "services.those_switched_on_are_declared"
_OFF = "services.those_of_packages_are_switched_on"
_OWNED = "ownership.every_file_is_explained"
_LINKS = "/etc/systemd/system/*.{wants,requires}/"


def added(family: Family) -> tuple[str, ...]:
    """The paths of the files that the catalog puts into the image."""
    paths = [file.path for file in family.files]
    system = systems.of(family)
    if isinstance(system, Linux):
        kept = (one for one in family.repositories if one.keep)
        paths += [path for one in kept for path in system.packages.source_files(one)]
    return tuple(paths)


def explained(family: Family) -> tuple[Explained, ...]:
    """What the catalog says that checks find, and what follows from its services."""
    return (*family.explained, *_of_services(family))


def explained_here(family: Family, site: Site) -> tuple[Explained, ...]:
    """The same, and what the site says of all families."""
    of_site = (Explained(e.check, e.what, e.reason) for e in site.explained)
    return (*explained(family), *of_site)


def _of_services(family: Family) -> Iterator[Explained]:
    for service in family.services:
        reason = f"the flavour switches it {'on' if service.on else 'off'}"
        yield Explained(_ON if service.on else _OFF, service.unit, reason)
        if service.on:  # also a unit that the catalog itself puts into the image
            yield Explained(_OWNED, f"{_LINKS}{service.unit}", reason)
