"""How fast media are fetched with a checksum, and what is read of a disk that is mostly holes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import requests

from bench.table import Row
from imagecycle import command
from imagecycle.artifacts import Artifact, checksums
from imagecycle.build import download, formats
from imagecycle.build.formats import Disk
from imagecycle.cloud.upload import Body
from imagecycle.model import Release
from imagecycle.site import Site

MEDIUM_MIB = 512
DISK_MIB, DATA_MIB = 4096, 256
RUNS = int(os.environ.get("IMAGECYCLE_BENCH_RUNS", "3"))
FETCHED = (
    f"median of {RUNS} runs in turn, {MEDIUM_MIB} MiB from a web server on this machine: fetched, "
    "checked and stored, beside the slower of fetched and stored without a checksum, and the "
    "checksum of a file"
)
READ = (
    f"bytes that all processes read (rchar), for a disk of {DISK_MIB} MiB with {DATA_MIB} MiB of "
    "data that does not compress: qcow2 to raw, compared, sha512; then the body of an upload"
)


def rows(_site: Site, scratch: Path) -> list[Row]:
    """One row for fetching, two for what is read."""
    return [_fetching(scratch), *_reading(scratch)]


def _fetching(scratch: Path) -> Row:
    source = scratch / "source"
    source.mkdir()
    medium = source / "medium.iso"
    medium.write_bytes(os.urandom(MEDIUM_MIB * 2**20))
    digest = _sha256(medium)
    site = Site(home=scratch / "home")
    site.work.mkdir(parents=True)
    seconds: dict[str, list[float]] = {"ours": [], "fetch": [], "checksum": []}
    with _serving(source, scratch) as address:
        url = f"{address}/{medium.name}"
        for turn in range(RUNS):
            ours, plain = scratch / f"ours-{turn}", scratch / f"plain-{turn}"
            seconds["ours"].append(_timed(download.ensure, site, url, ours, digest))
            seconds["fetch"].append(_timed(_fetched, url, plain))
            seconds["checksum"].append(_timed(_sha256, plain))
            ours.unlink()
            plain.unlink()
    median = {name: statistics.median(values) for name, values in seconds.items()}
    slower = max(median["fetch"], median["checksum"])
    return Row(
        "fetch with checksum / the slower of both",
        median["ours"],
        "s",
        slower,
        median["ours"] / slower,
        "at most 1.25",
        FETCHED,
    )


@contextlib.contextmanager
def _serving(folder: Path, scratch: Path) -> Iterator[str]:
    """A web server in a process of its own: it must not wait for ours."""
    said = scratch / "server.log"
    argv = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with command.background(argv, output=said, cwd=folder):
        while (found := re.search(r"port (\d+)", said.read_text())) is None:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{found[1]}"


def _reading(scratch: Path) -> list[Row]:
    folder = scratch / "release"
    folder.mkdir()
    raw = scratch / "raw"
    with raw.open("wb") as stream:
        stream.write(os.urandom(DATA_MIB * 2**20))
        stream.truncate(DISK_MIB * 2**20)
    artifact = Artifact("debian-12-x86_64-base", Release.parse("20261122"), folder)
    command.run(["qemu-img", "convert", "-O", "qcow2", raw, artifact.disk], timeout=600)
    size = artifact.disk.stat().st_size
    disk = Disk(artifact.disk, "qcow2", size, checksums(artifact.disk))
    made: list[Disk] = []
    converted = _read_by(lambda: made.append(formats.convert(artifact, disk, "raw")))
    with made[0].path.open("rb") as stream:
        body = Body(stream, made[0].size, lambda _sent: None)
        sent = _read_by(lambda: sum(map(len, body)))
    return [
        Row(name, mib, "MiB", DISK_MIB, mib / DISK_MIB, target, READ)
        for name, mib, target in (
            # the qcow2 to convert it; the qcow2 and the raw disk to compare them; its sha512
            ("read to convert a sparse disk / its size", converted, "at most 0.26"),
            ("read to upload it / its size", sent, "at most 0.07"),
        )
    ]


def _read_by(work: Callable[[], object]) -> float:
    """MiB that this process and those that it waited for have read meanwhile: proc(5), io."""
    before = _rchar()
    work()
    return (_rchar() - before) / 2**20


def _rchar() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar:"))


def _timed(work: Callable[..., object], *arguments: object) -> float:
    started = time.monotonic()
    work(*arguments)
    return time.monotonic() - started


def _fetched(url: str, path: Path) -> None:
    with requests.get(url, stream=True, timeout=60) as response, path.open("wb") as stream:
        for chunk in response.iter_content(2**18):
            stream.write(chunk)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
