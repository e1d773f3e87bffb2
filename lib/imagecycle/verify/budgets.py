"""What a server at rest may cost."""

from __future__ import annotations

from imagecycle.model import Budgets, Family

MEMORY_SHARE = 0.6
"""Of the smallest memory that the image promises to run in, which it may use at rest"""
DISK_SHARE = 0.8


def of(family: Family, *, slowness: float = 1.0, boot_seconds: float = 0.0) -> Budgets:
    """The budgets of a family.

    :param slowness: how much longer a boot takes where it is booted.
    :param boot_seconds: what is said in the place of the family's own; 0: nothing.
    """
    said = family.budgets
    return Budgets(
        boot_seconds=boot_seconds or said.boot_seconds * slowness,
        memory_mib=said.memory_mib or round(family.min_ram_mib * MEMORY_SHARE),
        disk_mib=said.disk_mib or round(family.disk_gib * 1024 * DISK_SHARE),
    )
