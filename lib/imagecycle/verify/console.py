"""What a machine says on its serial console."""

from __future__ import annotations

import re
from pathlib import Path

KEPT_BYTES = 8 * 2**20
"""More than any boot prints; the rest of an endless log is left out."""

_ESCAPES = re.compile(
    r"\x1b\[[0-9;:?=]*[A-Za-z]"
    r"|\x1b[\]PX^_][^\x07\x1b\n]{0,1000}(?:\x07|\x1b\\)?"  # up to its end: a title, say
    r"|\x1b[()][A-Z0-9]|\x1b[=>c78]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # whatever else of it a terminal might obey
)
JOB = re.compile(
    r"(?:A (?:start|stop) job is running for|Job) (?P<unit>\S.{0,200}?) (?:running )?"
    r"\((?:(?P<minutes>\d{1,6})min )?(?P<seconds>\d{1,6})s / (?P<limit>[^)\n]{1,40})\)"
)
"""systemd's counters: what is waited for, how long already, and the limit"""
_PROGRESS = re.compile(rf"^.*{JOB.pattern}.*$", re.MULTILINE)


def plain(text: str) -> str:
    """A text without what only a terminal understands."""
    return _ESCAPES.sub("", text)


def telling(text: str) -> str:
    """A plain text without systemd's counters, which go on while nothing happens."""
    return _PROGRESS.sub("", text).strip()


def read(path: Path, start: int = 0, end: int | None = None) -> str:
    """The plain text of a console log, or of a part of it; empty if there is none.

    A line that was drawn again with carriage returns appears once for each drawing.
    """
    length = KEPT_BYTES if end is None else min(end - start, KEPT_BYTES)
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            raw = stream.read(length)
    except FileNotFoundError:
        return ""
    return plain(raw.decode(errors="replace"))


class Reader:
    """Follows a log as it grows, each byte once."""

    CHUNK = 2**18
    """Bytes read at a time; of a log that floods, only the end is looked at"""

    def __init__(self, path: Path, *, from_now: bool = False) -> None:
        self._path = path
        self._seen = path.stat().st_size if from_now and path.exists() else 0

    def fresh(self) -> str:
        """The plain text that has come since the last call."""
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return ""
        if size == self._seen:
            return ""
        if size - self._seen > 4 * self.CHUNK:
            self._seen = size - self.CHUNK
        with self._path.open("rb") as stream:
            stream.seek(self._seen)
            raw = stream.read(self.CHUNK)
        self._seen += len(raw)
        return plain(raw.decode(errors="replace"))
