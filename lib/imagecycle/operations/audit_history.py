"""What was changed, from a cloud's audit log: by image, the newest first."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SHOWN = ("at", "command", "what", "why", "image")


def by_image(path: Path, most: int) -> dict[str, list[dict[str, Any]]]:
    """The last changes of each image.

    A change whose end is missing is one that imagecycle did not live to see the end of. A line that
    makes no sense is left out.

    :param path: the audit log; none is as good as an empty one.
    :param most: how many changes are told of one image.
    """
    found: dict[str, collections.OrderedDict[str, dict[str, Any]]] = {}
    for entry in _entries(path):
        changes = found.setdefault(str(entry["image"]), collections.OrderedDict())
        change = changes.setdefault(str(entry["change"]), {})
        if not change:
            who = entry.get("who")
            user = who.get("user") if isinstance(who, dict) else None
            change |= {name: str(entry.get(name, "")) for name in _SHOWN}
            change |= {"who": str(user or ""), "outcome": "unfinished", "error": ""}
        if entry["event"] != "begun":
            change["outcome"] = str(entry["event"])
            change["error"] = str(entry.get("error", ""))
        while len(changes) > most:
            changes.popitem(last=False)
    return {image: list(reversed(changes.values())) for image, changes in found.items()}


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    try:
        stream = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    with stream:
        for line in stream:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and {"change", "event", "image", "at"} <= entry.keys():
                yield entry
