"""The report: one HTML page that holds all there is to know of a verification."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from imagecycle.verify import pictures, security_results
from imagecycle.verify.comparison import Comparison
from imagecycle.verify.film import Frame
from imagecycle.verify.verdict import FAILED, LEFT_OUT, NOT_RUN, PASSED, CheckResult

TEMPLATE = "report.html.j2"
CONSOLE_LINES = 4000
"""Shown of a console; the end of a longer one, all of which lies beside the report"""
LINE_CHARACTERS = 2000
"""Shown of a console's line"""
NAMED = 12
"""Checks named in one line"""
MARKED_LINES = 40
"""Listed apart from the console"""


@dataclass(frozen=True)
class MachineReport:
    """What is shown of one machine, or of one of its later lives."""

    role: str
    title: str
    """What it is made of"""
    firmware: str
    ready: bool
    seconds: float
    reason: str
    console: str
    firmware_log: str
    screenshot_file: Path | None
    pace: float = 0.0
    """Seconds without those in which it waited for a processor"""
    picture: str = ""
    evidence: Sequence[str] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
    """Seconds at which each was reached"""
    frames: Sequence[Frame] = ()
    memory_mib: int | None = None
    """In use at rest"""
    disk_mib: int | None = None
    seconds_asked: float | None = None
    """That it took, by the guest's clock, to answer what it was asked"""
    has_screen: bool = True
    """Whether screens could be taken at all"""

    @property
    def film(self) -> list[dict[str, str]]:
        """Pictures in base64 with their times, the screen at the end last."""
        shown = [(frame.path, f"{frame.seconds:.0f} s") for frame in self.frames]
        if self.screenshot_file is not None:
            shown.append((self.screenshot_file, "login" if self.ready else "the end"))
        return [
            {"time": time, "data": base64.b64encode(path.read_bytes()).decode()}
            for path, time in shown
            if path.exists()
        ]

    @property
    def timeline(self) -> list[dict[str, Any]]:
        """The stages of the boot as parts of a bar."""
        total = max([self.seconds, *self.stages.values(), 0.001])
        names = list(self.stages)
        ends = [*list(self.stages.values())[1:], max(self.seconds, *self.stages.values(), 0.0)]
        return (
            [
                {
                    "name": name,
                    "at": self.stages[name],
                    "seconds": max(0.0, end - self.stages[name]),
                    "left": round(100 * self.stages[name] / total, 2),
                    "width": max(0.4, round(100 * max(0.0, end - self.stages[name]) / total, 2)),
                }
                for name, end in zip(names, ends, strict=True)
            ]
            if self.stages
            else []
        )

    @property
    def lines(self) -> list[tuple[str, bool]]:
        """The console's lines, and which of them a person would look at first."""
        said = self.console.splitlines()[-CONSOLE_LINES:]
        lines = [line[:LINE_CHARACTERS] for line in said]
        return [(line, pictures.TROUBLE.search(line) is not None) for line in lines]

    @property
    def marked(self) -> list[str]:
        """The suspicious lines alone."""
        return [line.strip() for line, marked in self.lines if marked][:MARKED_LINES]


@dataclass(frozen=True)
class Span:
    """A bar of the timeline: seconds from the start of the run, and how long."""

    name: str
    begin: float
    seconds: float


def render(
    *,
    record: Mapping[str, Any],
    title: str,
    results: Sequence[CheckResult],
    machines: Sequence[MachineReport],
    spans: Sequence[Span],
    facts: Mapping[str, str],
    comparison: Comparison | None = None,
) -> str:
    """The page, as HTML.

    :param record: what ``verify.json`` holds.
    """
    total = max(record["durations"]["total"], 0.001)
    return (
        environment()
        .get_template(TEMPLATE)
        .render(
            title=title,
            family=record["family"],
            release=record["release"],
            verdict=record["verdict"],
            reason=reason(record["verdict"], results, machines),
            started_at=record["started_at"],
            durations=record["durations"],
            summary=summary(results),
            defects=[result for result in results if result.outcome in (FAILED, NOT_RUN)],
            left_out=[result for result in results if result.outcome == LEFT_OUT],
            checks=results,
            machines=machines,
            comparison=comparison,
            profile=security_results.of(record),
            timeline=[
                {
                    "name": span.name.replace("_", " of the ").replace("-", ", ").capitalize(),
                    "seconds": span.seconds,
                    "left": round(100 * span.begin / total, 2),
                    "width": max(0.3, round(100 * span.seconds / total, 2)),
                }
                for span in spans
            ],
            facts=list(facts.items()),
        )
    )


def environment() -> jinja2.Environment:
    """Of the templates in this folder; every string is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def reason(verdict: str, results: Sequence[CheckResult], machines: Sequence[MachineReport]) -> str:
    """The verdict's reason in one sentence."""
    passed = sum(result.outcome == PASSED for result in results)
    boots = f"{len(machines)} boot{'s' if len(machines) != 1 else ''}"
    if verdict == PASSED:
        return f"All {passed} checks passed in {boots}."
    failed = [result for result in results if result.outcome == FAILED]
    failed = failed or [result for result in results if result.outcome == NOT_RUN]
    if not failed:
        return "No check was run."
    failed.sort(key=lambda result: not result.id.startswith("boot."))  # what explains the others
    first = failed[0].message.splitlines()[0] if failed[0].message else failed[0].name
    more = len(failed) - 1
    others = f", and {more} more check{'s' if more > 1 else ''} failed" if more else ""
    return f"{failed[0].name}: {first}{others}."


def defect_lines(defects: Sequence[CheckResult]) -> list[str]:
    """What to say of each defect; once of those that have one reason."""
    lines = []
    same: dict[tuple[str, str], list[CheckResult]] = {}
    for one in sorted(defects, key=lambda one: one.outcome != FAILED):
        same.setdefault(
            (one.outcome, one.message if one.outcome == NOT_RUN else one.id), []
        ).append(one)
    for found in same.values():
        message = textwrap.shorten(found[0].message, 160, placeholder=" ...")
        more = f" and {len(found) - 1} more" if found[1:] else ""
        lines.append(f"{found[0].outcome}: {found[0].id}{more}: {message}")
    return lines


def names(defects: Sequence[CheckResult]) -> str:
    """The checks with defects, the failed ones first, and no more than a person reads."""
    known = [one.id for one in sorted(defects, key=lambda one: one.outcome != FAILED)]
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return ", ".join(known[:NAMED]) + more


def summary(results: Sequence[CheckResult]) -> str:
    """``31 checks passed, 2 failed``."""
    counts = [
        f"{count} {outcome}"
        for outcome in (PASSED, FAILED, NOT_RUN, LEFT_OUT)
        if (count := sum(result.outcome == outcome for result in results))
    ]
    return f"{len(results)} checks: {', '.join(counts)}" if counts else "no checks"
