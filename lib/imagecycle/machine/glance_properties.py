"""Reading the Glance properties that name hardware, as Nova reads them."""

from __future__ import annotations

from collections.abc import Mapping

# oslo.utils' strutils.TRUE_STRINGS, by which Nova judges them
_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})


def is_on(properties: Mapping[str, str], name: str) -> bool:
    """Whether a property is there and says yes, in one of the words that Nova takes for it."""
    return properties.get(name, "").strip().lower() in _TRUE
