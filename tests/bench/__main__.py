"""``scripts/bench [SUBJECT...]``: measure stages beside what they are compared with, as a table."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.table import Row
from imagecycle import site
from imagecycle.errors import ImagecycleError
from imagecycle.machine import accelerator

SUBJECTS = (
    *("build", "verify", "publish", "usage", "share", "jobs", "quarter", "jenkins"),
    *("static_site", "panel", "catalog", "media", "flavours", "matrix"),
)


def main(arguments: list[str]) -> int:
    """Measure the named subjects, all by default.

    :returns: 0; 1 when a subject could not be measured, which takes nothing from the others; 2 when
        there is no such subject.
    """
    if {"-h", "--help"} & set(arguments):
        print("usage: scripts/bench [SUBJECT...]\n")
        print(f"subjects, all by default: {', '.join(SUBJECTS)}")
        print("docs/benchmarks.rst tells what each of them compares")
        return 0
    unknown = [name for name in arguments if name not in SUBJECTS]
    if unknown:
        print(f"error: unknown subject: {', '.join(unknown)}", file=sys.stderr)
        print(f"hint: the subjects are {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    settings = site.load()
    settings.work.mkdir(parents=True, exist_ok=True)
    measured: list[Row] = []
    failed: list[str] = []
    for name in arguments or SUBJECTS:
        print(f"measuring {name} ...", file=sys.stderr)
        module = importlib.import_module(f"bench.{name}")
        with tempfile.TemporaryDirectory(dir=settings.work, prefix="bench-") as scratch:
            try:
                measured += module.rows(settings, Path(scratch))
            except ImagecycleError as error:
                print(f"error: {name}: {error.message}\nhint: {error.hint}", file=sys.stderr)
                failed.append(name)
    if measured:
        _print(measured, settings)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _print(measured: list[Row], settings: site.Site) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, {_accelerator(settings)}")
    for heading in ("what", "measured", "reference", "ratio", "target"):
        table.add_column(heading, justify="left" if heading in ("what", "target") else "right")
    for row in measured:
        table.add_row(
            row.name,
            f"{row.measured:.2f} {row.unit}",
            "" if row.reference is None else f"{row.reference:.2f} {row.unit}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.target,
        )
    console.print(table)
    for how in dict.fromkeys(row.how for row in measured):
        console.print(f"- {how}", soft_wrap=True)


def _accelerator(settings: site.Site) -> str:
    return accelerator.find(settings).kind


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
