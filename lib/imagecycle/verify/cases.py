"""The ways in which a cloud may boot an image: what the matrix of a verification is made of.

A case is one machine: its hardware, where it is told about itself, and its lives after the first
boot. The cheapest cover is two machines as a family's Glance properties ask for them, one for each
of its firmwares. The full matrix varies what the catalog's ``matrix`` names, or else what the
properties leave open, so that every two values meet in some machine.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagecycle.machine import platforms
from imagecycle.machine.hardware import CONFIG_DRIVE_SOURCE, METADATA_SERVICE
from imagecycle.model import Family

INSTANCE = "instance"
TWIN = "twin"
CHEAPEST, FULL = "cheapest", "full"
MATRICES = (CHEAPEST, FULL)

REBOOT = "reboot"
HARD_RESET = "hard-reset"
OTHER_HOST = "other-host"
SNAPSHOT = "snapshot"
LIVES = (REBOOT, HARD_RESET, SNAPSHOT, OTHER_HOST)
"""In this order. The last two follow the power button. A snapshot is a new instance, booted from
what the instance has left on its disk. On another host, the same instance has another card and
another machine, a larger disk and more memory."""

SECOND_DISK = 2**30
"""Bytes of a disk beside the root disk"""
GROWTH = 2 * 2**30
"""Bytes by which a disk is larger than the image, to see that the file system grows"""

OF_OPENSTACK = (CONFIG_DRIVE_SOURCE, METADATA_SERVICE)
"""Where instances in OpenStack are told about themselves"""
_DISK_BUSES = ("virtio", "scsi")


@dataclass(frozen=True)
class Case:
    """One machine of the matrix."""

    name: str
    """Also its name for ssh"""
    firmware: str
    properties: Mapping[str, str] = field(default_factory=dict)
    """Glance properties that choose its hardware"""
    processors: int = 1
    source: str = CONFIG_DRIVE_SOURCE
    growth: int = GROWTH
    """Bytes by which its disk is larger than the image"""
    second_card: bool = False
    second_disk: bool = False
    stateful_ipv6: bool = False
    """Its address of IPv6 is to be had from DHCPv6 alone"""
    lives: tuple[str, ...] = ()
    brief: bool = False
    """It ends at its login: what it shows until then is enough"""
    arch: str = platforms.X86_64

    @property
    def title(self) -> str:
        """For people: ``UEFI, q35, virtio disk, config drive, 1 processor``."""
        first = platforms.of(self.arch).machines[0]
        machine = self.properties.get("hw_machine_type", first)
        bus = self.properties.get("hw_disk_bus", "virtio")
        parts = [self.firmware.upper(), machine, f"{bus} disk", self.source]
        parts.append(f"{self.processors} processor{'s' if self.processors > 1 else ''}")
        if not self.growth:
            parts.append("disk as large as the image")
        if self.second_card:
            parts.append("two network cards")
        if self.second_disk:
            parts.append("two disks")
        if self.stateful_ipv6:
            parts.append("IPv6 by DHCPv6")
        return ", ".join(parts)


def of(family: Family, matrix: str, processors: int) -> tuple[Case, ...]:
    """The cases of a family; the first two are those that most checks look at.

    :param processors: how many a machine may have here.
    """
    first, last = family.firmware[0], family.firmware[-1]
    if matrix != FULL:
        own, two = dict(family.properties), _wants_two_disks(family)
        return (
            Case(INSTANCE, first, own, processors, second_disk=two, arch=family.arch),
            Case(TWIN, last, own, brief=True, arch=family.arch),
        )
    return tuple(_full(family))


def _full(family: Family) -> Iterator[Case]:
    known = platforms.of(family.arch).machines
    wanted = [name for name in family.matrix.machine_types if name in known]
    machines = wanted or _said(family, "hw_machine_type", known)
    rows = covering(
        family.firmware,
        machines,
        disk_buses(family),
        family.matrix.sources or _sources(family),
        (1, 2),
        (GROWTH, 0),
        (False, True),
        (False, True),
    )
    for number, row in enumerate(rows):
        firmware, machine, bus, source, processors, growth, second_card, stateful = row
        names = {0: INSTANCE, 1: TWIN}
        yield Case(
            name=names.get(number, f"case-{number + 1}"),
            firmware=firmware,
            properties={
                **family.properties,
                "hw_machine_type": machine,
                "hw_disk_bus": bus,
            },
            processors=processors,
            source=source,
            growth=growth,
            second_card=second_card,
            second_disk=number == 0 and _wants_two_disks(family),
            stateful_ipv6=stateful,
            arch=family.arch,
            lives=LIVES if number == 0 else (REBOOT,) if number == 1 else (),
        )


def _wants_two_disks(family: Family) -> bool:
    """Windows may leave a disk that it meets offline; other systems have no such rule."""
    return family.windows is not None


def _sources(family: Family) -> tuple[str, ...]:
    """A Windows without a config drive makes up its password, and posts it where only its user can
    read it: nobody here could look into it."""
    return OF_OPENSTACK if family.windows is None else (CONFIG_DRIVE_SOURCE,)


def disk_buses(family: Family) -> tuple[str, ...]:
    """Those that a cloud may attach the root disk to, in Nova's words."""
    return family.matrix.disk_buses or _said(family, "hw_disk_bus", _DISK_BUSES)


def _said(family: Family, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    value = family.properties.get(name)
    return (value,) if value is not None else known


def covering(*dimensions: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Few rows in which any two values of two dimensions meet; the first row has the first values.

    Each row is the one that brings most pairs that have not met yet.
    """
    rows = list(itertools.product(*dimensions))
    missing = {pair for row in rows for pair in _pairs(row)}
    chosen = [rows[0]]
    missing -= _pairs(rows[0])
    while missing:
        last = chosen[-1]
        # of equal ones, the one that differs most from the last
        best = max(
            rows,
            key=lambda row: (
                len(_pairs(row) & missing),
                sum(a != b for a, b in zip(row, last, strict=True)),
            ),
        )
        chosen.append(best)
        missing -= _pairs(best)
    return chosen


def _pairs(row: tuple[Any, ...]) -> set[tuple[Any, ...]]:
    return set(itertools.combinations(enumerate(row), 2))
