"""Bring the jobs and views of this library to the controller.

One request lists what is there with the marks; one more goes out for each job that changed, several
at a time; a last listing proves that all arrived. It can be interrupted and run again.
"""

from __future__ import annotations

import collections
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import quote

from imagecycle import interrupts, log
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.jenkins import changes as deciding
from imagecycle.jenkins import marker
from imagecycle.jenkins.changes import Action, Change, Changes, Item, Kind, NotOurs, Wanted
from imagecycle.jenkins.client import Refused
from imagecycle.jenkins.controller import Controller, job_path

OWNER = "imagecycle"
AT_ONCE = 8
"""Requests under way at the same time"""
DEPTH = 4
"""Levels of folders in which jobs are looked for"""
PROGRESS = 0.5
"""Seconds between two looks at what has been sent"""
SHOWN = 30
"""Changes that are all named as they are made; of more, one a second"""


class NotSynced(ImagecycleError):
    """Some jobs could not be brought to the controller."""


def sync(
    controller: Controller,
    jobs: Mapping[str, str],
    views: Mapping[str, str],
    *,
    owner: str = OWNER,
    dry_run: bool = False,
    force: bool = False,
    take_over: bool = False,
    max_deletions: int = deciding.MAX_DELETIONS,
) -> Changes:
    """Create, update and delete what this library owns, and nothing else.

    :param jobs: XML by name; likewise ``views``.
    :param owner: the name in the marks; another one for a second library on one controller.
    :returns: what was done, or with ``dry_run`` would be.
    :raises NotSynced: when some changes failed; the others are made.
    """
    if not marker.OWNER.fullmatch(owner):
        raise UsageError(f"not a name of an owner: {owner}", hint="use letters, digits, _ . and -")
    wanted = [
        *(Wanted(Kind.JOB, name, xml) for name, xml in jobs.items()),
        *(Wanted(Kind.VIEW, name, xml) for name, xml in views.items()),
    ]
    decided = deciding.decide(
        wanted,
        listing(controller),
        owner=owner,
        force=force,
        take_over=take_over,
        max_deletions=max_deletions,
    )
    if not dry_run and decided.changes:
        _apply(controller, decided.changes)
        _prove(controller, decided.changes)
    return decided


def listing(controller: Controller) -> list[Item]:
    """All jobs, in folders too, and the views of the top, with their descriptions."""
    fields = "jobs[name,description]"
    for _ in range(DEPTH - 1):
        fields = f"jobs[name,description,{fields}]"
    path = "/".join(part for part in (job_path("", controller.account.folder), "api/json") if part)
    try:
        found = controller.get(path, tree=f"{fields},views[name,description]")
    except Refused as refused:
        if refused.status == 404 and controller.account.folder:
            raise Refused(
                f"{controller.url}: there is no folder {controller.account.folder}",
                404,
                hint="make it in Jenkins, or leave out JENKINS_FOLDER",
            ) from None
        raise
    views = [
        Item(Kind.VIEW, view["name"], view.get("description") or "")
        for view in found.get("views", [])
        if "name" in view
    ]
    return [*_jobs(found, ""), *views]


def _jobs(folder: Mapping[str, Any], prefix: str) -> Iterator[Item]:
    for job in folder.get("jobs", []):
        if "name" in job:
            name = f"{prefix}{job['name']}"
            yield Item(Kind.JOB, name, job.get("description") or "")
            yield from _jobs(job, f"{name}/")


def _apply(controller: Controller, changes: tuple[Change, ...]) -> None:
    sending = _Sending(controller)
    with (
        log.phases("jobs and views", len(changes)) as report,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        progress = _Progress(report, len(changes), sending.done)
        try:
            for _, group in itertools.groupby(changes, _turn):
                sending.left.extend(group)
                calls = {interrupts.submit(pool, sending.work) for _ in range(AT_ONCE)}
                while calls:
                    with interrupts.held():
                        ended, calls = wait(calls, PROGRESS, return_when=FIRST_EXCEPTION)
                    progress.show()
                    for call in ended:
                        interrupts.result_of(call)
        except BaseException:
            sending.left.clear()
            raise
    if failures := sending.failures:
        for failure in failures[:SHOWN]:
            log.warn(failure)
        raise NotSynced(
            f"{len(failures)} of {len(changes)} changes failed: {failures[0]}",
            hint="mend the cause and run this again; it goes on where this ended",
        )


class _Sending:
    """Changes that several threads take from one list."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.left: collections.deque[Change] = collections.deque()
        self.done: list[Change] = []
        self.failures: list[str] = []

    def work(self) -> None:
        """Send what is left, until nothing is; in a thread."""
        while True:
            try:
                change = self.left.popleft()
            except IndexError:
                return
            self._send(change)

    def _send(self, change: Change) -> None:
        try:
            _send(self._controller, change)
        except (Refused, NotOurs) as error:
            self.failures.append(f"cannot {change}: {error.message}")
        self.done.append(change)


class _Progress:
    """Each change by its name, and of very many only one a second."""

    def __init__(
        self, report: Callable[[int, str], None], total: int, done: Sequence[Change]
    ) -> None:
        self._report = report
        self._total = total
        self._done = done
        self._shown = 0
        self._last = 0.0

    def show(self) -> None:
        """Tell what has been done since this was last called."""
        done = len(self._done)
        if done == self._shown:
            return
        now = time.monotonic()
        if self._total <= SHOWN:
            for number in range(self._shown, done):
                self._report(number + 1, str(self._done[number]))
        elif now - self._last >= 1 or done == self._total:
            self._report(done, str(self._done[done - 1]))
            self._last = now
        self._shown = done


def _turn(change: Change) -> tuple[bool, Kind, int]:
    """Changes of one turn may be made in any order: a folder comes before what is in it."""
    return change.action is Action.DELETE, change.kind, change.name.count("/")


def _send(controller: Controller, change: Change) -> None:
    parent, _, short = change.name.rpartition("/")
    folder = "/".join(part for part in (controller.account.folder, parent) if part)
    above = f"{job_path('', folder)}/" if folder else ""
    where = f"{above}{change.kind}/{quote(short, safe='')}"
    xml = marker.put(change.xml, change.mark) if change.mark else ""
    if change.action is Action.CREATE:
        create = "createItem" if change.kind is Kind.JOB else "createView"
        try:
            controller.post(f"{above}{create}", xml, name=short)
        except Refused as refused:
            if "already exists" not in refused.message:
                raise
            _ensure_ours(controller, where, change)
    elif change.action is Action.UPDATE:
        controller.post(f"{where}/config.xml", xml)
    else:
        try:
            controller.post(f"{where}/doDelete")
        except Refused as refused:
            if refused.status != 404:
                raise


def _ensure_ours(controller: Controller, where: str, change: Change) -> None:
    """That a job which suddenly exists is the one whose creation brought us no answer."""
    found = controller.get(f"{where}/api/json", tree="description")
    if marker.find(found.get("description") or "") != change.mark:
        raise NotOurs(
            f"{change.kind} {change.name} has been made by somebody else meanwhile",
            hint="run this again to see whose it is",
        )


def _prove(controller: Controller, changes: tuple[Change, ...]) -> None:
    """See that the controller shows what was sent."""
    there = {(one.kind, one.name): marker.find(one.description) for one in listing(controller)}
    wrong = [
        change
        for change in changes
        if there.get((change.kind, change.name)) != change.mark
        or (change.mark is None and (change.kind, change.name) in there)
    ]
    if wrong:
        raise NotSynced(
            f"the controller does not show {len(wrong)} of {len(changes)} changes, "
            f"such as: {wrong[0]}",
            hint="somebody else may have changed it at the same time; run this again",
        )
