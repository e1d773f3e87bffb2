"""What two releases of a family do not have in common, as far as their images tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from imagecycle_dashboard.releases import Release

_COMPARED = (
    *("built_at", "checks", "size", "min_disk", "min_ram", "login", "end_of_support"),
    *("description", "title"),
)


@dataclass(frozen=True)
class Difference:
    """One of them; None where a release does not tell."""

    what: str
    """The name of a field of a release, or of a property"""
    before: Any
    after: Any
    is_property: bool


def differences(before: Release, after: Release) -> list[Difference]:
    """The fields first, then the properties by their names."""
    return [*_fields(before, after), *_properties(before, after)]


def _fields(before: Release, after: Release) -> Iterator[Difference]:
    for name in _COMPARED:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Difference(name, old or None, new or None, is_property=False)


def _properties(before: Release, after: Release) -> Iterator[Difference]:
    for name in sorted({*before.facts, *after.facts}):
        old, new = before.facts.get(name), after.facts.get(name)
        if old != new and name != "imagecycle_disk_sha512":
            yield Difference(name, old, new, is_property=True)
