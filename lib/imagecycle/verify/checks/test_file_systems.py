"""The disk is sound: its partitions, and the file systems on them."""

import binascii
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from imagecycle.build.partitions import FileSystem, file_systems, partitions
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

SECTOR = 512
LVM = "/etc/lvm/{*.conf,profile/*}"
RAID = "/etc/{mdadm.conf,mdadm/mdadm.conf,mdadm.conf.d/*,mdadm/mdadm.conf.d/*}"
_FILTER = re.compile(r"(?ms)^\s*(?:devices/)?((?:global_)?filter)\s*=\s*(\[.*?\]|\"[^\"\n]*\")")
_RULE = re.compile(r"([\"'])([ar])(.)(.*?)\3\1")
"""Accept or reject, between two of any character; see lvm.conf(5)"""
_ALL = re.compile(r"\^?(/dev/)?\.\*\$?|")
LEAST_FREE = 0.05
"""The part of a file system that must be free before it grows"""


def test_are_clean(pristine: Pristine, defects: Defects) -> None:
    """The first start repairs the file system, or goes on read-only."""
    assert defects(_unclean(pristine)) == []


def _unclean(pristine: Pristine) -> Iterator[Finding]:
    for one in file_systems(pristine.disk):
        if one.kind.startswith("ext"):
            block = _superblock(pristine.disk, one)
            (state,) = struct.unpack_from("<H", block, 58)
            (incompatible,) = struct.unpack_from("<I", block, 96)
            (errors,) = struct.unpack_from("<I", block, 404)
            what = f"partition {one.partition.number}"
            if state & 2 or errors:
                yield Finding(what, "is marked as having errors")
            elif not state & 1:
                yield Finding(what, "was not unmounted")
            if incompatible & 4:
                yield Finding(what, "has a journal to be replayed")
        elif one.kind == "xfs":
            with pristine.disk.open("rb") as stream:
                stream.seek(one.partition.start + 126)
                if stream.read(1) != b"\0":  # sb_inprogress
                    yield Finding(f"partition {one.partition.number}", "was not made to its end")


def test_survive_a_power_cut(pristine: Pristine, defects: Defects) -> None:
    """After a hard reset, or when its host fails, a server loses files, or all of them."""
    extended = [one for one in file_systems(pristine.disk) if one.kind in ("ext3", "ext4", "ext2")]
    assert (
        defects(
            Finding(f"partition {one.partition.number}", "has no journal")
            for one in extended
            if not struct.unpack_from("<I", _superblock(pristine.disk, one), 92)[0] & 4
        )
        == []
    )


def test_are_not_checked_now_and_then(pristine: Pristine, defects: Defects) -> None:
    """Some day a restart takes minutes, or hours on a large disk, for nothing."""
    assert defects(_checked(pristine)) == []


def _checked(pristine: Pristine) -> Iterator[Finding]:
    for one in file_systems(pristine.disk):
        if one.kind.startswith("ext"):
            block = _superblock(pristine.disk, one)
            (most,) = struct.unpack_from("<h", block, 54)
            (interval,) = struct.unpack_from("<I", block, 68)
            what = f"partition {one.partition.number}"
            if most > 0:
                yield Finding(what, f"is checked after {most} mounts")
            if interval:
                yield Finding(what, f"is checked after {interval // 86400} days")


def test_have_room(pristine: Pristine, defects: Defects) -> None:
    """A server whose disk is as large as the image has no room for its first log."""
    assert defects(_full(pristine)) == []


def _full(pristine: Pristine) -> Iterator[Finding]:
    for one in file_systems(pristine.disk):
        if one.kind.startswith("ext"):
            block = _superblock(pristine.disk, one)
            inodes, blocks = struct.unpack_from("<II", block, 0)
            free_blocks, free_inodes = struct.unpack_from("<II", block, 12)
            what = f"partition {one.partition.number}"
            if free_blocks < blocks * LEAST_FREE:
                yield Finding(what, f"has {free_blocks * 100 // blocks} % of its blocks free")
            if free_inodes < inodes * LEAST_FREE:
                yield Finding(what, f"has {free_inodes * 100 // inodes} % of its inodes free")


def _superblock(disk: Path, one: FileSystem) -> bytes:
    """See the kernel's documentation, "ext4 Data Structures and Algorithms", "The Super Block"."""
    with disk.open("rb") as stream:
        stream.seek(one.partition.start + 1024)
        return stream.read(1024)


def test_fit_their_partitions(pristine: Pristine, defects: Defects) -> None:
    """The root file system is cut off, or another partition keeps it from growing."""
    assert defects(_misfits(pristine)) == []


def _misfits(pristine: Pristine) -> Iterator[Finding]:
    size = pristine.disk.stat().st_size
    known = partitions(pristine.disk)
    for one in file_systems(pristine.disk):
        if one.kind.startswith("ext"):
            block = _superblock(pristine.disk, one)
            (blocks,) = struct.unpack_from("<I", block, 4)
            (exponent,) = struct.unpack_from("<I", block, 24)
            if blocks * (1024 << exponent) > one.partition.size:
                yield Finding(
                    f"partition {one.partition.number}", "is smaller than its file system"
                )
    for part in known:
        if part.start + part.size > size:
            yield Finding(f"partition {part.number}", "ends behind the disk")
    if known:
        largest = max(known, key=lambda part: part.size)
        if any(part.start > largest.start for part in known):
            yield Finding(f"partition {largest.number}", "cannot grow: another one is behind it")


def test_partition_table_is_whole(pristine: Pristine, defects: Defects) -> None:
    """Firmware refuses the disk, or the root file system cannot grow."""
    assert defects(_table(pristine.disk)) == []


def _table(disk: Path) -> Iterator[Finding]:
    """See the UEFI specification, "GUID Partition Table (GPT) Disk Layout"."""
    last = disk.stat().st_size // SECTOR - 1
    with disk.open("rb") as stream:
        stream.seek(SECTOR)
        first = stream.read(SECTOR)
        if first[:8] != b"EFI PART":
            if not partitions(disk):
                yield Finding("partition table", "is missing")
            return
        stream.seek(last * SECTOR)
        backup = stream.read(SECTOR)
    for where, header in (("partition table", first), ("its backup", backup)):
        if header[:8] != b"EFI PART":
            yield Finding(where, "is not where it belongs: the disk was cut off or made larger")
            continue
        (length, checksum) = struct.unpack_from("<II", header, 12)
        body = header[:16] + b"\0" * 4 + header[20:length]
        if binascii.crc32(body) != checksum:
            yield Finding(where, "has a wrong checksum")


def test_are_looked_for_on_every_disk(pristine: Pristine, defects: Defects) -> None:
    """A volume that a user attaches is never found: only the builder's disks are looked at."""
    assert defects([*_filtered(pristine), *_listed(pristine)]) == []


def _filtered(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.filled(LVM):
        text = re.sub(r"(?m)#.*$", "", pristine.text(path)) if path in pristine.foreign else ""
        for name, said in _FILTER.findall(text):
            rules = [(kind, place) for _, kind, _, place in _RULE.findall(said)]
            if any(kind == "r" and _ALL.fullmatch(place) for kind, place in rules):
                accepted = [place for kind, place in rules if kind == "a"]
                yield Finding(
                    path, f"{name} lets LVM see {' and '.join(accepted) or 'nothing'} alone"
                )


def _listed(pristine: Pristine) -> Iterator[Finding]:
    for path, line in pristine.lines(RAID):
        if path in pristine.foreign and re.match(r"(?i)DEVICE\s+/dev/", line):
            yield Finding(path, f"says {line}")
