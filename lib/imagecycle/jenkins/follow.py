"""Follow jobs from the queue to their end, and on to the jobs that they start.

Whatever happens at the controller has a known end here: an item that a person took out of the
queue, one that the queue forgot, a build that was lost in a restart, a chain that did not go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from imagecycle import interrupts
from imagecycle.errors import ImagecycleError
from imagecycle.jenkins import build as builds
from imagecycle.jenkins.build import Build, Verdict
from imagecycle.jenkins.controller import Controller, job_path
from imagecycle.jenkins.trigger import Begun, Cancelled, Queued, Vanished, begun, trigger

INTERVAL = 3.0
"""Seconds between two looks"""
LIMIT = 12 * 3600.0
"""Seconds after which the waiting is given up, unless another limit is given"""
CHAIN_LIMIT = 60.0
"""Seconds in which a build that has ended must have started the next job"""
RESTARTS = 2
"""How often a job is started again that the queue has forgotten"""
AT_ONCE = 8
BEGIN_LIMIT = 60.0
"""Seconds that a build may be missing after the queue has named it"""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """How a job that was followed has ended."""

    job: str
    verdict: Verdict
    build: Build | None
    """None when it never began"""
    reason: str = ""

    @property
    def fine(self) -> bool:
        return self.verdict is Verdict.SUCCESS


@dataclass
class Followed:
    """One job on its way; ``place`` is where it was last seen."""

    place: Queued | Begun
    next_number: int = 1
    """The number that its build had at least, when it was started"""
    build: Build | None = None
    waits: str = ""
    restarts: int = 0
    heirs: list[str] = field(default_factory=list)
    """Jobs that it may start, once it has ended"""
    since: float = field(default_factory=time.monotonic)

    @property
    def job(self) -> str:
        return self.place.job


class LimitReached(ImagecycleError):
    """The time to wait is over; the jobs go on at the controller."""


def follow(
    controller: Controller,
    started: Sequence[Followed],
    *,
    say: Say,
    report: Callable[[int, int, int], None] = lambda queued, running, ended: None,
    interval: float = INTERVAL,
    limit: float = LIMIT,
) -> list[Outcome]:
    """Wait until all have ended, and what they start as well.

    :param say: told each step of each job.
    :param report: told how many wait, run and have ended, at each look.
    :param limit: seconds after which to give up; nothing is cancelled then.
    :returns: how each of them ended, in that order.
    :raises LimitReached: naming those that have not ended.
    """
    deadline = time.monotonic() + limit
    active = list(started)
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while active:
            calls = [interrupts.submit(pool, _look, controller, one, say) for one in active]
            steps = [interrupts.result_of(call) for call in calls]
            active = []
            for one, outcome in steps:
                if outcome is not None:
                    outcomes.append(outcome)
                if one is not None:
                    active.append(one)
            running = sum(isinstance(one.place, Begun) for one in active)
            report(len(active) - running, running, len(outcomes))
            if active and time.monotonic() >= deadline:
                raise _limit_reached(controller, active, outcomes, limit)
            if active:
                time.sleep(max(0.0, min(interval, deadline - time.monotonic())))
    return outcomes


def _limit_reached(
    controller: Controller, active: Sequence[Followed], outcomes: Sequence[Outcome], limit: float
) -> LimitReached:
    folder = controller.account.folder
    open_ = [
        f"{one.job}, {one.build.url}"
        if one.build
        else f"{one.job}, {controller.url}/{job_path(one.job, folder)}/"
        for one in active
    ]
    failed = [f"{one.job} {one.verdict}" for one in outcomes if not one.fine]
    number = "1 job has" if len(open_) == 1 else f"{len(open_)} jobs have"
    also = f"; did not succeed: {', '.join(failed)}" if failed else ""
    return LimitReached(
        f"{number} not ended after {duration(limit)}: {'; '.join(open_)}{also}",
        hint="they go on at the controller: see `imagecycle jenkins status`, or wait longer "
        "with --limit",
    )


def _look(
    controller: Controller, one: Followed, say: Say
) -> tuple[Followed | None, Outcome | None]:
    """One look at one job: what to follow from now on, and what has ended."""
    if one.heirs:
        return _await_heir(controller, one, say), None
    try:
        if isinstance(one.place, Queued) and not _leave_queue(controller, one, say):
            return one, None
    except (Cancelled, Vanished) as error:
        say(f"{one.job}: {error.message}")
        return None, Outcome(one.job, Verdict.NOT_BUILT, None, error.message)
    assert isinstance(one.place, Begun)
    build = builds.read(controller, one.place)
    if build is None:
        return _missing(one, say)
    if build.verdict is Verdict.RUNNING:
        if one.build is None:
            say(f"{one.job}: runs as number {build.number}{_about(build.estimate)}, {build.url}")
        one.build = build
        return one, None
    outcome = _ended(one, build, say)
    one.heirs = builds.downstream(controller, one.job) if outcome.fine else []
    one.since = time.monotonic()
    return (one if one.heirs else None), outcome


def _leave_queue(controller: Controller, one: Followed, say: Say) -> bool:
    """Whether an executor has taken it; what the queue forgot is started again."""
    assert isinstance(one.place, Queued)
    try:
        found = begun(controller, one.place)
    except Vanished as vanished:
        if one.restarts >= RESTARTS or one.place.parameters is None:
            raise
        one.restarts += 1
        say(f"{one.job}: {vanished.message}; starting it again")
        parameters = dict(one.place.parameters)
        one.place = trigger(controller, one.job, parameters, next_number=one.next_number)
        return isinstance(one.place, Begun)
    if isinstance(found, str):
        if found != one.waits:
            one.waits = found
            say(f"{one.job}: waits: {found}")
        return False
    one.place = found
    one.since = time.monotonic()
    return True


def _missing(one: Followed, say: Say) -> tuple[Followed | None, Outcome | None]:
    """A build that the controller does not show: not yet, or not any more."""
    if one.build is None and time.monotonic() - one.since < BEGIN_LIMIT:
        return one, None
    reason = "the controller does not know its build any more"
    say(f"{one.job}: {reason}")
    return None, Outcome(one.job, Verdict.LOST, one.build, reason)


def _ended(one: Followed, build: Build, say: Say) -> Outcome:
    reason = ""
    if build.verdict is Verdict.LOST:
        reason = "the controller was restarted while it ran"
    say(
        f"{one.job}: {build.verdict} after {duration(build.seconds)}"
        f"{f': {reason}' if reason else ''}, {build.url}"
    )
    return Outcome(one.job, build.verdict, build, reason)


def _await_heir(controller: Controller, one: Followed, say: Say) -> Followed | None:
    """The job that an ended one has started, once it shows."""
    assert isinstance(one.place, Begun)
    for job in one.heirs:
        place = builds.started_by(controller, job, one.place)
        if place is not None:
            say(f"{one.job}: started {job}")
            return Followed(place)
    if time.monotonic() - one.since < CHAIN_LIMIT:
        return one
    say(f"{one.job}: did not start {' or '.join(one.heirs)}")
    return None


def _about(seconds: float) -> str:
    return f", about {duration(seconds)}" if seconds else ""


def duration(seconds: float) -> str:
    """``42 s``, ``12 min``, ``3 h``, ``5 d``: one unit is enough at a glance."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size or (unit == "min" and seconds >= 100):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
