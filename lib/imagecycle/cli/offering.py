"""Commands that write what others show: a site for users, and a document for operators."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagecycle import site
from imagecycle.cli import options

if TYPE_CHECKING:
    from imagecycle.jenkins.status import Status


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


@click.command("operations")
@options.cloud
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file to write; it is replaced as a whole.",
)
@click.option(
    "--jenkins",
    "with_jenkins",
    is_flag=True,
    help="Also ask Jenkins how the last runs ended; see `imagecycle jenkins` for the account.",
)
@click.option(
    "--reports",
    default="",
    metavar="URL",
    help="Where browsers find the artifact folder, for links to verification reports.",
)
@click.pass_obj
def write_operations(
    settings: site.Site, cloud: str, out: Path, with_jenkins: bool, reports: str
) -> None:
    """Write what the operators' panel of Horizon shows of a cloud, as one JSON file.

    It has the families and their releases, who uses them, what the policy would do next, copies,
    other images of the publishing project, how the last runs ended, and the audit log. Nothing is
    changed in the cloud. If its answers are incomplete, the existing file stays as it is.
    """
    from imagecycle.operations import stage

    jenkins = _ask_jenkins if with_jenkins else None
    written = stage.write(settings, cloud=cloud, out=out, reports=reports, jenkins=jenkins)
    what = f"{written.families} families, {written.releases} releases, {written.steps} steps"
    click.echo(f"{out}: {what}")


def _ask_jenkins(families: Collection[str]) -> Status:
    from imagecycle.cli.jenkins import OWNER
    from imagecycle.jenkins import account, status
    from imagecycle.jenkins.controller import Controller

    return status.collect(Controller(account.load()), families, owner=OWNER)


COMMANDS = (write_site, write_operations)
