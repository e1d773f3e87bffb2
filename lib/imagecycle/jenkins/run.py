"""Start the jobs of families at the controller, and wait for them if asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imagecycle import log
from imagecycle.errors import (
    EXIT_DEFECTS,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    ImagecycleError,
    Unreachable,
    suggestion,
)
from imagecycle.jenkins import build as builds
from imagecycle.jenkins.build import Verdict
from imagecycle.jenkins.client import Refused
from imagecycle.jenkins.controller import Controller, job_path
from imagecycle.jenkins.follow import INTERVAL, LIMIT, Followed, Outcome, follow
from imagecycle.jenkins.trigger import Begun, trigger
from imagecycle.jobs import names

TAIL_LINES = 20
"""Lines of a failed build's console that are shown"""


class RunFailed(ImagecycleError):
    """Some of the jobs that were followed did not succeed."""

    def __init__(self, failed: Sequence[Outcome], total: int) -> None:
        first = failed[0]
        super().__init__(
            f"{len(failed)} of {total} jobs did not succeed: "
            f"{', '.join(f'{one.job} {one.verdict}' for one in failed[:5])}",
            hint=f"see {first.build.url}console" if first.build else "run this again",
        )
        unstable = all(one.verdict is Verdict.UNSTABLE for one in failed)
        self.exit_code = EXIT_DEFECTS if unstable else EXIT_FAILED


class Detached(ImagecycleError):
    """Interrupted while waiting; the jobs go on at the controller."""

    exit_code = EXIT_INTERRUPTED


def run(
    controller: Controller,
    families: Sequence[str],
    *,
    stage: str = names.STAGES[0],
    parameters: Mapping[str, str] | None = None,
    wait: bool = False,
    interval: float = INTERVAL,
    limit: float = LIMIT,
) -> list[Outcome]:
    """Start a stage of families, all at once; the stages after it follow by themselves.

    :param parameters: of the job, such as RELEASE and CLOUD; the job's own defaults otherwise.
    :param wait: follow them, and what they start, to the end.
    :param limit: seconds to wait at most.
    :returns: how they ended; nothing without ``wait``.
    :raises RunFailed: when one that was followed did not succeed.
    :raises LimitReached: when some have not ended in time; they go on.
    """
    jobs = [names.job(family, stage) for family in dict.fromkeys(families)]
    numbers = _next_numbers(controller, jobs)
    started = []
    for job in jobs:
        place = trigger(controller, job, parameters or {}, next_number=numbers[job])
        log.say(f"{job}: started, {_address(controller, job)}")
        started.append(Followed(place, numbers[job]))
    if not wait:
        return []
    try:
        outcomes = _follow(controller, started, interval, limit)
    except KeyboardInterrupt:
        raise Detached(
            "interrupted; the jobs go on at the controller",
            hint="`imagecycle jenkins status` shows how they do; stop them in Jenkins",
        ) from None
    failed = [one for one in outcomes if not one.fine]
    for one in failed:
        _show_tail(controller, one)
    if failed:
        raise RunFailed(failed, len(outcomes))
    return outcomes


def _follow(
    controller: Controller, started: Sequence[Followed], interval: float, limit: float
) -> list[Outcome]:
    with log.phases("jobs", len(started)) as report:
        shown = (0, "")

        def counted(queued: int, running: int, ended: int) -> None:
            nonlocal shown
            words = f"ended, {running} running, {queued} waiting"
            if (ended, words) != shown:
                shown = (ended, words)
                report(min(ended, len(started)), words)

        return follow(
            controller, started, say=log.say, report=counted, interval=interval, limit=limit
        )


def _next_numbers(controller: Controller, jobs: Sequence[str]) -> dict[str, int]:
    """The number that each job's next build will have; all in one request.

    :raises ImagecycleError: when a job is missing or disabled.
    """
    above = job_path("", controller.account.folder)
    path = f"{above}/api/json" if above else "api/json"
    found = controller.get(path, tree="jobs[name,buildable,nextBuildNumber]")
    there = {job["name"]: job for job in found.get("jobs", []) if "name" in job}
    for job in jobs:
        if job not in there:
            raise ImagecycleError(
                f"{controller.url}: there is no job {job}{suggestion(job, there)}",
                hint="bring the jobs to the controller with `imagecycle jenkins sync`",
            )
        if there[job].get("buildable") is False:
            raise ImagecycleError(
                f"{controller.url}: {job} is disabled", hint="enable it in Jenkins"
            )
    return {job: int(there[job].get("nextBuildNumber", 1)) for job in jobs}


def _show_tail(controller: Controller, outcome: Outcome) -> None:
    if outcome.build is None:
        return
    try:
        lines = builds.console_tail(
            controller, Begun(outcome.job, outcome.build.number), TAIL_LINES
        )
    except (Refused, Unreachable) as error:
        log.warn(f"{outcome.job}: its console cannot be read: {error.message}")
        return
    log.say(f"{outcome.job}: the last {len(lines)} lines of its console:")
    for line in lines:
        log.say(f"  | {line}")


def _address(controller: Controller, job: str) -> str:
    return f"{controller.url}/{job_path(job, controller.account.folder)}/"
