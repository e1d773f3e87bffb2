"""Options that several commands have in common."""

from __future__ import annotations

import click

release = click.option(
    "--release", metavar="R", help="The release, such as 20261122; the newest by default."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
cloud = click.option("--cloud", required=True, metavar="C", help="An entry of clouds.yaml.")
