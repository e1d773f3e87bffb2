"""What a sync would change, decided from what is wanted and what is there; asks nobody."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.jenkins import marker

MAX_DELETIONS = 20
"""Jobs and views that a sync deletes unless it is told more: with a job goes its history"""


class Kind(enum.StrEnum):
    """What Jenkins keeps a configuration of."""

    JOB = "job"
    VIEW = "view"


class Action(enum.StrEnum):
    """What happens to one of them."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Item:
    """A job or a view at the controller."""

    kind: Kind
    name: str
    """With its folders: ``a/b``"""
    description: str = ""


@dataclass(frozen=True)
class Wanted:
    """A job or a view as this library has it."""

    kind: Kind
    name: str
    xml: str


@dataclass(frozen=True)
class Change:
    """One request to the controller."""

    action: Action
    kind: Kind
    name: str
    xml: str = ""
    mark: marker.Mark | None = None
    """What the controller shows once it is done"""

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.name}"


@dataclass(frozen=True)
class Changes:
    """All that a sync would do."""

    changes: tuple[Change, ...]
    unchanged: int
    kept: tuple[str, ...] = ()
    """Jobs that carry our mark under another name: copies, and jobs that a person renamed"""

    def count(self, action: Action) -> int:
        """How many changes are of one kind."""
        return sum(change.action is action for change in self.changes)


class NotOurs(ImagecycleError):
    """A job of a wanted name is there already, and somebody else's."""


def decide(
    wanted: Iterable[Wanted],
    there: Iterable[Item],
    *,
    owner: str,
    force: bool = False,
    take_over: bool = False,
    max_deletions: int = MAX_DELETIONS,
) -> Changes:
    """What to create, update and delete; nothing of another's.

    :param force: update also what is unchanged.
    :param take_over: update also jobs that carry nobody's mark.
    :raises NotOurs: when a wanted name is taken by a job of somebody else.
    :raises UsageError: when nothing is wanted, or too much would be deleted.
    """
    targets = {(one.kind, one.name): one for one in wanted}
    if not any(kind is Kind.JOB for kind, _ in targets):
        raise UsageError(
            "there are no jobs to bring to the controller",
            hint="an empty library would delete all jobs; check the folder jobs/",
        )
    found = {(one.kind, one.name): one for one in there}
    _refuse_others(targets, found, owner, take_over)
    changes = list(_wanted_changes(targets, found, owner, force))
    doomed, kept = _left_over(targets, found, owner)
    if len(doomed) > max_deletions:
        raise UsageError(
            f"this would delete {len(doomed)} jobs and views with their history, such as "
            f"{doomed[0].name}; the limit is {max_deletions}",
            hint=f"look with --dry-run --max-deletions {len(doomed)}, then leave out --dry-run",
        )
    unchanged = len(targets) - len(changes)
    return Changes(tuple(changes + doomed), unchanged, tuple(kept))


Named = Mapping[tuple[Kind, str], Item]


def _refuse_others(
    targets: Mapping[tuple[Kind, str], Wanted], found: Named, owner: str, take_over: bool
) -> None:
    strangers, others = [], []
    for key in targets.keys() & found.keys():
        mark = marker.find(found[key].description)
        if mark is None or mark.job != key[1]:
            strangers.append(f"{key[0]} {key[1]}")
        elif mark.owner != owner:
            others.append(f"{key[0]} {key[1]} (of {mark.owner})")
    if others:
        raise NotOurs(
            f"another library owns {_some(others)}",
            hint="give the jobs other names, or sync with the owner's name and --owner",
        )
    if strangers and not take_over:
        raise NotOurs(
            f"not made by this library: {_some(strangers)}",
            hint="rename or delete them in Jenkins, or replace them with --take-over",
        )


def _wanted_changes(
    targets: Mapping[tuple[Kind, str], Wanted], found: Named, owner: str, force: bool
) -> list[Change]:
    changes = []
    for key, one in sorted(targets.items(), key=lambda pair: _parents_first(pair[0])):
        present = found.get(key)
        shown = marker.find(present.description) if present else None
        digest = marker.digest(one.xml)
        unchanged = shown == marker.Mark(owner, one.name, digest)
        if force or not unchanged:
            action = Action.UPDATE if present else Action.CREATE
            mark = marker.Mark(owner, one.name, digest)
            changes.append(Change(action, one.kind, one.name, one.xml, mark))
    return changes


def _left_over(
    targets: Mapping[tuple[Kind, str], Wanted], found: Named, owner: str
) -> tuple[list[Change], list[str]]:
    """What is ours and no longer wanted, children first; and what only looks like ours."""
    doomed, kept = [], []
    for key, one in sorted(found.items(), key=lambda pair: _parents_first(pair[0]), reverse=True):
        mark = marker.find(one.description)
        if mark is None or mark.owner != owner or key in targets:
            continue
        if mark.job != one.name:
            kept.append(f"{one.kind} {one.name}: a copy of {mark.job}, or renamed")
        elif _holds_others(one, found, targets, owner):
            kept.append(f"{one.kind} {one.name}: a folder that holds jobs of others")
        else:
            doomed.append(Change(Action.DELETE, one.kind, one.name))
    return doomed, kept


def _holds_others(
    folder: Item, found: Named, targets: Mapping[tuple[Kind, str], Wanted], owner: str
) -> bool:
    for key, one in found.items():
        if one.kind is Kind.JOB and one.name.startswith(f"{folder.name}/"):
            mark = marker.find(one.description)
            if mark is None or mark.owner != owner or mark.job != one.name or key in targets:
                return True
    return False


def _parents_first(key: tuple[Kind, str]) -> tuple[Kind, int, str]:
    return key[0], key[1].count("/"), key[1]


def _some(names: list[str], shown: int = 5) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(sorted(names)[:shown]) + more
