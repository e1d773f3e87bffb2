"""Start a job once: also when the answer is lost, and the queue forgets it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagecycle.errors import ImagecycleError, Unreachable
from imagecycle.jenkins.client import Refused, Unanswered
from imagecycle.jenkins.controller import Controller, job_path

RECENT_BUILDS = 20
"""Builds of a job among which one is looked for by its queue item or cause"""


@dataclass(frozen=True)
class Queued:
    """A job that waits in the queue, or waited there."""

    job: str
    item: int
    """Its number in the queue"""
    parameters: tuple[tuple[str, str], ...] | None = None
    """What it was started with; None when another job or an earlier try started it"""


@dataclass(frozen=True)
class Begun:
    """A build that an executor took; its number does not change any more."""

    job: str
    number: int


def trigger(
    controller: Controller, job: str, parameters: Mapping[str, str], *, next_number: int
) -> Queued | Begun:
    """Put a job into the queue.

    :param next_number: the number that the next build will have, read before this.
    :raises Refused: when the job is disabled, or missing.
    """
    path = f"{job_path(job, controller.account.folder)}/buildWithParameters"
    for _ in range(3):
        try:
            answer = controller.post_once(path, **parameters)
        except Unanswered:
            found = _begun_since(controller, job, next_number)
            if found is not None:
                return found
            continue  # it did not arrive
        except Unreachable:
            controller.await_return()
            continue
        match = re.search(r"/queue/item/(\d+)", answer.headers.get("Location", ""))
        if match is None:
            raise ImagecycleError(
                f"{controller.url}: {job} was started, but the controller does not say as what",
                hint="look at the job in Jenkins",
            )
        return Queued(job, int(match[1]), tuple(sorted(parameters.items())))
    raise Unreachable(
        f"{controller.url}: {job} could not be started: no answer in three tries",
        hint="wait until the controller is up, then run this again",
    )


def _begun_since(controller: Controller, job: str, number: int) -> Queued | Begun | None:
    """What our request has led to, if it arrived."""
    fields = f"queueItem[id],builds[number]{{0,{RECENT_BUILDS}}}"
    found = read_job(controller, job, fields)
    if item := found.get("queueItem"):
        return Queued(job, int(item["id"]))
    newer = [build["number"] for build in found.get("builds", []) if build["number"] >= number]
    return Begun(job, min(newer)) if newer else None


def begun(controller: Controller, queued: Queued) -> Begun | str:
    """Whether an executor has taken a queued job.

    :returns: the build; else why it still waits.
    :raises Cancelled: when a person took it out of the queue.
    :raises Vanished: when neither queue nor builds know it any more.
    """
    try:
        item = controller.get(
            f"queue/item/{queued.item}/api/json", tree="cancelled,why,executable[number]"
        )
    except Refused as refused:
        if refused.status != 404:
            raise
        return _left_queue(controller, queued)
    if item.get("executable"):
        return Begun(queued.job, int(item["executable"]["number"]))
    if item.get("cancelled"):
        raise Cancelled(
            f"{queued.job} was taken out of the queue", hint="run this again to start it"
        )
    return str(item.get("why") or "waiting in the queue")


def _left_queue(controller: Controller, queued: Queued) -> Begun:
    """The build of an item that the queue has forgotten, as it does five minutes after."""
    fields = f"builds[number,queueId]{{0,{RECENT_BUILDS}}}"
    for build in read_job(controller, queued.job, fields).get("builds", []):
        if build.get("queueId") == queued.item:
            return Begun(queued.job, int(build["number"]))
    raise Vanished(
        f"{queued.job} has left the queue and was not built",
        hint="a controller that is killed forgets its queue; run this again",
    )


def read_job(controller: Controller, job: str, fields: str) -> Any:
    """Some fields of a job."""
    path = f"{job_path(job, controller.account.folder)}/api/json"
    return controller.get(path, tree=fields)


class Cancelled(ImagecycleError):
    """A person took a job out of the queue."""


class Vanished(ImagecycleError):
    """A queued job is neither in the queue nor built."""
