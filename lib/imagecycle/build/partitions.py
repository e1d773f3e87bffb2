"""The partitions of a raw disk, and the file systems on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from imagecycle import command

TIME_LIMIT = 30.0


@dataclass(frozen=True)
class Partition:
    """Where a partition is, in bytes."""

    number: int
    start: int
    size: int
    uuid: str = ""
    """In small letters, as the system shows it; empty in a table of DOS's kind"""
    label: str = ""


@dataclass(frozen=True)
class FileSystem:
    """What is on a partition, in the words of blkid."""

    partition: Partition
    kind: str
    uuid: str
    label: str


@cache
def partitions(disk: Path) -> tuple[Partition, ...]:
    """The partition table of a raw disk that does not change; empty where there is none."""
    return _partitions(disk)


def _partitions(disk: Path) -> tuple[Partition, ...]:
    shown = command.run(["sfdisk", "--json", disk], timeout=TIME_LIMIT, check=False)
    if shown.returncode:
        return ()
    table = json.loads(shown.stdout)["partitiontable"]
    unit = int(table.get("sectorsize", 512))
    return tuple(
        Partition(
            number=int(one["node"].removeprefix(str(disk)).lstrip("p") or 0),
            start=int(one["start"]) * unit,
            size=int(one["size"]) * unit,
            uuid=str(one.get("uuid", "")).lower(),
            label=str(one.get("name", "")),
        )
        for one in table.get("partitions", [])
    )


@cache
def file_systems(disk: Path) -> tuple[FileSystem, ...]:
    """What is on the partitions of a raw disk that does not change; see :func:`found`."""
    return found(disk)


def found(disk: Path) -> tuple[FileSystem, ...]:
    """What is on the partitions of a raw disk, or on the disk as a whole."""
    whole = Partition(0, 0, disk.stat().st_size)
    probed = ((one, _probed(disk, one)) for one in _partitions(disk) or (whole,))
    return tuple(
        FileSystem(
            partition=one,
            kind=said["TYPE"],
            uuid=said.get("UUID", ""),
            label=said.get("LABEL", ""),
        )
        for one, said in probed
        if "TYPE" in said
    )


def _probed(disk: Path, partition: Partition) -> dict[str, str]:
    where = [f"--offset={partition.start}", f"--size={partition.size}"]
    argv = ["blkid", "--probe", *where, "--output", "export", str(disk)]
    lines = command.run(argv, timeout=TIME_LIMIT, check=False).stdout.splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}
