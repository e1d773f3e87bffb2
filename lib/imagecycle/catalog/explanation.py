"""``imagecycle list --explain``: which file and line each value of a family comes from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagecycle.yamlfile import Place, Spot, YamlFile


@dataclass(frozen=True)
class Origin:
    """One value, and where it stands."""

    place: str
    """``flavours.server.packages``"""
    value: str
    path: Path
    line: int


def origins(file: YamlFile, arch: str, flavour: str) -> list[Origin]:
    """The values that make up one family of a catalog file, in the file's order."""
    return [
        _origin(file, place, value)
        for place, value in _values(file.content, ())
        if _concerns(place, arch, _ancestry(file.content, flavour))
    ]


def _origin(file: YamlFile, place: Place, value: Any) -> Origin:
    spot: Spot = file.spot(place)
    text = ", ".join(_plain(one) for one in value) if isinstance(value, list) else _plain(value)
    return Origin(".".join(str(part) for part in place), text, spot.path, spot.line)


def _plain(value: Any) -> str:
    if isinstance(value, dict):  # an item of a list: a file, an explanation
        return str(next(iter(value.values()), ""))
    return "none" if value is None else str(value)


def _values(content: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if isinstance(content, dict) and content:
        for key, value in content.items():
            yield from _values(value, (*place, str(key)))
    else:
        yield place, content


def _ancestry(content: Any, flavour: str) -> set[str]:
    found: set[str] = set()
    flavours = content.get("flavours", {})
    name: str | None = flavour
    while name is not None and name not in found and name in flavours:
        found.add(name)
        name = flavours[name].get("extends")
    return found


def _concerns(place: Place, arch: str, flavours: set[str]) -> bool:
    if place[0] == "architectures":
        return place[1:2] == (arch,)
    return place[0] != "flavours" or place[1] in flavours


def as_table(found: Sequence[Origin]) -> str:
    """One line per value: its place in the family, the value, and the file with its line."""
    wide = max(len(origin.place) for origin in found)
    rows = [
        (origin.place.ljust(wide), f"{origin.path}:{origin.line}", origin.value) for origin in found
    ]
    where = max(len(row[1]) for row in rows)
    return "".join(f"{place}  {at.ljust(where)}  {value}\n" for place, at, value in rows)


def as_json(found: Sequence[Origin]) -> str:
    """The same, for programs."""
    values = [dataclasses.asdict(origin) for origin in found]
    return json.dumps(values, indent=2, default=str) + "\n"
