"""The quarter at a glance: every family, every stage, from one request."""

from __future__ import annotations

import dataclasses
import datetime
import io
import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from imagecycle.jenkins import build as builds
from imagecycle.jenkins import marker
from imagecycle.jenkins.build import Build, Verdict
from imagecycle.jenkins.controller import Controller, job_path
from imagecycle.jenkins.follow import duration
from imagecycle.jobs import names

UNLIMITED = 10_000
STANDS = ("done", "running", "waiting", "under way", "failed", "defects", "due", "no jobs")
"""How a family can stand, in the order of the summary"""
_COMPLETED = "number,url,result,timestamp,duration"
_TREE = (
    "jobs[name,url,description,inQueue,buildable,"
    f"lastBuild[{builds.FIELDS}],lastCompletedBuild[{_COMPLETED}],"
    f"lastStableBuild[{_COMPLETED}]]"
)
_STYLES = {
    Verdict.SUCCESS: "green",
    Verdict.RUNNING: "cyan",
    Verdict.FAILURE: "bold red",
    Verdict.LOST: "bold red",
    Verdict.UNSTABLE: "yellow",
    Verdict.ABORTED: "yellow",
}


@dataclass(frozen=True)
class JobStatus:
    """How a job stands."""

    name: str
    url: str
    queued: bool
    enabled: bool
    running: Build | None
    completed: Build | None
    """The last build that has ended"""
    succeeded: Build | None
    """The last build without a defect: Jenkins calls it stable, and unstable ones successful"""

    def done_since(self, moment: datetime.datetime) -> bool:
        """Whether it has ended well since then."""
        return self.succeeded is not None and self.succeeded.ended_at >= moment

    @property
    def failed(self) -> bool:
        return self.completed is not None and self.completed.verdict is not Verdict.SUCCESS

    @property
    def defective(self) -> bool:
        return self.completed is not None and self.completed.verdict is Verdict.UNSTABLE


@dataclass(frozen=True)
class FamilyStatus:
    """How a family stands: its jobs by stage, None where the controller has none."""

    family: str
    stages: Mapping[str, JobStatus | None]

    def stands(self, since: datetime.datetime) -> str:
        """In a word, one of STANDS."""
        jobs = [job for job in self.stages.values() if job is not None]
        if not jobs:
            return "no jobs"
        if any(job.running for job in jobs):
            return "running"
        if any(job.queued for job in jobs):
            return "waiting"
        failed = [job for job in jobs if job.failed]
        if failed:
            return "defects" if all(job.defective for job in failed) else "failed"
        done = [job is not None and job.done_since(since) for job in self.stages.values()]
        return "done" if all(done) else "under way" if any(done) else "due"

    @property
    def link(self) -> str:
        """Where to look first: what failed, else what runs, else the last build, else a job."""
        jobs = [job for job in self.stages.values() if job is not None]
        for job in jobs:
            if job.failed and job.completed is not None:
                return job.completed.url
        for job in jobs:
            if job.running is not None:
                return job.running.url
        ended = [job.completed for job in jobs if job.completed is not None]
        if ended:
            return max(ended, key=lambda build: build.ended_at).url
        return jobs[0].url if jobs else ""


@dataclass(frozen=True)
class Status:
    """The whole library at one moment."""

    at: datetime.datetime
    quarter: datetime.datetime
    """When the quarter began, UTC"""
    families: tuple[FamilyStatus, ...]
    others: tuple[JobStatus, ...]
    """This library's jobs that belong to no family"""


def collect(
    controller: Controller,
    families: Iterable[str],
    *,
    owner: str,
    now: datetime.datetime | None = None,
) -> Status:
    """Ask the controller, in one request.

    :param families: those of the catalog; families that only the controller has are added.
    :param owner: whose jobs to show among those of no family.
    """
    above = job_path("", controller.account.folder)
    found = controller.get(f"{above}/api/json" if above else "api/json", tree=_TREE)
    at = now or datetime.datetime.now(datetime.UTC)
    by_family: dict[str, dict[str, JobStatus]] = {family: {} for family in families}
    others = []
    for document in found.get("jobs", []):
        if "name" not in document:
            continue
        job = _job(document)
        mark = marker.find(document.get("description") or "")
        ours = mark is not None and mark.owner == owner and mark.job == job.name
        place = names.family_and_stage(job.name)
        if place is not None and (ours or place[0] in by_family):
            by_family.setdefault(place[0], {})[place[1]] = job
        elif ours:
            others.append(job)
    return Status(
        at,
        quarter_start(at),
        tuple(
            FamilyStatus(family, {stage: jobs.get(stage) for stage in names.STAGES})
            for family, jobs in sorted(by_family.items())
        ),
        tuple(sorted(others, key=lambda job: job.name)),
    )


def quarter_start(moment: datetime.datetime) -> datetime.datetime:
    """When a moment's quarter of the year began."""
    month = (moment.month - 1) // 3 * 3 + 1
    return datetime.datetime(moment.year, month, 1, tzinfo=datetime.UTC)


def _job(document: Mapping[str, Any]) -> JobStatus:
    last, completed, succeeded = (
        Build.from_document(found) if (found := document.get(name)) else None
        for name in ("lastBuild", "lastCompletedBuild", "lastStableBuild")
    )
    return JobStatus(
        name=document["name"],
        url=document.get("url", ""),
        queued=bool(document.get("inQueue")),
        enabled=document.get("buildable") is not False,
        running=last if last and last.verdict is Verdict.RUNNING else None,
        completed=completed,
        succeeded=succeeded,
    )


def as_table(status: Status, *, only_open: bool = False) -> str:
    """For people: a line per family, fitted to the terminal if there is one.

    :param only_open: leave out families that are done.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("FAMILY", no_wrap=True)
    for stage in names.STAGES:
        table.add_column(stage.upper(), no_wrap=True)
    table.add_column("THIS QUARTER", no_wrap=True)
    table.add_column("LINK", overflow="fold")
    stands = {one.family: one.stands(status.quarter) for one in status.families}
    for one in status.families:
        if not only_open or stands[one.family] != "done":
            cells = [_cell(one.stages[stage], status.at) for stage in names.STAGES]
            table.add_row(one.family, *cells, stands[one.family], one.link)
    text = _printed(table)
    if status.others:
        more = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for heading in ("OTHER JOB", "LAST RUN", "LINK"):
            more.add_column(heading, no_wrap=heading != "LINK")
        for job in status.others:
            more.add_row(job.name, _cell(job, status.at), job.url)
        text += "\n" + _printed(more)
    return f"{text}\n{summary(status, list(stands.values()))}\n"


def summary(status: Status, stands: Sequence[str]) -> str:
    """The quarter in one line."""
    quarter = f"{status.quarter.year} Q{(status.quarter.month + 2) // 3}"
    counts = [f"{stands.count(word)} {word}" for word in STANDS if word in stands]
    return f"{quarter}: {len(stands)} families: {', '.join(counts) or 'none'}"


def as_json(status: Status) -> str:
    """For programs."""
    value = {
        "at": status.at,
        "quarter": status.quarter,
        "families": [
            {
                "family": one.family,
                "stands": one.stands(status.quarter),
                "link": one.link,
                "stages": {
                    stage: dataclasses.asdict(job) if job else None
                    for stage, job in one.stages.items()
                },
            }
            for one in status.families
        ],
        "others": [dataclasses.asdict(job) for job in status.others],
    }
    return json.dumps(value, indent=2, default=_plain) + "\n"


def _plain(value: object) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="seconds")
    return str(value)


def _cell(job: JobStatus | None, at: datetime.datetime) -> str:
    if job is None:
        return "no job"
    off = "" if job.enabled else " (disabled)"
    if job.running is not None:
        text = f"running {duration((at - job.running.began_at).total_seconds())}"
        if job.running.estimate:
            text += f" of {duration(job.running.estimate)}"
        return _styled(text, Verdict.RUNNING) + off
    if job.queued:
        return f"waiting{off}"
    if job.completed is None:
        return f"never{off}"
    age = duration(max(0.0, (at - job.completed.ended_at).total_seconds()))
    word = "ok" if job.completed.verdict is Verdict.SUCCESS else str(job.completed.verdict)
    return _styled(f"{word}, {age} ago", job.completed.verdict) + off


def _styled(text: str, verdict: Verdict) -> str:
    style = _STYLES.get(verdict)
    return f"[{style}]{escape(text)}[/]" if style else escape(text)


def _printed(table: Table) -> str:
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else UNLIMITED
    text = io.StringIO()
    Console(file=text, width=width, force_terminal=terminal).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"
