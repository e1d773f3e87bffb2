"""Commands about the projects that use images: who they are, and telling them."""

from __future__ import annotations

from pathlib import Path

import click

from imagecycle import site
from imagecycle.cli import completing, options


@click.command()
@click.argument(
    "subject", required=False, metavar="[IMAGE|FAMILY]", shell_complete=completing.families
)
@click.option("--all", "everything", is_flag=True, help="Every image that imagecycle published.")
@options.cloud
@options.as_json
@click.pass_obj
def usage(
    settings: site.Site, subject: str | None, everything: bool, cloud: str, as_json: bool
) -> None:
    """Show which projects use an image, given by its id, or the releases of a FAMILY.

    Servers in every status count, and volumes made from the image if the cloud has a volume
    service. --all prints one line for each image; --json adds the projects.
    """
    if everything == (subject is not None):
        raise click.UsageError("name an image or a family, or else give --all")
    from imagecycle.lifecycle import usage, usage_report

    report = usage.gather(settings, cloud, subject)
    lines = usage_report.by_image if everything else usage_report.by_project
    for line in usage_report.as_json(report) if as_json else lines(report):
        click.echo(line)


@click.command()
@click.argument("family", required=False, shell_complete=completing.families)
@click.argument("release", required=False, shell_complete=completing.releases)
@click.option("--retired", is_flag=True, help="Tell about all retired releases.")
@click.option("--revoked", is_flag=True, help="Tell about all revoked releases.")
@options.cloud
@click.option("--send", is_flag=True, help="Send the messages; otherwise they are only printed.")
@click.option(
    "--template",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A jinja2 template; by default the site's notice_template, or imagecycle's own.",
)
@options.as_json
@click.pass_obj
def notify(
    settings: site.Site,
    family: str | None,
    release: str | None,
    retired: bool,
    revoked: bool,
    cloud: str,
    send: bool,
    template: Path | None,
    as_json: bool,
) -> None:
    """Tell the projects that use a release what happens to it, in one message for each.

    No project is told the same twice: sent messages are recorded, and later runs leave them out.
    Exit 1 if a message was refused.
    """
    if (family is None) != (release is None) or (family is not None) == (retired or revoked):
        raise click.UsageError("name a family and a release, or else give --retired or --revoked")
    from imagecycle.model import Release, State
    from imagecycle.notices import stage

    notice = stage.notify(
        settings,
        cloud,
        family=family,
        release=Release.parse(release) if release else None,
        states=[*[State.RETIRED] * retired, *[State.REVOKED] * revoked],
        send=send,
        template=template,
    )
    if as_json:
        click.echo(stage.as_json(notice))
    else:
        for line in stage.as_text(notice):
            click.echo(line)
    if notice.refused:
        stage.complain(notice)


COMMANDS = (usage, notify)
