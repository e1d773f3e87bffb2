"""Options that several commands have in common."""

from __future__ import annotations

from pathlib import Path

import click

from imagecycle.cli import completing


def or_default(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """An empty value is none: so a job can hand on a parameter that nobody has filled in."""
    return value or None


family = click.argument("family", shell_complete=completing.families)
only_family = click.option(
    "--family",
    "family",
    metavar="F",
    multiple=True,
    shell_complete=completing.families,
    help="Only this family.",
)
families = click.argument(
    "families", nargs=-1, metavar="[FAMILY]...", shell_complete=completing.families
)
release = click.option(
    "--release",
    metavar="R",
    callback=or_default,
    shell_complete=completing.releases,
    help="The release, such as 20261122; the newest by default.",
)
records = click.option(
    "--records",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Copy the records, but not the disk, to this folder, for Jenkins.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
dry_run = click.option(
    "--dry-run/--apply",
    "dry_run",
    default=False,
    help="Show what would be done, and do nothing; or do it, which is the default.",
)
cloud = click.option(
    "--cloud",
    required=True,
    metavar="C",
    shell_complete=completing.clouds,
    help="An entry of clouds.yaml, or ENTRY/REGION.",
)
clouds = click.option(
    "--cloud",
    required=True,
    multiple=True,
    metavar="C",
    shell_complete=completing.clouds,
    help="An entry of clouds.yaml; may be repeated, and all are then served at the same time.",
)
out = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the plan to FILE for `imagecycle apply`, and change nothing.",
)
