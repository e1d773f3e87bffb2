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


def smallest(flavors: Iterable[Flavor], release: Release) -> Flavor | None:
    """The flavor with the least memory, then disk, then processors, that is large enough."""
    fitting = [
        flavor
        for flavor in flavors
        if flavor.ram >= release.min_ram and (flavor.disk == 0 or flavor.disk >= release.min_disk)
    ]
    return min(fitting, key=lambda one: (one.ram, one.disk, one.vcpus, one.name), default=None)
