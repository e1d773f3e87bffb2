"""The audit log: one line of JSON before every change in a cloud, and one after it.

Both are on the disk before imagecycle goes on, so that a change whose second line is missing is
one that imagecycle did not live to see the end of. The log of a cloud is
``HOME/audit/CLOUD.jsonl``; it is only ever appended to.
"""

from __future__ import annotations

import contextlib
import datetime
import getpass
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagecycle.errors import ImagecycleError

SCHEMA = 1


@dataclass
class Outcome:
    """What came of a change; filled in by whoever makes it."""

    after: Mapping[str, Any] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """Anything else worth keeping: the length of a window in seconds"""


@dataclass(frozen=True)
class AuditLog:
    """Where the changes in one cloud are written down.

    :param who: user and project in the cloud, beside the user and the machine here.
    :param why: what the operator is doing: ``retire --all``, and the reason if one was given.
    """

    path: Path
    command: str
    why: str
    who: Mapping[str, str] = field(default_factory=dict)
    plan: str = ""
    """The digest of the plan that is being applied"""
    clock: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)

    @contextlib.contextmanager
    def mutation(
        self, what: str, image_id: str, before: Mapping[str, Any] | None
    ) -> Iterator[Outcome]:
        """Frame one change: written before it begins, and when it has ended or failed.

        :param what: in words for people.
        :param before: the image's fields and properties; None when there is no image yet.
        """
        entry = {
            "change": uuid.uuid4().hex,
            "command": self.command,
            "why": self.why,
            "who": {"user": getpass.getuser(), "host": socket.gethostname(), **self.who},
            "plan": self.plan,
            "what": what,
            "image": image_id,
        }
        self._append({**entry, "event": "begun", "before": before})
        outcome = Outcome()
        try:
            yield outcome
        except BaseException as error:
            cause = error.message if isinstance(error, ImagecycleError) else repr(error)
            self._append({**entry, "event": "failed", "error": cause, **outcome.facts})
            raise
        self._append({**entry, "event": "done", "after": outcome.after, **outcome.facts})

    def _append(self, entry: Mapping[str, Any]) -> None:
        now = self.clock().astimezone(datetime.UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"schema": SCHEMA, "at": now, **entry}, default=str) + "\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = "\n" + line  # the end of an earlier line was lost with the machine
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
