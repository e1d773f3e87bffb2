"""A plan: the steps that a command would take in one cloud, and what it was made from.

It can be written to a file and applied later, by somebody else. Such a file is refused when it was
edited, and when the cloud is no longer what the plan was made from.
"""

from __future__ import annotations

import datetime
import getpass
import hashlib
import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imagecycle.artifacts import write_text
from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.lifecycle import steps as stepping
from imagecycle.lifecycle.releases import Holding
from imagecycle.lifecycle.rules import Decision
from imagecycle.lifecycle.steps import Delete, Share, Step, SyncMembers

FORMAT = "imagecycle plan"
SCHEMA = 1
_AGAIN = "make it again with `imagecycle plan --out FILE`"


class Changed(ImagecycleError):
    """The cloud is no longer what the plan was made for."""

    def __init__(self, cloud: str, what: str = "") -> None:
        super().__init__(
            f"{cloud} has changed since the plan was made{': ' + what if what else ''}",
            hint="run the command again to make a new plan; what has been uploaded is used",
        )


@dataclass(frozen=True)
class Seen:
    """One release as it was when the plan was made."""

    image_id: str
    family: str
    release: str
    state: str
    visibility: str
    updated_at: str
    digest: str
    """Of all fields and properties"""
    members: tuple[str, ...] | None = None
    """None: no matter for this plan"""
    users: tuple[str, ...] | None = None
    """None: no matter for this plan"""


@dataclass(frozen=True)
class Plan:
    """Steps for one cloud, in their order."""

    cloud: str
    project: str
    """The id of the project whose images they change"""
    command: str
    """What made it: ``retire``"""
    why: str
    steps: Sequence[Step]
    notes: Sequence[str] = ()
    seen: Sequence[Seen] = ()
    """All releases of the families that have a step"""
    made_at: str = ""
    made_by: str = ""

    @property
    def families(self) -> list[str]:
        """The families that it was made from."""
        return sorted({one.family for one in self.seen})

    def as_document(self) -> dict[str, Any]:
        """As JSON takes it, with its digest."""
        document = {
            "format": FORMAT,
            "schema": SCHEMA,
            **asdict(self),
            "steps": [stepping.as_document(step) for step in self.steps],
            "seen": [asdict(one) for one in self.seen],
        }
        return {**document, "digest": _digest(document)}

    @property
    def digest(self) -> str:
        """What tells this plan from every other, also in the audit log."""
        return str(self.as_document()["digest"])

    def as_json(self) -> str:
        """:meth:`as_document`, as text."""
        return json.dumps(self.as_document(), indent=2, sort_keys=True)

    def lines(self) -> list[str]:
        """What it would do, for people."""
        return [f"{number:3}. {step}" for number, step in enumerate(self.steps, start=1)]


def make(
    decision: Decision,
    holdings: Mapping[str, Sequence[Holding]],
    *,
    cloud: str,
    project: str,
    command: str,
    why: str,
    now: datetime.datetime,
    uploads: Iterable[str] = (),
) -> Plan:
    """A plan from what was decided, with what it was decided from.

    :param uploads: families that get a new image, which none of their images tells.
    """
    touched = {step.image_id for step in decision.steps}
    weighed = {
        step.image_id for step in decision.steps if isinstance(step, Share | SyncMembers | Delete)
    }
    affected = {
        family
        for family, releases in holdings.items()
        if any(held.id in touched for held in releases)
    } | set(uploads)
    return Plan(
        cloud=cloud,
        project=project,
        command=command,
        why=why,
        steps=tuple(decision.steps),
        notes=tuple(decision.notes),
        seen=tuple(
            see(held, weighed=held.id in weighed)
            for family in sorted(affected)
            for held in holdings.get(family, ())
        ),
        made_at=now.astimezone(datetime.UTC).isoformat(timespec="seconds"),
        made_by=f"{getpass.getuser()}@{socket.gethostname()}",
    )


def see(held: Holding, *, weighed: bool) -> Seen:
    """What a plan remembers of a release; its members and users only if ``weighed``."""
    members = tuple(sorted(held.members)) if weighed and held.members is not None else None
    users = tuple(sorted(held.users)) if weighed and held.users is not None else None
    return Seen(
        held.id,
        held.family,
        str(held.release),
        held.state.value,
        held.image.visibility,
        held.image.updated_at,
        image_digest(held.image),
        members,
        users,
    )


def image_digest(image: Image) -> str:
    """Of every field and property of an image."""
    return _digest(image.facts())


def compare(plan: Plan, found: Mapping[str, Sequence[Holding]]) -> None:
    """See that the cloud still is what a plan was made from.

    :param found: its families now, with members and usage of the images that have them in it.
    :raises Changed: naming the first difference.
    """
    now = {held.id: held for family in plan.families for held in found.get(family, ())}
    for one in plan.seen:
        held = now.pop(one.image_id, None)
        name = f"image {one.image_id} ({one.family} {one.release})"
        if held is None:
            raise Changed(plan.cloud, f"{name} is gone")
        fresh = see(held, weighed=True)
        if fresh.digest != one.digest:
            was = f"{one.state}, {one.visibility}"
            is_ = f"{fresh.state}, {fresh.visibility}"
            how = f"was {was} and is {is_}" if was != is_ else f"({is_}) is not the same"
            raise Changed(plan.cloud, f"{name} {how}, changed {fresh.updated_at}")
        for what in ("members", "users"):
            if getattr(one, what) is not None and getattr(one, what) != getattr(fresh, what):
                raise Changed(plan.cloud, f"the {what} of {name} have changed")
    if now:
        new = next(iter(now.values()))
        raise Changed(plan.cloud, f"{new} is new")


def write(plan: Plan, path: Path) -> None:
    """Write a plan for ``imagecycle apply``."""
    write_text(path, plan.as_json() + "\n")


def read(path: Path) -> Plan:
    """Read a plan from a file.

    :raises UsageError: when it is no plan, or not as it was written.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "not a text"
        raise UsageError(f"cannot read {path}: {cause}", hint=_AGAIN) from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Plan:
    """A plan from what :meth:`Plan.as_json` wrote; ``name`` is where it comes from."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise UsageError(f"{name} is not a plan", hint=_AGAIN)
    if document.pop("schema", None) != SCHEMA:
        raise UsageError(f"{name} was written by another version of imagecycle", hint=_AGAIN)
    written = document.pop("digest", None)
    if written != _digest({"format": FORMAT, "schema": SCHEMA, **document}):
        raise UsageError(f"{name} is not as imagecycle wrote it: somebody edited it", hint=_AGAIN)
    try:
        values = {
            **document,
            "steps": tuple(stepping.from_document(step) for step in document["steps"]),
            "seen": tuple(_seen(one) for one in document["seen"]),
            "notes": tuple(document["notes"]),
        }
        return Plan(**values)
    except (KeyError, TypeError):
        raise UsageError(f"{name} lacks parts of a plan", hint=_AGAIN) from None


def _seen(document: Mapping[str, Any]) -> Seen:
    lists = {
        name: None if document[name] is None else tuple(document[name])
        for name in ("members", "users")
    }
    return Seen(**{**document, **lists})


def _digest(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
