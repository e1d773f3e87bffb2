"""What a benchmark gives: rows that are measured in one run on one machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement, beside what it is compared with."""

    name: str
    measured: float
    unit: str
    reference: float | None
    """The same quantity of what it is compared with"""
    ratio: float | None
    """measured / reference"""
    target: str
    """What it should come to: ``at most 1.00``"""
    how: str
    """How both were measured, in one sentence"""
