"""How fast publish is against ``openstack image create`` of the same file, and what it takes.

Both run as whole processes, in turns, against the same Glance: the site's development cloud.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.table import Row
from imagecycle import devcloud
from imagecycle.artifacts import Artifact
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import open_cloud
from imagecycle.devcloud.layout import Layout
from imagecycle.site import Site
from lifecycle.families import FAMILY, artifact

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
    """Measure; starts the development cloud of ``site``, and leaves none of the images."""
    devcloud.start(site)
    layout = Layout.of(site)
    glance = Glance(open_cloud("devcloud", site))
    found: list[Row] = []
    peaks: dict[int, float] = {}
    for size in SIZES:
        with contextlib.ExitStack() as stack:
            home = scratch / f"publish-{size}"
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            made = artifact(Site(home=home).artifacts, RELEASE, size=size * 2**20)
            publishes, creates = [], []
            for _ in range(TURNS if size == COMPARED else 1):
                creates.append(_create(layout, glance, made))
                publishes.append(_publish(layout, glance, home))
            peaks[size] = max(spent.peak_mib for spent in publishes)
            if size == COMPARED:
                found.append(_ratio(publishes, creates))
    smallest = peaks[SIZES[0]]
    for size in SIZES[1:]:
        found.append(
            Row(
                f"publish, peak memory with {size} MiB",
                peaks[size],
                "MiB",
                smallest,
                peaks[size] / smallest,
                "constant: at most 1.05",
                f"ru_maxrss of the whole process, against that with {SIZES[0]} MiB",
            )
        )
    return found


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
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    cloud = {"OS_CLIENT_CONFIG_FILE": str(layout.clouds_file), "OS_CLOUD": "devcloud"}
    with tempfile.TemporaryFile("w+") as errors:
        began = time.monotonic()
        process = subprocess.Popen(
            argv,
            env={**inherited, **cloud, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        watchdog = threading.Timer(LIMIT, process.kill)
        watchdog.start()
        try:
            # Popen.wait() would not tell what the process has used.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            watchdog.cancel()
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise RuntimeError(f"{argv[0]} exited with {process.returncode}: {errors.read()}")
    return Spent(seconds, usage.ru_maxrss / 1024)
