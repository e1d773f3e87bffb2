"""What libosinfo's database knows of install media: by their labels and publishers.

``osinfo-detect`` comes with Debian's ``libosinfo-bin``. The database is as old as the package
``osinfo-db``, and knows nothing of what has come since.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.errors import CommandFailed

PROGRAM = "osinfo-detect"
LIMIT = 60.0
_SAID = re.compile(r"^Media is (?:an installer|live media) for OS '(.+)'$", re.MULTILINE)
_ARCH = re.compile(r" \((\w+)\)$")
_VERSION = re.compile(r"^(\D+?) (\d[\d.]*)(?: SP(\d+))?\b")


@dataclass(frozen=True)
class Known:
    """A system of the database; ``version`` and ``arch`` are empty where they are not known."""

    name: str
    """``Rocky Linux``"""
    version: str
    arch: str


def available() -> bool:
    """Whether it can be asked."""
    return shutil.which(PROGRAM) is not None


def detect(iso: Path) -> Known | None:
    """What an ISO image is; None where it is not known, or cannot be asked for."""
    if not available():
        return None
    try:
        said = command.run([PROGRAM, iso], timeout=LIMIT, env={"LC_ALL": "C.UTF-8"}).stdout
    except CommandFailed:
        return None
    return read(said)


def read(said: str) -> Known | None:
    """The answer of the program, such as ``Media is an installer for OS 'Debian 11 (x86_64)'``."""
    found = _SAID.search(said)
    if found is None:
        return None
    arch = _ARCH.search(found[1])
    name = _ARCH.sub("", found[1])
    versioned = _VERSION.match(name)
    if versioned is None:
        return Known(name, "", arch[1] if arch else "")
    version = ".".join(filter(None, versioned.groups()[1:]))
    return Known(versioned[1], version, arch[1] if arch else "")
