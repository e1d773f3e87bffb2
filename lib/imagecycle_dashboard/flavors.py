"""The smallest of Nova's flavors that an image fits into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imagecycle_dashboard.releases import Release


@dataclass(frozen=True)
class Flavor:
    """What a server can be made of."""

    name: str
    vcpus: int
    ram: int
    """MiB"""
    disk: int
    """GiB; 0 takes the image's own size"""


def by_size(flavors: Iterable[Flavor]) -> list[Flavor]:
    """Those with the least memory first, then disk, then processors."""
    return sorted(flavors, key=lambda one: (one.ram, one.disk, one.vcpus, one.name))


def smallest(flavors: Iterable[Flavor], release: Release) -> Flavor | None:
    """The first of flavors, which come by size, that is large enough."""
    fitting = (
        flavor
        for flavor in flavors
        if flavor.ram >= release.min_ram and (flavor.disk == 0 or flavor.disk >= release.min_disk)
    )
    return next(fitting, None)
