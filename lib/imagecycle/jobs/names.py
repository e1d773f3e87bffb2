"""What the jobs are called: see ``jobs/family.yaml``, where the names are made."""

from __future__ import annotations

STAGES = ("build", "verify", "publish")
"""In the order of a family's way; each starts the next one"""
REFUSED = frozenset("?*/\\%!@#$^&|<>[]:;")
"""What Jenkins takes in no name (``jenkins.model.Jenkins.checkGoodName``)"""


def job(family: str, stage: str) -> str:
    """The job of a family's stage: ``debian-12-x86_64-server-build``."""
    return f"{family}-{stage}"


def family_and_stage(name: str) -> tuple[str, str] | None:
    """The family and the stage of a job; None for a job of another kind."""
    family, _, stage = name.rpartition("-")
    return (family, stage) if family and stage in STAGES else None
