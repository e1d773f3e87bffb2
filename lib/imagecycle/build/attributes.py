"""What file systems keep of a file beside its permissions; see chattr(1), acl(5)."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

ACCESS_LISTS = ("system.posix_acl_access", "system.posix_acl_default")
_HERE, _NOT_OVER_LINKS = -100, 0x100
_SIZE, _OFFSET = 256, 8
_IMMUTABLE, _ONLY_GROWS = 0x10, 0x20
"""Of statx(2): AT_FDCWD, AT_SYMLINK_NOFOLLOW, struct statx, STATX_ATTR_IMMUTABLE and _APPEND"""


def is_locked(path: str) -> bool:
    """Whether not even root can change a file or folder; False where that cannot be told."""
    call = _statx()
    held = ctypes.create_string_buffer(_SIZE)
    if call is None or call(_HERE, os.fsencode(path), _NOT_OVER_LINKS, 0, held) != 0:
        return False
    found = int.from_bytes(held.raw[_OFFSET : _OFFSET + 8], "little")
    return bool(found & (_IMMUTABLE | _ONLY_GROWS))


def has_access_list(path: str) -> bool:
    """Whether others than its permissions say may read or change a file."""
    try:
        return not {*ACCESS_LISTS}.isdisjoint(os.listxattr(path, follow_symlinks=False))
    except OSError:  # it is gone, or the file system knows of none
        return False


@cache
def _statx() -> Any:
    """The C library's function, which Python does not offer; None where it has none."""
    return getattr(ctypes.CDLL(None), "statx", None)
