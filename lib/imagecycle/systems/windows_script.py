"""The scripts that imagecycle runs in Windows, by name."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "windows_scripts"


@functools.cache
def text(name: str) -> str:
    """A script with plain ends of lines, such as ``activation.ps1``."""
    return (FOLDER / name).read_text(encoding="utf-8")


def copy(name: str, target: Path) -> None:
    """Write a script as Windows reads it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text(name), encoding="ascii", newline="\r\n")


def digest() -> str:
    """The SHA-256 digest of all scripts together."""
    found = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def names(ending: str) -> tuple[str, ...]:
    """All scripts of a kind, such as ``.ps1``."""
    return tuple(sorted(path.name for path in FOLDER.glob(f"*{ending}")))
