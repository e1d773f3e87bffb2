"""What is particular to each kind of operating system, one module per kind.

To teach imagecycle a new kind, write its module and name it in :data:`SYSTEMS`.
"""

from __future__ import annotations

from imagecycle.errors import UnknownName, UsageError
from imagecycle.model import Family
from imagecycle.systems.debian import Debian
from imagecycle.systems.fedora import Fedora
from imagecycle.systems.linux import Linux
from imagecycle.systems.redhat import RedHat
from imagecycle.systems.suse import Suse
from imagecycle.systems.system import System
from imagecycle.systems.ubuntu import Ubuntu
from imagecycle.systems.windows import Windows

SYSTEMS: tuple[System, ...] = (Debian(), Ubuntu(), RedHat(), Fedora(), Suse(), Windows())


def distros() -> tuple[str, ...]:
    """The values of Glance's os_distro that are known."""
    return tuple(distro for system in SYSTEMS for distro in system.distros)


def named(distro: str) -> System:
    """The kind of operating system that a distribution is of.

    :param distro: Glance's os_distro.
    :raises UnknownName: suggesting the nearest one.
    """
    for system in SYSTEMS:
        if distro in system.distros:
            return system
    raise UnknownName("distro", distro, distros(), hint=f"imagecycle knows {', '.join(distros())}")


def of(family: Family) -> System:
    """The kind of operating system that a family is of."""
    return named(family.distro)


def linux(distro: str) -> Linux:
    """The kind of Linux that a distribution is of.

    :raises UsageError: when it is none.
    """
    system = named(distro)
    if not isinstance(system, Linux):
        raise UsageError(f"{system.name} is no Linux, and not made or checked like one")
    return system
