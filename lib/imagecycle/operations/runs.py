"""How the last runs of a family's jobs ended, as Jenkins tells, and how its releases were verified,
as the artifact folder tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from imagecycle.artifacts import ArtifactStore
from imagecycle.jenkins.build import Verdict
from imagecycle.jenkins.status import JobStatus, Status
from imagecycle.verify import history

_OF_JENKINS = {Verdict.SUCCESS: "passed", Verdict.UNSTABLE: "defects", Verdict.ABORTED: "stopped"}


def of_jenkins(status: Status) -> dict[str, list[dict[str, Any]]]:
    """The last ended run of each stage, by family."""
    return {
        one.family: [_run(stage, job) for stage, job in one.stages.items() if job is not None]
        for one in status.families
    }


def _run(stage: str, job: JobStatus) -> dict[str, Any]:
    ended = job.completed
    verdict = _OF_JENKINS.get(ended.verdict, "failed") if ended is not None else "never ran"
    return {
        "stage": stage,
        "verdict": verdict,
        "ended_at": ended.ended_at.isoformat(timespec="seconds") if ended is not None else None,
        "url": ended.url if ended is not None else job.url,
        "running": job.running is not None,
    }


def verifications(store: ArtifactStore, reports: str) -> Mapping[str, Mapping[str, dict[str, Any]]]:
    """How each release was verified, by family and release.

    :param reports: the address of the artifact folder; without one there are no links.
    """
    index = store.root / history.INDEX
    return {
        family.slug: {entry.release: _verification(entry, reports) for entry in family.entries}
        for family in history.collect(store, index)
    }


def _verification(entry: history.Entry, reports: str) -> dict[str, Any]:
    link = f"{reports.rstrip('/')}/{quote(entry.link)}" if reports and entry.link else None
    return {
        "verdict": entry.verdict,
        "at": entry.verified_at or None,
        "reason": entry.reason or None,
        "report": link,
    }


def is_address(text: str) -> bool:
    """Whether a page may link there."""
    return text.startswith(("http://", "https://"))
