"""A vendor's list of checksums, whose signature :mod:`imagecycle.systems.openpgp` has checked."""

from __future__ import annotations

import re
from pathlib import Path

from imagecycle.errors import ImagecycleError, suggestion

_LINES = (
    re.compile(r"^(?P<sum>[0-9a-fA-F]{64})[ \t]+\*?(?:\./)?(?P<name>\S.*?)\s*$", re.MULTILINE),
    re.compile(r"^SHA256 \((?P<name>[^)]+)\) = (?P<sum>[0-9a-fA-F]{64})\s*$", re.MULTILINE),
)


def find(text: str, name: str) -> str:
    """The SHA-256 checksum of a file in a list.

    :raises ImagecycleError: when the file is not in it.
    """
    sums = {
        Path(found["name"]).name: found["sum"].lower()
        for line in _LINES
        for found in line.finditer(text)
    }
    if name not in sums:
        raise ImagecycleError(
            f"the list of checksums has no SHA-256 of {name}{suggestion(name, sums)}",
            hint="compare `url` and `checksums` in the catalog; they belong to one release",
        )
    return sums[name]
