"""How fast publish is against ``openstack image create`` of the same file, and what it takes.

Both run as whole processes, in turns, against the same Glance.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import own_cloud
from bench.table import Row
from families import FAMILY, artifact
from imagecycle import command, devcloud
from imagecycle.artifacts import Artifact
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import open_cloud
from imagecycle.devcloud.layout import Layout
from imagecycle.site import Site

LIB = Path(__file__).parents[2] / "lib"
SIZES = (64, 512, 2048)
"""In MiB"""
COMPARED = 512
TURNS = 5
LIMIT = 900.0
RELEASE = "20261122"


@dataclass(frozen=True)
class Spent:
    """What one process took."""

    seconds: float
    peak_mib: float


def rows(site: Site, scratch: Path) -> list[Row]:
    """Measure in a development cloud of its own below ``scratch``, which is removed again.

    :param site: its development cloud lends the installed packages, nothing else.
    """
    with own_cloud.prepared(site, scratch / "publish") as own:
        started = [_start(own)]
        devcloud.stop(own, purge=False)
        started.append(_start(own))
        return [*_start_rows(started), *_publish_rows(own)]


def _start(site: Site) -> float:
    began = time.monotonic()
    devcloud.start(site)
    return time.monotonic() - began


def _start_rows(started: Sequence[float]) -> list[Row]:
    how = "imagecycle devcloud start, packages installed, until both services answer"
    return [
        Row(f"devcloud start, {which}", seconds, "s", None, None, "at most 15 s", how)
        for which, seconds in zip(("first", "again"), started, strict=True)
    ]


def _publish_rows(site: Site) -> list[Row]:
    layout = Layout.of(site)
    glance = Glance(open_cloud("devcloud", site))
    found: list[Row] = []
    peaks: dict[int, float] = {}
    for size in SIZES:
        made = artifact(site.artifacts, RELEASE, size=size * 2**20)
        publishes, creates = [], []
        for _ in range(TURNS if size == COMPARED else 1):  # the smallest comes first: a warm-up
            creates.append(_create(layout, glance, made))
            publishes.append(_publish(layout, glance, site.home))
        shutil.rmtree(made.folder)
        peaks[size] = max(spent.peak_mib for spent in publishes)
        if size == COMPARED:
            found.append(_ratio(publishes, creates))
    smallest = peaks[SIZES[0]]
    return found + [
        Row(
            f"publish, peak memory with {size} MiB",
            peaks[size],
            "MiB",
            smallest,
            peaks[size] / smallest,
            "constant: at most 1.05",
            f"ru_maxrss of the whole process, against that with {SIZES[0]} MiB",
        )
        for size in SIZES[1:]
    ]


def _ratio(publishes: Sequence[Spent], creates: Sequence[Spent]) -> Row:
    mine = statistics.median(spent.seconds for spent in publishes)
    theirs = statistics.median(spent.seconds for spent in creates)
    return Row(
        f"publish {COMPARED} MiB",
        mine,
        "s",
        theirs,
        mine / theirs,
        "at most 1.00",
        f"wall time of the process against openstack image create --file, same file, same Glance; "
        f"medians of {TURNS} in turns",
    )


def _publish(layout: Layout, glance: Glance, home: Path) -> Spent:
    words = ["publish", FAMILY.slug, "--cloud", "devcloud"]
    spent = _run(
        layout,
        [sys.executable, "-m", "imagecycle", *words],
        {"IMAGECYCLE_HOME": str(home), "PYTHONPATH": str(LIB)},
    )
    for image in glance.images(imagecycle_family=FAMILY.slug):
        glance.delete(image.id)
    return spent


def _create(layout: Layout, glance: Glance, made: Artifact) -> Spent:
    name = "imagecycle benchmark"
    program = layout.venv / "bin" / "openstack"
    words = ["--disk-format", "qcow2", "--container-format", "bare", "--private"]
    words = ["image", "create", "--file", str(made.disk), *words, "--property", "bench=yes"]
    spent = _run(layout, [str(program), *words, name], {})
    for image in glance.images(bench="yes"):
        glance.delete(image.id)
    return spent


def _run(layout: Layout, argv: Sequence[str], environment: dict[str, str]) -> Spent:
    cloud = {"OS_CLIENT_CONFIG_FILE": str(layout.clouds_file), "OS_CLOUD": "devcloud"}
    done = command.run(
        ["/usr/bin/python3", "-S", "-c", _LAUNCHER, *argv],
        timeout=LIMIT,
        # Neither may have to compile its modules in every turn.
        env={**cloud, **environment, "PYTHONDONTWRITEBYTECODE": ""},
    )
    seconds, peak = done.stdout.split()[-2:]
    return Spent(float(seconds), int(peak) / 1024)


_LAUNCHER = """
import os, resource, sys, time
began = time.monotonic()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
seconds = time.monotonic() - began
print("\\n", seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
"""A process's peak memory counts what it had as a copy of its parent, so its parent is small."""
