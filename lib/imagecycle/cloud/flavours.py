"""Nova's flavours, and which of them an image fits into."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imagecycle.cloud.errors import explained
from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError, UnknownName, UsageError

_PAGE = 1000
_GIB = 2**30


@dataclass(frozen=True)
class Flavour:
    """One of Nova's flavours; ``ram`` in MiB, ``disk`` in GiB."""

    id: str
    name: str
    ram: int
    disk: int
    vcpus: int

    def takes(self, image: Image) -> bool:
        """Whether a server of this flavour can start from an image."""
        needed = max(image.min_disk, math.ceil(image.size / _GIB))
        return self.ram >= image.min_ram and self.disk >= needed


def fitting(nova: Any, cloud: str, image: Image) -> Sequence[Flavour]:
    """Those that an image fits into, the smallest first.

    :param nova: openstacksdk's client.
    :raises ImagecycleError: when there is none.
    """
    found = _listed(nova, cloud)
    chosen = sorted(
        (one for one in found if one.takes(image)),
        key=lambda one: (one.ram, one.vcpus, one.disk, one.id),
    )
    if not chosen:
        raise ImagecycleError(
            f"{cloud}: none of {len(found)} flavours fits image {image.id}: it "
            f"needs {image.min_ram} MiB of memory and {image.min_disk} GiB of disk",
            hint="give this user a flavour that the image fits into",
        )
    return chosen


def named(nova: Any, cloud: str, name: str, image: Image) -> Flavour:
    """The one of a name or an id.

    :raises UnknownName: when there is none.
    :raises UsageError: when the image does not fit into it.
    """
    found = _listed(nova, cloud)
    chosen = next((one for one in found if name in (one.id, one.name)), None)
    if chosen is None:
        raise UnknownName(f"flavour in {cloud}", name, [one.name for one in found])
    # a flavour without a disk takes the image's own size
    if chosen.ram < image.min_ram or (chosen.disk and not chosen.takes(image)):
        raise UsageError(
            f"{cloud}: flavour {chosen.name} ({chosen.ram} MiB of memory, {chosen.disk} GiB of "
            f"disk) is too small for image {image.id}: it needs {image.min_ram} MiB and "
            f"{image.min_disk} GiB",
            hint="name a larger one, or none for the smallest that fits",
        )
    return chosen


def _listed(nova: Any, cloud: str) -> list[Flavour]:
    with explained(cloud, "list flavours"):
        return [
            Flavour(one.id, one.name, one.ram, one.disk, one.vcpus)
            for one in nova.flavors(limit=_PAGE)
        ]
