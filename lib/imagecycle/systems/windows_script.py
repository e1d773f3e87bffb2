"""The scripts that imagecycle runs in Windows, by name."""

from __future__ import annotations

import functools
from pathlib import Path

FOLDER = Path(__file__).parent / "windows_scripts"


@functools.cache
def text(name: str) -> str:
    """A script with plain ends of lines, such as ``activation.ps1``."""
    return (FOLDER / name).read_text(encoding="utf-8")


def names(ending: str) -> tuple[str, ...]:
    """All scripts of a kind, such as ``.ps1``."""
    return tuple(sorted(path.name for path in FOLDER.glob(f"*{ending}")))
