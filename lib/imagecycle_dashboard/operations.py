"""What operators are shown of a cloud: families and their releases, what is next, what failed."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

STATES = ("candidate", "current", "superseded", "retired", "revoked")
_FAILED_RUNS = ("failed", "defects", "stopped")
_FAILED_VERIFICATIONS = ("failed", "unreadable")


@dataclass(frozen=True)
class Project:
    """A project that uses a release."""

    id: str
    name: str
    contact: str
    servers: Sequence[tuple[int, str]]
    """How many are in which status"""
    volumes: int


@dataclass(frozen=True)
class Run:
    """How the last run of a stage ended; ``url`` is empty where there is no link."""

    stage: str
    verdict: str
    ended_at: datetime.datetime | None
    url: str
    running: bool

    @property
    def failed(self) -> bool:
        return self.verdict in _FAILED_RUNS


@dataclass(frozen=True)
class Verification:
    """The verdict on a release."""

    release: str
    verdict: str
    at: datetime.datetime | None
    reason: str
    report: str

    @property
    def failed(self) -> bool:
        return self.verdict in _FAILED_VERIFICATIONS


@dataclass(frozen=True)
class Change:
    """One change, from the audit log."""

    at: datetime.datetime | None
    release: str
    command: str
    what: str
    why: str
    who: str
    outcome: str
    error: str


@dataclass(frozen=True)
class Release:
    """One release in the cloud."""

    release: str
    state: str
    since: datetime.datetime | None
    image_id: str
    name: str
    visibility: str
    remark: str
    projects: int
    servers: int
    volumes: int
    used_by: Sequence[Project]
    verification: Verification | None
    audit: Sequence[Change]


@dataclass(frozen=True)
class Step:
    """One thing that the policy would do next."""

    what: str
    image_id: str
    family: str
    release: str


@dataclass(frozen=True)
class Family:
    """A family with its releases, the newest first."""

    family: str
    title: str
    declared: bool
    releases: Sequence[Release]
    unpublished: Sequence[Verification]
    runs: Sequence[Run]
    steps: Sequence[Step]

    @property
    def current(self) -> Release | None:
        return next((one for one in self.releases if one.state == "current"), None)

    @property
    def older(self) -> list[tuple[str, int]]:
        """How many releases are in each state but the current one."""
        counted = ((state, self._count(state)) for state in STATES if state != "current")
        return [(state, count) for state, count in counted if count]

    @property
    def projects(self) -> int:
        return len({project.id for one in self.releases for project in one.used_by})

    @property
    def servers(self) -> int:
        return sum(one.servers for one in self.releases)

    @property
    def volumes(self) -> int:
        return sum(one.volumes for one in self.releases)

    @property
    def failed_runs(self) -> list[Run]:
        return [run for run in self.runs if run.failed]

    @property
    def failed_verifications(self) -> list[Verification]:
        """Of what was not published because of it, and of the newest published release."""
        newest = [one.verification for one in self.releases[:1] if one.verification]
        return [one for one in (*self.unpublished, *newest) if one.failed]

    @property
    def failed(self) -> bool:
        return bool(self.failed_runs or self.failed_verifications)

    @property
    def remarks(self) -> list[tuple[str, str]]:
        return [(one.release, one.remark) for one in self.releases if one.remark]

    @property
    def audit(self) -> list[Change]:
        """All changes of its images, the newest first."""
        found = [change for one in self.releases for change in one.audit]
        return sorted(found, key=_moment_of, reverse=True)

    def _count(self, state: str) -> int:
        return sum(1 for one in self.releases if one.state == state)


@dataclass(frozen=True)
class Copy:
    """An image that carries a release's properties and is none."""

    image_id: str
    name: str
    of: str
    visibility: str
    owner: str
    what: str
    advice: str


@dataclass(frozen=True)
class Stray:
    """An image of the publishing project that is no release."""

    image_id: str
    name: str
    status: str
    visibility: str
    created_at: datetime.datetime | None
    what: str


@dataclass(frozen=True)
class Operations:
    """The whole."""

    cloud: str
    taken_at: datetime.datetime | None
    missing: Sequence[str]
    families: Sequence[Family]
    steps: Sequence[Step]
    notes: Sequence[str]
    copies: Sequence[Copy]
    strays: Sequence[Stray]

    def family(self, slug: str) -> Family | None:
        return next((one for one in self.families if one.family == slug), None)


def _moment_of(change: Change) -> datetime.datetime:
    return change.at or datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)
