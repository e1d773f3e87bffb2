"""The command that writes what a cloud offers as a static site."""

from __future__ import annotations

from pathlib import Path

import click

from imagecycle import site
from imagecycle.cli import options


@click.command("site")
@options.cloud
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder of the site; it is replaced as a whole.",
)
@click.option(
    "--title", default="", metavar="T", help="The name of the cloud on the site, by default C."
)
@click.option("--address", default="", metavar="URL", help="The address of the site, for its feed.")
@click.pass_obj
def write_site(settings: site.Site, cloud: str, out: Path, title: str, address: str) -> None:
    """Write what a cloud offers as a static site, for people and for programs.

    The site has a page for each family and release, the same data as JSON, a feed of releases and
    revocations, and simplestreams. If nothing has changed, or the cloud's listing is incomplete,
    the existing site stays as it is.
    """
    from imagecycle.offering import stage

    written = stage.write(settings, cloud=cloud, out=out, title=title, address=address)
    what = f"{out}: {written.families} families, {written.releases} releases"
    click.echo(f"{what}, {written.files} files" if written.changed else f"{what}; unchanged")


COMMANDS = (write_site,)
