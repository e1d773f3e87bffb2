"""Who was told what: a file of JSON lines for each cloud, in the site's home.

A line is written and brought to the disk as soon as a message has gone out, so that a run which
breaks off is finished by the next one and nobody is told twice.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Sequence
from pathlib import Path

from imagecycle.errors import ImagecycleError
from imagecycle.notices.messages import Affected, Message


class NoticeLog:
    """The record of one cloud."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._told: set[tuple[str, str]] = set()
        self._whole = 0
        if path.exists():
            # what follows the last end of a line is from a run that was killed while it wrote
            lines = path.read_bytes().splitlines(keepends=True)
            for number, line in enumerate(lines, start=1):
                if line.endswith(b"\n"):
                    self._whole += len(line)
                    self._read(number, line)

    def rest(self, affected: Affected) -> Affected | None:
        """What a project has not been told yet; None when it knows everything."""
        uses = [
            (fate, use)
            for fate, use in affected.uses
            if (affected.project, fate.key) not in self._told
        ]
        if not uses:
            return None
        return Affected(affected.project, affected.name, affected.addresses, uses)

    def add(self, message: Message, taken_for: Sequence[str]) -> None:
        """Write down that a message has gone out."""
        line = {
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "id": message.id,
            "project": message.project,
            "to": list(taken_for),
            "subject": message.subject,
            "keys": list(message.keys),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as stream:
            stream.truncate(self._whole)
            self._whole += stream.write(json.dumps(line).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        self._told.update((message.project, key) for key in message.keys)

    def _read(self, number: int, text: bytes) -> None:
        try:
            line = json.loads(text)
            self._told.update((line["project"], key) for key in line["keys"])
        except (ValueError, KeyError, TypeError):
            raise ImagecycleError(
                f"{self.path}:{number}: cannot be read, so it is not known who was told",
                hint="mend or remove that line; without it, its project may be told again",
            ) from None
