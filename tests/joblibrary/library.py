"""The job library of this repository with a small matrix: rendered once, and copies to change."""

from __future__ import annotations

import functools
import re
import shutil
import tempfile
from pathlib import Path

from imagecycle.jobs.rendering import Rendered, render_all
from imagecycle.site import JOBS

MATRIX = {"debian-12": {"x86_64": ["base", "server"]}}
OTHERS = ("windows.yaml",)
"""Matrices that are left away"""


@functools.cache
def rendered() -> Rendered:
    with tempfile.TemporaryDirectory() as folder:
        return render_all(copy(Path(folder)))


def copy(folder: Path) -> Path:
    """A copy of the library that a test may change; its only matrix is :data:`MATRIX`."""
    jobs = Path(shutil.copytree(JOBS, folder / "jobs", ignore=shutil.ignore_patterns(*OTHERS)))
    with_systems(jobs, MATRIX)
    return jobs


def change(jobs: Path, file: str, old: str, new: str) -> None:
    path = jobs / file
    text = path.read_text()
    assert old in text, f"{file} has no {old!r}"
    path.write_text(text.replace(old, new))


def line(jobs: Path, file: str, text: str) -> int:
    """The number of the first line that contains a text."""
    lines = (jobs / file).read_text().splitlines()
    return next(number for number, found in enumerate(lines, start=1) if text in found)


def with_systems(jobs: Path, systems: dict[str, dict[str, list[str]]]) -> None:
    """Put other systems into the matrix of Linux."""
    path = jobs / "linux.yaml"
    lines = [f"      {name}: {machines}".replace("'", "") for name, machines in systems.items()]
    found = re.sub(
        r"(    systems:\n)(      .*\n)+", r"\1" + "\n".join(lines) + "\n", path.read_text()
    )
    path.write_text(found)


def with_checkout(jobs: Path, checkout: Path) -> None:
    """Let the jobs call the scripts of another checkout."""
    change(jobs, "defaults.yaml", "checkout: /opt/imagecycle", f"checkout: {checkout}")
