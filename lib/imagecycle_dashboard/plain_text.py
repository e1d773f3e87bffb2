"""Text of foreign origin, made fit to be shown; escaping is the templates' part.

Control characters go, and characters that turn the direction of what follows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

LONGEST = 2000
_JOINERS = "\u200c\u200d"
"""Format characters that some scripts and emoji are written with"""
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and a symbol that nobody sees"""
_MOST_MARKS = 5
"""On one letter; a pile of them covers the lines around it"""


def plain(text: object, longest: int = LONGEST) -> str:
    """One line without control characters, cut where it becomes too long; nothing when nobody would
    see anything of it."""
    kept = "" if text is None else str(text)[: 4 * longest]
    if not (kept.isascii() and kept.isprintable()):
        kept = "".join(_kept(kept))
    line = " ".join(kept.split())
    if not line.strip(f" {_JOINERS}"):
        return ""
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}\u2026"


def _kept(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            yield _replacement(character, category)


def _replacement(character: str, category: str) -> str:
    if category in ("Cc", "Zl", "Zp") or character in _BLANKS:
        return " "
    if category == "Cf":
        return character if character in _JOINERS else ""
    if category in ("Cs", "Co", "Cn"):
        return "\ufffd"
    return character
