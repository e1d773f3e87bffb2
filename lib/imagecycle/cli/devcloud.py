"""The development cloud."""

from __future__ import annotations

import sys

import click

from imagecycle import site
from imagecycle.cli import options


@click.group()
def devcloud() -> None:
    """An OpenStack in a box, for trying and for tests: Keystone, Glance, Nova, Cinder."""


@devcloud.command("start")
@click.option(
    "--with-compute", is_flag=True, help="Also Nova and Cinder: nothing runs or is stored."
)
@click.option(
    "--protected/--unprotected",
    "protected",
    default=None,
    help="Keep users from copying imagecycle's properties, the default; or let them, as a cloud "
    "without settings against it does.",
)
@click.pass_obj
def devcloud_start(settings: site.Site, with_compute: bool, protected: bool | None) -> None:
    """Start the development cloud, installing it first if need be."""
    from imagecycle import devcloud
    from imagecycle.devcloud.config import CLOUD
    from imagecycle.metadata import definitions

    devcloud.start(settings, with_compute=with_compute, protected=protected)
    definitions.install(settings, cloud=CLOUD, dry_run=False)


@devcloud.command("stop")
@click.option("--purge", is_flag=True, help="Remove its data as well: images, servers, users.")
@click.pass_obj
def devcloud_stop(settings: site.Site, purge: bool) -> None:
    """Stop the development cloud; its images and servers stay for the next start."""
    from imagecycle import devcloud

    devcloud.stop(settings, purge=purge)


@devcloud.command("status")
@options.as_json
@click.pass_obj
def devcloud_status(settings: site.Site, as_json: bool) -> None:
    """Say which services run; exit 1 unless all do."""
    from imagecycle import devcloud

    sys.exit(devcloud.print_status(settings, as_json=as_json))


COMMANDS = (devcloud,)
