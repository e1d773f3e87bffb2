"""How long it takes to render and check the jobs of 1,000 families, beside ``jenkins-jobs``."""

from __future__ import annotations

import math
import os
import shutil
import statistics
import sys
from pathlib import Path

from bench.table import Row
from imagecycle import command
from imagecycle.site import CATALOG, Site
from joblibrary import library

FAMILIES = 1000
FLAVOURS = ("base", "server", "desktop", "small")
ARCHITECTURES = ("x86_64", "aarch64")
EACH = len(FLAVOURS) * len(ARCHITECTURES)
"""Families of one catalog file"""
LIB = Path(__file__).parents[2] / "lib"
HOW = (
    f"whole processes, for {FAMILIES} families of {FAMILIES // EACH} catalog files: "
    "`imagecycle jobs check` loads the catalog, renders and checks; `jenkins-jobs test` renders"
)


def rows(_site: Site, scratch: Path) -> list[Row]:
    """One row: both render the same library."""
    jobs, settings = library_of(FAMILIES, scratch), catalog_of(FAMILIES, scratch)
    check = [sys.executable, "-P", "-m", "imagecycle", "--site", settings, "jobs", "check"]
    program = Path(sys.executable).with_name("jenkins-jobs")
    ours, theirs = [], []
    for turn in range(int(os.environ.get("IMAGECYCLE_BENCH_RUNS", "3"))):
        env = {"PYTHONPATH": str(LIB)}
        ours.append(command.run([*check, "--jobs", jobs], timeout=300, env=env).seconds)
        out = scratch / f"out-{turn}"
        theirs.append(command.run([program, "test", jobs, "-o", out], timeout=300).seconds)
    measured, reference = statistics.median(ours), statistics.median(theirs)
    ratio = measured / reference
    return [Row("jobs check", measured, "s", reference, ratio, "at most 10 s", HOW)]


def library_of(families: int, scratch: Path) -> Path:
    """A job library whose matrix has at least as many families: those of :func:`catalog_of`."""
    jobs = library.copy(scratch)
    matrix = {architecture: list(FLAVOURS) for architecture in ARCHITECTURES}
    count = math.ceil(families / EACH)
    library.with_systems(jobs, {f"debian-{number}": matrix for number in range(count)})
    return jobs


def catalog_of(families: int, scratch: Path) -> Path:
    """A settings file that names a catalog with as many families, rounded up to whole files."""
    catalog = scratch / "images"
    catalog.mkdir()
    shutil.copy(CATALOG / "debian.preseed.j2", catalog)
    text = (CATALOG / "debian-12.yaml").read_text()
    for name in FLAVOURS:
        if f"\n  {name}:\n" in text:
            continue
        text += f"  {name}:\n    title: {name}\n    description: {name}\n    extends: base\n"
    for number in range(math.ceil(families / EACH)):
        declared = text.replace('\nversion: "12"', f'\nversion: "{number}"')
        (catalog / f"debian-{number}.yaml").write_text(declared)
    settings = scratch / "site.yaml"
    settings.write_text(f"home: {scratch}\ncatalog: {catalog}\n")
    return settings
