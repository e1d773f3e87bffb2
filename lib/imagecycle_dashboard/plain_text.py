"""Text of foreign origin, made fit to be shown; escaping is the templates' part.

Control characters go, and characters that turn the direction of what follows.
"""

from __future__ import annotations

import unicodedata

LONGEST = 2000
_JOINERS = "\u200c\u200d"
"""Format characters that some scripts and emoji are written with"""


def plain(text: object, longest: int = LONGEST) -> str:
    """One line without control characters, cut where it becomes too long."""
    kept = "".join(_replacement(character) for character in str(text)[: 4 * longest])
    line = " ".join(kept.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}\u2026"


def _replacement(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if category == "Cf":
        return character if character in _JOINERS else ""
    if category in ("Cs", "Co", "Cn"):
        return "\ufffd"
    return character
