"""How usage and plan grow with a cloud: time, memory and the number of requests at three sizes.

The cloud is a stand-in of its own process (``bench.large_cloud_server``); imagecycle runs as a
whole process, as an operator runs it. What the stand-in itself takes is measured apart,
by reading the same pages without looking at them.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.large_cloud import Sizes
from bench.large_cloud_server import clouds_file
from bench.table import Row
from imagecycle import command
from imagecycle.site import Site

TESTS = Path(__file__).parents[1]
LIB = TESTS.parent / "lib"
FULL = Sizes(images=10_000, servers=300_000, projects=5_000, volumes=20_000)
FRACTIONS = (4, 2, 1)
LIMIT = 600.0
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "usage": ("usage", "--all", "--json"),
    "plan": ("plan",),
}


@dataclass(frozen=True)
class Spent:
    """What one run took."""

    seconds: float
    busy: float
    """Seconds of processor time, which a busy machine changes less"""
    peak_mib: float
    requests: int
    pages: int
    """Pages with a record in them that the listings of this run have"""


def rows(site: Site, scratch: Path) -> list[Row]:
    """Measure against stand-ins of three sizes.

    :param site: not used; nothing of this machine's takes part.
    """
    runs: dict[str, list[Spent]] = {name: [] for name in COMMANDS}
    reading = 0.0
    for fraction in FRACTIONS:
        sizes = _part(fraction)
        with _large_cloud(sizes, scratch) as url:
            reading = _read_all(url, sizes)
            for name, words in COMMANDS.items():
                runs[name].append(_run(words, url, sizes, scratch))
    return [row for name, spent in runs.items() for row in _rows(name, spent)] + [
        Row(
            "reading the same servers without looking",
            reading,
            "s",
            None,
            None,
            "",
            "what the stand-in and the connection take of the times above, at full size",
        )
    ]


def _part(fraction: int) -> Sizes:
    return Sizes(
        images=FULL.images // fraction,
        servers=FULL.servers // fraction,
        projects=FULL.projects // fraction,
        volumes=FULL.volumes // fraction,
    )


@contextlib.contextmanager
def _large_cloud(sizes: Sizes, scratch: Path) -> Iterator[str]:
    """A stand-in in its own process; its address."""
    words = [f"--{name}={value}" for name, value in vars(sizes).items()]
    output = scratch / "address"
    output.unlink(missing_ok=True)
    environment = {"PYTHONPATH": f"{TESTS}:{LIB}"}
    argv = [sys.executable, "-m", "bench.large_cloud_server", *words]
    with command.background(argv, output=output, env=environment) as process:
        deadline = time.monotonic() + 60
        while not (output.exists() and output.read_text().endswith("\n")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the stand-in does not start: {output.read_text()}")
            time.sleep(0.05)
        yield output.read_text().strip()


def _run(words: tuple[str, ...], url: str, sizes: Sizes, scratch: Path) -> Spent:
    clouds = scratch / "clouds.yaml"
    clouds.write_text(clouds_file(url))
    before = _requests(url)
    done = command.run(
        [
            *("/usr/bin/python3", "-S", "-c", _LAUNCHER),
            *(sys.executable, "-m", "imagecycle", *words, "--cloud", "large"),
        ],
        timeout=LIMIT,
        env={
            "OS_CLIENT_CONFIG_FILE": str(clouds),
            "IMAGECYCLE_HOME": str(scratch / "home"),
            "PYTHONPATH": str(LIB),
            "PYTHONDONTWRITEBYTECODE": "",
        },
    )
    seconds, busy, peak = done.stderr.split()[-3:]
    listings = [sizes.servers, sizes.volumes]
    # Glance lists hidden images apart
    hidden = sizes.images * (sizes.releases - 4) // sizes.releases
    listings += [hidden, sizes.images - hidden]
    if words[0] == "usage":
        listings.append(sizes.projects)
    pages = sum(-(-count // sizes.page) for count in listings)
    return Spent(float(seconds), float(busy), int(peak) / 1024, _requests(url) - before, pages)


def _rows(name: str, spent: list[Spent]) -> list[Row]:
    first, *_, full = spent
    sizes = ", ".join(f"{FULL.servers // fraction:,}" for fraction in FRACTIONS)
    of = f"imagecycle {' '.join(COMMANDS[name])}"
    what = f"{of}: {FULL.images:,} images, {FULL.servers:,} servers, {FULL.projects:,} projects"
    times = ", ".join(f"{each.seconds:.1f}" for each in spent)
    busy = ", ".join(f"{each.busy:.1f}" for each in spent)
    peaks = ", ".join(f"{each.peak_mib:.0f}" for each in spent)
    over = ", ".join(str(each.requests - each.pages) for each in spent)
    return [
        Row(
            f"{name}, large cloud",
            full.seconds,
            "s",
            None,
            None,
            "at most 60 s",
            f"{what}; with {sizes} servers it took {times} s",
        ),
        Row(
            f"{name}, processor time",
            full.busy,
            "s",
            first.busy * FRACTIONS[0],
            full.busy / (first.busy * FRACTIONS[0]),
            "linear: at most 1.10",
            f"against {FRACTIONS[0]} times that in a cloud {FRACTIONS[0]} times smaller; with "
            f"{sizes} servers {name} used {busy} s",
        ),
        Row(
            f"{name}, peak memory",
            full.peak_mib,
            "MiB",
            None,
            None,
            "at most 286 (300 MB)",
            f"ru_maxrss of the whole process; with {sizes} servers it was {peaks} MiB",
        ),
        Row(
            f"{name}, requests",
            full.requests,
            "",
            full.pages,
            full.requests / full.pages,
            "pages and a constant",
            f"requests beyond the number of pages, log-in included, with {sizes} servers: {over}",
        ),
    ]


def _requests(url: str) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/requests", timeout=60) as answer:
        counts: dict[str, int] = json.load(answer)
    return sum(count for path, count in counts.items() if path != "/requests")


def _read_all(url: str, sizes: Sizes) -> float:
    """Seconds to fetch every page of servers on one connection."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    began = time.monotonic()
    path, left = "/compute/v2.1/servers/detail", sizes.servers
    query = ""
    while left > 0:
        connection.request("GET", path + query)
        body = connection.getresponse().read()
        marker = body.rpartition(b"marker=")[2].partition(b'"')[0].decode()
        query = f"?marker={marker}"
        left -= sizes.page
    connection.close()
    return time.monotonic() - began


_LAUNCHER = """
import os, resource, sys, time
began = time.monotonic()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ,
    file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
seconds = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print("\\n", seconds, used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
"""A process's peak memory counts what it had as a copy of its parent, so its parent is small."""
