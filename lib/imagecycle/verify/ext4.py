"""Whether the ext file systems on a disk were left clean, read from their superblocks.

The layout is that of the Linux kernel's documentation ("ext4 Data Structures
and Algorithms", "The Super Block").
"""

from __future__ import annotations

import struct
from pathlib import Path

from imagecycle.verify.sectors import partitions, read

_MAGIC = 0xEF53
_STATE_CLEAN = 0x1
_INCOMPAT_RECOVER = 0x4


def unclean(disk: Path) -> list[str]:
    """The partitions, such as ``partition 1``, whose ext file system needs a check or recovery."""
    found = []
    for number, start in partitions(read(disk, 0, 64)):
        superblock = read(disk, start + 2, 2)
        if struct.unpack_from("<H", superblock, 56)[0] != _MAGIC:
            continue
        state = struct.unpack_from("<H", superblock, 58)[0]
        incompatible = struct.unpack_from("<I", superblock, 96)[0]
        if not state & _STATE_CLEAN or incompatible & _INCOMPAT_RECOVER:
            found.append(f"partition {number}")
    return found
