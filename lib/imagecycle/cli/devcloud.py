"""The development cloud."""

from __future__ import annotations

import sys

import click

from imagecycle import site
from imagecycle.cli import options


@click.group()
def devcloud() -> None:
    """An OpenStack on one machine, for trying and for tests."""


@devcloud.command("start")
@click.option(
    "--with-compute",
    is_flag=True,
    help="Also start Nova and Cinder, with simulated hypervisors and storage.",
)
@click.option(
    "--with-dashboard",
    is_flag=True,
    help="Also start Horizon, the dashboard, with imagecycle's panels.",
)
@click.option(
    "--protected/--unprotected",
    "protected",
    default=None,
    help="Keep users from copying imagecycle's properties (the default), or let them, as a cloud "
    "without such settings does.",
)
@click.pass_obj
def devcloud_start(
    settings: site.Site, with_compute: bool, with_dashboard: bool, protected: bool | None
) -> None:
    """Start the development cloud; install it first if necessary."""
    from imagecycle import devcloud
    from imagecycle.devcloud.config import CLOUD
    from imagecycle.metadata import definitions

    devcloud.start(
        settings, with_compute=with_compute, with_dashboard=with_dashboard, protected=protected
    )
    definitions.install(settings, cloud=CLOUD, dry_run=False)


@devcloud.command("stop")
@click.option("--purge", is_flag=True, help="Also remove its data: images, servers, users.")
@click.pass_obj
def devcloud_stop(settings: site.Site, purge: bool) -> None:
    """Stop the development cloud; keep its images and servers for the next start."""
    from imagecycle import devcloud

    devcloud.stop(settings, purge=purge)


@devcloud.command("status")
@options.as_json
@click.pass_obj
def devcloud_status(settings: site.Site, as_json: bool) -> None:
    """Show which services run; exit 1 unless all do."""
    from imagecycle import devcloud

    sys.exit(devcloud.print_status(settings, as_json=as_json))


@devcloud.command("password")
@click.argument("user")
@click.pass_obj
def devcloud_password(settings: site.Site, user: str) -> None:
    """Print the password of USER, to log in to the dashboard."""
    from imagecycle import devcloud

    click.echo(devcloud.password(settings, user))


COMMANDS = (devcloud,)
