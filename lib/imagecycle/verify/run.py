"""One run: the machines of a matrix side by side, and the checks that look at them."""

from __future__ import annotations

import contextlib
import datetime
import math
import os
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import systems
from imagecycle.artifacts import Artifact
from imagecycle.errors import ImagecycleError
from imagecycle.machine import virtual_machine
from imagecycle.machine.accelerator import TCG, Accelerator
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import (
    account,
    budgets,
    cases,
    checking,
    console,
    course,
    declared,
    guest,
    power_off,
    windows_declared,
)
from imagecycle.verify.course import Course
from imagecycle.verify.readiness import FIRST, Boot
from imagecycle.verify.report import MachineReport, Span
from imagecycle.verify.session import Session, Subject
from imagecycle.verify.verdict import CheckResult
from imagecycle.verify.way_in import SshWay, WayIn
from imagecycle.verify.windows_way import WinrmWay

MEMORY_FLOOR_MIB = 256
EMULATION = 6.0
"""How much longer a boot takes under software emulation, at most"""
CHECKS_LIMIT = 900.0
"""Seconds that all checks together may take after the boots."""
POLL = 0.05
STORAGE_INTERVAL = 3.0
_DONE = object()


@dataclass(frozen=True)
class Findings:
    """What a run has brought to light."""

    accelerator: Accelerator
    started_at: datetime.datetime
    ended_at: datetime.datetime
    results: Sequence[CheckResult]
    machines: Sequence[MachineReport]
    spans: Sequence[Span]
    total: float
    matrix: str


@dataclass(frozen=True)
class Run:
    """What a run works on."""

    family: Family
    site: Site
    artifact: Artifact
    folder: Path
    accelerator: Accelerator
    matrix: str = cases.CHEAPEST
    at_once: int = 2
    """How many machines may run at a time"""

    def carry_out(self) -> Findings:
        """Boot the machines, let the checks look at them, collect what there is to know.

        :raises EmulatorCrashed: when the machines did not live as long as it takes.
        """
        started_at = datetime.datetime.now(datetime.UTC)
        begun = time.monotonic()
        size = virtual_machine.virtual_size(self.artifact.disk)
        key = guest.make_key(self.folder)
        subjects = self._subjects(key)
        power_off_limit = power_off.LIMITS[self.accelerator.kind]
        session = Session(
            folder=self.folder,
            family=self.family.slug,
            flavour=self.family.flavour,
            distro=self.family.distro,
            admin_user=self.family.admin_user,
            disk=self.artifact.disk.resolve(),
            size=size,
            leave_out=self.family.leave_out_checks,
            added=declared.added(self.family),
            explained=declared.explained_here(self.family, self.site),
            budgets=budgets.of(
                self.family, slowness=EMULATION if self.accelerator.kind == TCG else 1.0
            ),
            boot_limit=self._limit(subjects),
            power_off_limit=power_off_limit,
            subjects=subjects,
            screen=self.family.screen,
            windows=windows_declared.of(self.family, self.site.windows.kms_host),
        )
        courses = [
            Course(
                family=self.family,
                artifact=self.artifact,
                way=self._way(),
                accelerator=self.accelerator,
                folder=self.folder,
                subject=subject,
                memory_mib=max(self.family.min_ram_mib, MEMORY_FLOOR_MIB),
                size=size,
                boot_limit=self._boot_limit,
                power_off_limit=power_off_limit,
            )
            for subject in subjects
        ]
        with contextlib.ExitStack() as stack:
            checks = stack.enter_context(
                checking.running(
                    self.folder, session.write(), self.site.checks, self.family.os_type
                )
            )
            self._follow(courses, checks, stack)
            ended = time.monotonic()
        results = checks.results()
        boots = [boot for course in courses for boot in course.boots]
        return Findings(
            accelerator=self.accelerator,
            started_at=started_at,
            ended_at=datetime.datetime.now(datetime.UTC),
            results=results,
            machines=_machine_reports(boots),
            spans=_spans(courses, begun, ended),
            total=round(time.monotonic() - begun, 2),
            matrix=self.matrix,
        )

    def _limit(self, subjects: Sequence[Subject]) -> float:
        """Seconds within which all must be known of every machine."""
        boots = sum(1 + len(subject.case.lives) for subject in subjects)
        return self._boot_limit * math.ceil(boots / self.at_once) + CHECKS_LIMIT

    @property
    def _boot_limit(self) -> float:
        windows = self.family.windows is not None
        return self.site.windows.boot_timeout if windows else self.site.boot_timeout

    def _way(self) -> WayIn:
        if self.family.windows is not None:
            return WinrmWay(self.folder, self.family.admin_user)
        return SshWay(self.folder, self.family.admin_user, systems.linux(self.family.distro))

    def _subjects(self, key: str) -> tuple[Subject, ...]:
        processors = max(1, min(2, os.cpu_count() or 1))
        return tuple(
            Subject(
                case,
                self.folder / case.name,
                course.new_instance(
                    case.name,
                    key,
                    second_card=case.second_card,
                    stateful_ipv6=case.stateful_ipv6,
                    windows=self.family.windows is not None,
                ),
            )
            for case in cases.of(self.family, self.matrix, processors)
        )

    def _follow(
        self, courses: Sequence[Course], checks: checking.Checks, stack: contextlib.ExitStack
    ) -> None:
        """Run the courses side by side, as many at once as there is room for, until all is done."""
        waiting = list(courses)
        under_way: dict[Generator[None, None, None], Course] = {}
        stack.callback(_close, under_way)
        begun = time.monotonic()
        deadline = begun + self._limit([one.subject for one in courses])
        next_look = begun + STORAGE_INTERVAL
        while waiting or under_way or not checks.done():
            while waiting and len(under_way) < self.at_once:
                first = waiting.pop(0)
                under_way[first.run()] = first
            for generator, one in list(under_way.items()):
                one.checked = checks.done() or one.subject.role != cases.INSTANCE
                if next(generator, _DONE) is _DONE:
                    del under_way[generator]
            if time.monotonic() > next_look:
                next_look += STORAGE_INTERVAL
                for one in under_way.values():
                    one.check_storage()
            if time.monotonic() > deadline:
                raise ImagecycleError(
                    f"the checks have not ended after {deadline - begun:.0f} s",
                    hint="run verify again with --keep and look at checks.log",
                )
            time.sleep(POLL)


def _close(under_way: dict[Generator[None, None, None], Course]) -> None:
    for generator in list(under_way):
        generator.close()


def _machine_reports(boots: Sequence[Boot]) -> list[MachineReport]:
    return [
        _machine_report(
            boot,
            # a machine's next life goes on in the same log
            next(
                (
                    b.console_from
                    for b in boots[at + 1 :]
                    if b.machine.folder == boot.machine.folder
                ),
                None,
            ),
        )
        for at, boot in enumerate(boots)
    ]


def _machine_report(boot: Boot, console_end: int | None) -> MachineReport:
    outcome = boot.outcome
    return MachineReport(
        role=boot.name,
        title=boot.case.title,
        firmware=boot.case.firmware,
        ready=outcome is not None and outcome.ready,
        seconds=outcome.seconds if outcome is not None else 0.0,
        reason=outcome.reason if outcome is not None else "it was not waited for",
        console=console.read(boot.machine.console, boot.console_from, console_end),
        firmware_log=console.read(boot.machine.firmware_log),
        screenshot_file=boot.screenshot if boot.screenshot.exists() else None,
        pace=outcome.pace if outcome is not None else 0.0,
        picture=outcome.picture if outcome is not None else "",
        evidence=outcome.evidence if outcome is not None else (),
        stages=dict(boot.observer.reached),
        frames=tuple(boot.observer.frames),
        memory_mib=account.memory_in_use(boot.account),
        disk_mib=account.disk_in_use(boot.account),
        seconds_asked=account.seconds_asked(boot.account),
    )


def _spans(courses: Sequence[Course], begun: float, ended: float) -> list[Span]:
    spans = []
    last = begun
    for boot in (boot for one in courses for boot in one.boots):
        seconds = boot.outcome.seconds if boot.outcome is not None else 0.0
        at = boot.machine.started - begun
        spans.append(Span(f"boot_{boot.name}", round(at, 2), seconds))
        if boot.case.name == cases.INSTANCE and boot.life == FIRST:
            last = boot.machine.started + seconds
    for span in (span for one in courses for span in one.spans):
        spans.append(Span(span.name, round(span.begin - begun, 2), span.seconds))
    spans.append(Span("checks", round(last - begun, 2), round(ended - last, 2)))
    return spans
