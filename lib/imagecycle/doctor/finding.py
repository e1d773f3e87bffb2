"""What a check of the doctor gives."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from imagecycle.site import Site


class Verdict(enum.StrEnum):
    """``failed`` is kept for what building needs; what only hinders is a warning."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What was seen of one thing, and the way out unless it is as it should be."""

    verdict: Verdict
    seen: str
    way_out: str = ""
    name: str = ""


Check = Callable[[Site, bool], Finding]
"""Looks at one thing of a site's machine; with True, without believing what is remembered."""


def ok(seen: str) -> Finding:
    """It is as it should be."""
    return Finding(Verdict.OK, seen)


def warning(seen: str, way_out: str) -> Finding:
    """It hinders, or will."""
    return Finding(Verdict.WARNING, seen, way_out)


def failed(seen: str, way_out: str) -> Finding:
    """Nothing can be built like this."""
    return Finding(Verdict.FAILED, seen, way_out)
