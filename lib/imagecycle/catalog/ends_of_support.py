"""The vendors' last days of support, from a database that is kept with its dates.

A catalog file that says nothing of ``end_of_support`` has the day that stands here. Where the
database's own facts come from, and of which day they are, its first lines say.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from pathlib import Path

DATABASE = Path(__file__).with_name("ends_of_support.tsv")


def find(distro: str, version: str) -> datetime.date | None:
    """The last day of a version's support; None where the vendor has named none."""
    return _days().get((distro, version))


@functools.cache
def _days() -> Mapping[tuple[str, str], datetime.date]:
    found = {}
    for line in DATABASE.read_text().splitlines():
        if line and not line.startswith("#"):
            distro, version, day, _source = line.split("\t")
            found[distro, version] = datetime.date.fromisoformat(day)
    return found
