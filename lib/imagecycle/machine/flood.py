"""What a machine writes without end: of a log that floods, beginning and end are kept."""

from __future__ import annotations

from pathlib import Path

from imagecycle import command

KEPT = 16 * 2**20
"""Bytes at the beginning, and at the end, of what a machine says or sends"""
_BLOCK = 2**12
_LIMIT = 60.0


def forget_middle(log: Path, kept: int = KEPT) -> None:
    """Give back the room of what lies between, once that is much.

    Whoever writes to the log goes on where he is; whoever reads finds zeros. Nothing happens where
    the file system knows of no holes.
    """
    try:
        status = log.stat()
    except FileNotFoundError:
        return
    start, end = (at // _BLOCK * _BLOCK for at in (kept, status.st_size - kept))
    if end - start > kept and status.st_blocks * 512 > 3 * kept:
        argv = ["fallocate", "--punch-hole", "--offset", str(start), "--length", str(end - start)]
        command.run([*argv, log], timeout=_LIMIT, check=False)
