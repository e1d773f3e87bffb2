"""A quarter of a large site in simulated time: rendered jobs, agents, failures, restarts.

What is decided is decided by the real code: which family is due by ``lifecycle.due``, whether a
build is needed by ``model.newest_since``, what starts what by the rendered XML. Simulated are the
agents, the time that a stage takes, what fails, and a controller that loses its queue and its
running builds, as Jenkins does with freestyle jobs when it is killed.
"""

from __future__ import annotations

import collections
import datetime
import heapq
import itertools
import random
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from imagecycle.jobs import due, names
from imagecycle.jobs.due import Made, Wanted
from imagecycle.model import Release, newest_since
from joblibrary.runner import Order, Run, parameters_of, triggered

DAY = 86400.0
MEDIANS = {"build": 54.0, "verify": 126.0, "publish": 8.0}
"""Seconds, of docs/benchmarks.rst"""
NOTHING_TO_DO = 1.5
QUARTER = "linux-quarter"
BEGIN = datetime.date(2027, 1, 1)
_TRIGGER = "publishers/hudson.plugins.parameterizedtrigger.BuildTrigger"


@dataclass(frozen=True)
class Luck:
    """What goes wrong, as probabilities of one run; ``restarts`` are seconds since the start."""

    failure: float = 0.0
    """Of any stage, for a reason that passes"""
    defects: float = 0.0
    """Of an image; somebody mends it the next day"""
    restarts: Sequence[float] = ()


@dataclass
class World:
    """What exists outside of the controller: the artifact folders and the cloud."""

    releases: dict[str, dict[Release, Made]] = field(default_factory=dict)
    worked: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    """How often each stage of a family really did something to its end"""


class Site:
    """The controller with its agents, each with one executor."""

    def __init__(
        self, jobs: Mapping[str, ElementTree.Element], agents: int, seed: int, luck: Luck
    ) -> None:
        self._jobs = jobs
        self._luck = luck
        self._random = random.Random(seed)
        self._free = agents
        self._queue: list[Order] = []
        self._running: dict[int, Order] = {}
        self._events: list[tuple[float, int, str, int]] = []
        self._numbers = itertools.count()
        self.now = 0.0
        self.busy = 0.0
        self.finished = 0.0
        families = (names.family_and_stage(name) for name in jobs)
        self.families = sorted({f[0] for f in families if f and f[1] == "build"})
        self.world = World({family: {} for family in self.families})
        self.seconds = {
            (family, stage): self._random.lognormvariate(0, 0.4) * median
            for family in self.families
            for stage, median in MEDIANS.items()
        }

    def go(self, days: int) -> None:
        """Let days pass; the quarter's job looks every morning."""
        for day in range(days):
            self._at(day * DAY, "morning")
        for moment in self._luck.restarts:
            self._at(moment, "restart")
        while self._events:
            self.now, number, what, _ = heapq.heappop(self._events)
            if what == "morning":
                self._morning()
            elif what == "restart":
                self._restart()
            elif number in self._running:
                self._end(number)
            self._fill()

    def unpublished(self) -> list[str]:
        """The families without a release of this quarter in the cloud."""
        return [
            family
            for family, made in self.world.releases.items()
            if not any(entry.published for entry in made.values())
        ]

    @property
    def _today(self) -> datetime.date:
        return BEGIN + datetime.timedelta(days=int(self.now // DAY))

    def _at(self, moment: float, what: str) -> int:
        number = next(self._numbers)
        heapq.heappush(self._events, (moment, number, what, 0))
        return number

    def _morning(self) -> None:
        for family, made in self.world.releases.items():  # somebody has mended the image
            if made and made[max(made)].verdict == "failed":
                self._put(Order(names.job(family, "build"), {"RELEASE": "mended"}))
        self._put(Order(QUARTER, {}))

    def _restart(self) -> None:
        self._free += len(self._running)
        self._running.clear()
        self._queue.clear()

    def _put(self, order: Order) -> None:
        values = parameters_of(self._jobs[order.job], order.parameters)
        if (order.job, values) not in [(one.job, one.parameters) for one in self._queue]:
            self._queue.append(Order(order.job, values, order.started_by))

    def _fill(self) -> None:
        active = {order.job for order in self._running.values()}
        for order in list(self._queue):
            if self._free == 0:
                return
            if order.job in active:  # no job runs beside itself
                continue
            self._queue.remove(order)
            self._free -= 1
            active.add(order.job)
            seconds = self._needed(order)
            self.busy += seconds
            self._running[self._at(self.now + seconds, "end")] = order

    def _needed(self, order: Order) -> float:
        known = names.family_and_stage(order.job)
        if known is None or not self._has_work(*known, order):
            return NOTHING_TO_DO
        return self.seconds[known]

    def _has_work(self, family: str, stage: str, order: Order) -> bool:
        made = self.world.releases[family]
        if stage == "build":
            if order.parameters["RELEASE"] == "mended":
                return True
            return newest_since(made, Release.parse(order.parameters["SINCE"])) is None
        entry = made[Release.parse(order.parameters["RELEASE"])]
        return not entry.published if stage == "publish" else entry.verdict != "passed"

    def _end(self, number: int) -> None:
        order = self._running.pop(number)
        self._free += 1
        run = Run(order.job, number, order.parameters, Path(), order.started_by)
        files = self._work(run)
        self.finished = self.now
        publisher = self._jobs[order.job].find(_TRIGGER)
        if publisher is not None:
            for following in triggered(run, publisher, {}, files.get):
                self._put(following)

    def _work(self, run: Run) -> dict[str, str]:
        """Do what a job does; returns the files that it leaves in its workspace."""
        if run.job == QUARTER:
            wanted = [Wanted(family, "quarter") for family in self.families]
            made = {family: list(found.values()) for family, found in self.world.releases.items()}
            answers = due.decide(wanted, made, self._today)
            return {f"due/{a.family}.properties": f"SINCE={a.since}" for a in answers if a.due}
        known = names.family_and_stage(run.job)
        assert known is not None
        family, stage = known
        order = Order(run.job, run.parameters)
        made = self.world.releases[family]
        if self._has_work(family, stage, order):
            if self._random.random() < self._luck.failure:
                run.result = "FAILURE"
                return {}
            self.world.worked[known] += 1
            if stage == "build":
                release = Release(self._today)
                while release in made:
                    release = Release(release.date, release.serial + 1)
                made[release] = Made(release)
            elif stage == "verify":
                release = Release.parse(run.parameters["RELEASE"])
                bad = self._random.random() < self._luck.defects
                made[release] = replace(made[release], verdict="failed" if bad else "passed")
                run.result = "UNSTABLE" if bad else "SUCCESS"
            else:
                release = Release.parse(run.parameters["RELEASE"])
                made[release] = replace(made[release], published=True)
        release = max(made) if stage == "build" else Release.parse(run.parameters["RELEASE"])
        return {"records/release.properties": f"FAMILY={family}\nRELEASE={release}"}
