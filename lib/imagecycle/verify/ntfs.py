"""Whether the NTFS file systems on a disk were left clean, as the flag of their volumes says.

The layout is that of the Linux kernel's documentation and of ntfs-3g's ``layout.h``: the boot
sector, the fourth record of the master file table, its attribute ``$VOLUME_INFORMATION``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from imagecycle.verify.sectors import SECTOR, partitions, read

_VOLUME_RECORD = 3
_VOLUME_INFORMATION = 0x70
_END = 0xFFFFFFFF
_DIRTY = 0x1


def unclean(disk: Path) -> Iterator[str]:
    """The partitions, such as ``partition 3``, that Windows would check at its next start."""
    for number, start in partitions(read(disk, 0, 64)):
        boot = read(disk, start, 1)
        if boot[3:11] != b"NTFS    ":
            continue
        record = _record(disk, start, boot, _VOLUME_RECORD)
        if _flags(record) & _DIRTY:
            yield f"partition {number}"


def _record(disk: Path, start: int, boot: bytes, number: int) -> bytes:
    """One record of the master file table."""
    sector, per_cluster = struct.unpack_from("<HB", boot, 11)
    if per_cluster > 128:  # a power of two, negative
        per_cluster = 1 << (256 - per_cluster)
    cluster = sector * per_cluster
    table = struct.unpack_from("<Q", boot, 48)[0] * cluster
    size = struct.unpack_from("<b", boot, 64)[0]
    length = 1 << -size if size < 0 else size * cluster
    at = start * SECTOR + table + number * length
    return read(disk, at // SECTOR, max(1, length // SECTOR))


def _flags(record: bytes) -> int:
    if record[:4] != b"FILE":
        return _DIRTY
    at = struct.unpack_from("<H", record, 20)[0]
    while at + 8 <= len(record):
        kind, length = struct.unpack_from("<II", record, at)
        if kind == _END or length == 0:
            break
        if kind == _VOLUME_INFORMATION:
            offset = struct.unpack_from("<H", record, at + 20)[0]
            return int(struct.unpack_from("<H", record, at + offset + 10)[0])
        at += length
    return _DIRTY
