"""Commands about the projects that use images: who they are, and telling them."""

from __future__ import annotations

import click

from imagecycle import site
from imagecycle.cli import options


@click.command()
@click.argument("subject", required=False, metavar="[IMAGE|FAMILY]")
@click.option("--all", "everything", is_flag=True, help="Every image that imagecycle published.")
@options.cloud
@options.as_json
@click.pass_obj
def usage(
    settings: site.Site, subject: str | None, everything: bool, cloud: str, as_json: bool
) -> None:
    """Show which projects use an image, by its id, or the releases of a FAMILY.

    Servers in every status count, and volumes made from the image where the cloud has a volume
    service. With --all, one line for each image; --json tells the projects too.
    """
    if everything == (subject is not None):
        raise click.UsageError("name an image or a family, or else give --all")
    from imagecycle.lifecycle import usage, usage_report

    report = usage.gather(settings, cloud, subject)
    lines = usage_report.by_image if everything else usage_report.by_project
    for line in usage_report.as_json(report) if as_json else lines(report):
        click.echo(line)


COMMANDS = (usage,)
