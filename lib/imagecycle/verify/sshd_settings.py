"""The settings of the SSH server on a disk; see sshd_config(5)."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass

from imagecycle.verify.pristine import Pristine

FILE = "/etc/ssh/sshd_config"
_DEEPEST = 16


@dataclass(frozen=True)
class Setting:
    """A keyword in small letters, its value, and the file that says so."""

    keyword: str
    value: str
    path: str
    match: str = ""
    """The condition of its Match block; empty for all"""


def settings(pristine: Pristine) -> list[Setting]:
    """All settings, in the order in which the server reads them."""
    return list(_read(pristine, FILE, 0))


def effective(found: list[Setting]) -> dict[str, Setting]:
    """What holds for everybody: the first value of each keyword."""
    held: dict[str, Setting] = {}
    for one in found:
        if not one.match:
            held.setdefault(one.keyword, one)
    return held


def _read(pristine: Pristine, path: str, depth: int) -> Iterator[Setting]:
    match = ""
    for _, line in pristine.lines(path):
        keyword, _, value = re.sub(r"\s*=\s*|\s+", " ", line, count=1).partition(" ")
        keyword, value = keyword.lower(), " ".join(value.split()).strip('"')
        if keyword == "match":
            match = "" if value.lower() == "all" else value
        elif keyword == "include" and depth < _DEEPEST:
            for pattern in value.split():
                place = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
                for included in fnmatch.filter(pristine.entries, place):
                    yield from _read(pristine, included, depth + 1)
        else:
            yield Setting(keyword, value, path, match)
