"""Why a build is due: which of its inputs have changed since the newest release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imagecycle.build import inputs, installation
from imagecycle.build.media import Source
from imagecycle.model import Family

_LONG = ("unattended",)
"""Inputs that a record names by their digest"""
_THROUGH_OZ = {"through": "oz"}
"""What a record means that says nothing of the builder"""


def recorded(family: Family, source: Source, compression: str) -> dict[str, Any]:
    """All inputs of a build by name, as ``build.json`` keeps them."""
    found: dict[str, Any] = {
        **_THROUGH_OZ,
        **installation.depends_on(family, source),
        **inputs.of_flavour(family, compression),
        "media": dict(source.ingredients) or {"medium": source.digest},
        "files": {file.path: inputs.digest_of(inputs.of_file(file)) for file in family.files},
    }
    return {
        name: inputs.digest_of(value) if name in _LONG else _plain(value)
        for name, value in found.items()
    }


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between the recorded inputs of two builds, a line for each."""
    before = {**_THROUGH_OZ, **before}
    return [
        f"{name}: {said}"
        for name in now
        if before.get(name) != now[name]
        for said in _change(name, before.get(name), now[name])
    ]


def tools(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Versions of tools that differ; no build is made for them alone."""
    return [
        f"tool: {name} is {now[name]}, was {before[name]}; no build is made for this alone"
        for name in now
        if name in before and before[name] != now[name]
    ]


def _change(name: str, before: object, now: object) -> Iterator[str]:
    if isinstance(now, Mapping):
        there = before if isinstance(before, Mapping) else {}
        yield from _of_sets(list(there), list(now))
        yield from (f"{key} has changed" for key in now if key in there and there[key] != now[key])
    elif name == "packages" and isinstance(now, Sequence) and isinstance(before, Sequence):
        yield from _of_sets(before, now)
    elif name in _LONG or name == "commands":
        yield "changed"
    elif before is None:
        yield f"now {_words(now)}"
    else:
        yield f"now {_words(now)}, was {_words(before)}"


def _of_sets(before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    yield from (f"{one} is new" for one in now if one not in before)
    yield from (f"{one} is gone" for one in before if one not in now)
    if before != now and sorted(before) == sorted(now):
        yield "in another order"


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
