"""The report: one HTML page that holds all there is to know of a verification."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from imagecycle.verify.verdict import FAILED, LEFT_OUT, NOT_RUN, PASSED, CheckResult

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class MachineReport:
    """What is shown of one machine."""

    role: str
    firmware: str
    ready: bool
    seconds: float
    reason: str
    console: str
    firmware_log: str
    screenshot_file: Path | None

    @property
    def screenshot(self) -> str:
        """The picture in base64; empty when there is none."""
        if self.screenshot_file is None or not self.screenshot_file.exists():
            return ""
        return base64.b64encode(self.screenshot_file.read_bytes()).decode()


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
) -> str:
    """The page, as HTML.

    :param record: what ``verify.json`` holds.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    total = max(record["durations"]["total"], 0.001)
    return environment.get_template(TEMPLATE).render(
        title=title,
        family=record["family"],
        release=record["release"],
        verdict=record["verdict"],
        started_at=record["started_at"],
        durations=record["durations"],
        summary=summary(results),
        defects=[result for result in results if result.outcome in (FAILED, NOT_RUN)],
        checks=results,
        machines=machines,
        timeline=[
            {
                "name": span.name.replace("_", " of the ").capitalize(),
                "seconds": span.seconds,
                "left": round(100 * span.begin / total, 2),
                "width": max(0.3, round(100 * span.seconds / total, 2)),
            }
            for span in spans
        ],
        facts=list(facts.items()),
    )


def summary(results: Sequence[CheckResult]) -> str:
    """``31 checks passed, 2 failed``."""
    counts = [
        f"{count} {outcome}"
        for outcome in (PASSED, FAILED, NOT_RUN, LEFT_OUT)
        if (count := sum(result.outcome == outcome for result in results))
    ]
    return f"{len(results)} checks: {', '.join(counts)}" if counts else "no checks"
