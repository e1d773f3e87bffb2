"""Commands that look at the catalog and at this machine, and the one that shows everything once."""

from __future__ import annotations

import sys

import click

from imagecycle import site
from imagecycle.cli import completing, options


@click.command("list")
@options.as_json
@click.option("--explain", metavar="FAMILY", help="Show where each value of a family comes from.")
@click.pass_obj
def list_families(settings: site.Site, as_json: bool, explain: str | None) -> None:
    """Show the families that the catalog declares."""
    from imagecycle import catalog
    from imagecycle.catalog import explanation, family_table

    if explain:
        found = catalog.explain(settings.catalog, explain)
        click.echo(explanation.as_json(found) if as_json else explanation.as_table(found), nl=False)
        return
    families = catalog.load(settings.catalog)
    click.echo(
        family_table.as_json(families) if as_json else family_table.as_table(families), nl=False
    )


@click.command()
@options.as_json
@click.option("--fresh", is_flag=True, help="Repeat probes whose results are cached.")
@click.option(
    "--cloud",
    metavar="C",
    shell_complete=completing.clouds,
    help="Check this cloud instead: what keeps properties from being copied.",
)
@click.option(
    "--as",
    "user",
    metavar="C",
    shell_complete=completing.clouds,
    help="With --cloud: an ordinary user's entry of clouds.yaml, to try what users may write.",
)
@click.pass_obj
def doctor(
    settings: site.Site, as_json: bool, fresh: bool, cloud: str | None, user: str | None
) -> None:
    """Report what works on this machine or in a cloud, and what to do about the rest."""
    from imagecycle import doctor
    from imagecycle.doctor import cloud_settings

    if user and not cloud:
        raise click.UsageError("--as needs --cloud.")
    checks = cloud_settings.checks(cloud, user) if cloud else doctor.CHECKS
    sys.exit(doctor.main(settings, as_json=as_json, fresh=fresh, checks=checks))


@click.command()
@click.option(
    "--with-dashboard",
    is_flag=True,
    help="Also start Horizon with imagecycle's panels, to look at what was published.",
)
@click.pass_obj
def quickstart(settings: site.Site, with_dashboard: bool) -> None:
    """Try everything once: start the development cloud; build, verify and publish an image."""
    from imagecycle.tour import quickstart

    quickstart.run(settings, with_dashboard=with_dashboard)


COMMANDS = (list_families, doctor, quickstart)
