"""The catalog as a table for people and as JSON for programs."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from imagecycle.model import Family

UNLIMITED = 10_000


def as_table(families: Sequence[Family]) -> str:
    """One line per family, fitted to the terminal if there is one."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("FAMILY", no_wrap=True)
    table.add_column("MEDIA", no_wrap=True)
    table.add_column("FIRMWARE")
    table.add_column("DISK", justify="right", no_wrap=True)
    table.add_column("MEMORY", justify="right", no_wrap=True)
    table.add_column("SUPPORTED UNTIL", no_wrap=True)
    table.add_column("DESCRIPTION")
    for family in families:
        table.add_row(
            family.slug,
            family.media.kind if family.media.configured else "none yet",
            ", ".join(family.firmware),
            f"{family.disk_gib} GiB",
            f"{family.min_ram_mib} MiB",
            str(family.end_of_support or "not said"),
            family.description,
        )
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else UNLIMITED
    text = io.StringIO()
    Console(file=text, width=width).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def as_json(families: Sequence[Family]) -> str:
    """All that is known of each family, as a list."""
    values = [dataclasses.asdict(family) for family in families]
    return json.dumps(values, indent=2, default=str) + "\n"
