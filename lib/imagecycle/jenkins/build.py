"""One build of a job: how it goes, what it started, and the end of its console."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass
from typing import Any

from imagecycle.jenkins.client import Refused
from imagecycle.jenkins.controller import Controller, job_path
from imagecycle.jenkins.trigger import RECENT_BUILDS, Begun, Queued, read_job


class Verdict(enum.StrEnum):
    """How a build ended, or that it has not."""

    RUNNING = "running"
    SUCCESS = "success"
    UNSTABLE = "defects"
    """Jenkins calls it unstable: the run was in order, and what it checked has defects"""
    FAILURE = "failure"
    ABORTED = "aborted"
    NOT_BUILT = "not built"
    LOST = "lost"
    """It ended without a result: the controller was killed while it ran"""


@dataclass(frozen=True)
class Build:
    """One build as the controller shows it."""

    number: int
    verdict: Verdict
    url: str
    began_at: datetime.datetime
    """UTC"""
    seconds: float
    """How long it took; 0 while it runs"""
    estimate: float
    """Seconds that it will take, from earlier ones; 0 when not known"""

    @classmethod
    def from_document(cls, found: dict[str, Any]) -> Build:
        """From Jenkins's JSON of a build."""
        return cls(
            number=int(found["number"]),
            verdict=verdict(found),
            url=str(found.get("url", "")),
            began_at=datetime.datetime.fromtimestamp(
                found.get("timestamp", 0) / 1000, datetime.UTC
            ),
            seconds=found.get("duration", 0) / 1000,
            estimate=max(0.0, found.get("estimatedDuration", 0) / 1000),
        )

    @property
    def ended_at(self) -> datetime.datetime:
        return self.began_at + datetime.timedelta(seconds=self.seconds)


FIELDS = "number,url,building,result,timestamp,duration,estimatedDuration"
"""What :meth:`Build.from_document` reads"""

_VERDICTS = {
    "SUCCESS": Verdict.SUCCESS,
    "UNSTABLE": Verdict.UNSTABLE,
    "FAILURE": Verdict.FAILURE,
    "ABORTED": Verdict.ABORTED,
    "NOT_BUILT": Verdict.NOT_BUILT,
}


def verdict(found: dict[str, Any]) -> Verdict:
    """How a build ended, from Jenkins's JSON of it."""
    if found.get("building"):
        return Verdict.RUNNING
    return _VERDICTS.get(str(found.get("result")), Verdict.LOST)


def read(controller: Controller, begun: Begun) -> Build | None:
    """A build; None when it is gone, as after a controller was killed just when it began."""
    path = f"{job_path(begun.job, controller.account.folder)}/{begun.number}/api/json"
    try:
        return Build.from_document(controller.get(path, tree=FIELDS))
    except Refused as refused:
        if refused.status != 404:
            raise
        return None


def console_tail(controller: Controller, begun: Begun, lines: int) -> list[str]:
    """The last lines of a build's console."""
    path = f"{job_path(begun.job, controller.account.folder)}/{begun.number}/consoleText"
    return controller.tail(path, lines)


def downstream(controller: Controller, job: str) -> list[str]:
    """The jobs that a job may start when it ends, by name within our folder."""
    found = read_job(controller, job, "downstreamProjects[name]")
    return [str(one["name"]) for one in found.get("downstreamProjects", [])]


def started_by(controller: Controller, job: str, upstream: Begun) -> Queued | Begun | None:
    """The build of a job, queued or begun, that another build has started."""
    causes = "actions[causes[upstreamProject,upstreamBuild]]"
    fields = f"queueItem[id,{causes}],builds[number,{causes}]{{0,{RECENT_BUILDS}}}"
    found = read_job(controller, job, fields)
    folder = controller.account.folder
    name = f"{folder}/{upstream.job}" if folder else upstream.job
    for build in found.get("builds", []):
        if _caused(build, name, upstream.number):
            return Begun(job, int(build["number"]))
    item = found.get("queueItem")
    if item and _caused(item, name, upstream.number):
        return Queued(job, int(item["id"]))
    return None


def _caused(document: dict[str, Any], project: str, number: int) -> bool:
    return any(
        cause.get("upstreamProject") == project and cause.get("upstreamBuild") == number
        for action in document.get("actions", [])
        if action
        for cause in action.get("causes", [])
    )
