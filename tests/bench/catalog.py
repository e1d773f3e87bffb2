"""How long it takes to load, validate and render a catalog of 500 families."""

from __future__ import annotations

import os
import resource
import statistics
import sys
from pathlib import Path

from bench.jobs import EACH, LIB, catalog_of
from bench.table import Row
from imagecycle import command
from imagecycle.site import Site

FAMILIES = 500
HOW = (
    f"`imagecycle list` of {FAMILIES} families, as a whole process: it loads every file, validates "
    "it, and renders the answers of every system to find mistakes in templates"
)


def rows(_site: Site, scratch: Path) -> list[Row]:
    """Medians of whole processes: by the clock, and of processor time."""
    settings = catalog_of(FAMILIES, scratch)
    argv = [sys.executable, "-P", "-m", "imagecycle", "--site", str(settings), "list"]
    env = {"PYTHONPATH": str(LIB)}
    taken, worked = [], []
    for _ in range(int(os.environ.get("IMAGECYCLE_BENCH_RUNS", "3"))):
        before = _processor_time()
        done = command.run(argv, timeout=300, env=env)
        worked.append(_processor_time() - before)
        assert FAMILIES <= done.stdout.count("debian-") < FAMILIES + EACH
        taken.append(done.seconds)
    name = f"catalog of {FAMILIES} families"
    return [
        Row(name, statistics.median(taken), "s", None, None, "at most 2 s", HOW),
        Row(f"{name}, processor time", statistics.median(worked), "s", None, None, "", HOW),
    ]


def _processor_time() -> float:
    """Of the processes that this one has waited for, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
