"""How long the static site of 400 families takes, with ten releases of each, and how much memory.

Each size is written by a process of its own, whose peak is its own.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.table import Row
from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError
from imagecycle.offering import stage
from imagecycle.offering.collection import Collection
from imagecycle.offering.place import Place
from imagecycle.offering.replacement import replaced
from imagecycle.site import Site
from imagecycle.site_sections import Retirement
from offering.releases import FIRST_DAY, image

FAMILIES = 400
RELEASES = 10
_LIMIT = 600.0
HOW = f"one run; {FAMILIES} families with {RELEASES} releases, images from memory"


def rows(_site: Site, scratch: Path) -> list[Row]:
    """The time, and the memory beside that for a tenth of the releases."""
    small, _ = _measured(scratch / "small", 1)
    memory, seconds = _measured(scratch / "large", RELEASES)
    return [
        Row("site of 4,000 releases", seconds, "s", None, None, "at most 20", HOW),
        Row("its peak memory", memory, "MiB", small, memory / small, "near 1.00", HOW),
    ]


def _measured(out: Path, releases: int) -> tuple[float, float]:
    """Peak memory in MiB, and seconds."""
    words = [sys.executable, "-P", "-m", "bench.static_site", str(out), str(releases)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=_LIMIT, check=False)
    if done.returncode != 0:
        raise ImagecycleError("the site was not written", hint=done.stderr.strip()[-500:])
    memory, seconds = json.loads(done.stdout)
    return memory, seconds


def _images(releases: int) -> Iterator[Image]:
    for family in range(FAMILIES):
        for number in range(releases):
            day = FIRST_DAY + datetime.timedelta(days=90 * number)
            yield image(
                family * releases + number + 1,
                release=f"{day:%Y%m%d}",
                state="current" if number == releases - 1 else "superseded",
                version=str(family + 1),
            )


def main(out: str, releases: str) -> None:
    """Write a site, and print what it took."""
    began = time.monotonic()
    policy = Retirement()
    with replaced(Path(out), stage.MARK) as tree, Collection() as collection:
        stage.collect(_images(int(releases)), collection, lambda: ())
        stage.write_files(tree, collection, Place("bench", "", "", ""), lambda _: policy)
    print(json.dumps([_peak(), time.monotonic() - began]))


def _peak() -> float:
    """Of this process, in MiB; ``ru_maxrss`` begins with that of who started it."""
    status = Path("/proc/self/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kib) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
