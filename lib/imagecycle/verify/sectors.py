"""Sectors of a disk, and where its partitions begin.

The layout is that of the UEFI specification ("GUID Partition Table").
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from imagecycle import command

SECTOR = 512
_PROTECTIVE = 0xEE


def partitions(head: bytes) -> Iterator[tuple[int, int]]:
    """Numbers and first sectors, from the first 64 sectors of a disk."""
    kinds = [(head[446 + 16 * n + 4], 446 + 16 * n + 8) for n in range(4)]
    if kinds[0][0] != _PROTECTIVE:
        for number, (kind, offset) in enumerate(kinds, start=1):
            if kind:
                yield number, struct.unpack_from("<I", head, offset)[0]
        return
    first, count, size = struct.unpack_from("<QII", head, SECTOR + 72)
    for number in range(1, count + 1):
        offset = first * SECTOR + (number - 1) * size
        entry = head[offset : offset + size]
        if len(entry) == size and any(entry[:16]):
            yield number, struct.unpack_from("<Q", entry, 32)[0]


def read(disk: Path, sector: int, count: int) -> bytes:
    """Sectors of a qcow2 disk, as its guest sees them."""
    with tempfile.NamedTemporaryFile(dir=disk.parent) as part:
        argv = ["qemu-img", "dd", "-f", "qcow2", "-O", "raw", f"bs={SECTOR}"]
        # qemu-img counts from the start of the input, so that count includes what is skipped.
        argv += [f"skip={sector}", f"count={sector + count}", f"if={disk}", f"of={part.name}"]
        command.run(argv, timeout=60)
        return Path(part.name).read_bytes()[: count * SECTOR]
