"""The packages that the small installer of an embedded install tree puts on every system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_FILE = Path(__file__).parent / "installer" / "packages"
_LINE = re.compile(r"(?P<name>\S+)(?: \[(?P<architectures>[^]]+)\])?(?: <(?P<versions>[^>]+)>)?")


def select(architecture: str, codename: str, file: Path = _FILE) -> list[str]:
    """The packages of one architecture (``amd64``) and one version (``bookworm``)."""
    return list(_selected(file.read_text(), architecture, codename))


def _selected(text: str, architecture: str, codename: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        assert found is not None, line
        if _fits(found["architectures"], architecture) and _fits(found["versions"], codename):
            yield found["name"]


def _fits(restriction: str | None, word: str) -> bool:
    """``a b``: one of these; ``!a !b``: none of these."""
    if restriction is None:
        return True
    words = restriction.split()
    if all(one.startswith("!") for one in words):
        return f"!{word}" not in words
    return word in words
