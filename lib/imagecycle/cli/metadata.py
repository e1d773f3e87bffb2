"""The properties of images: what they mean, here and in a cloud."""

from __future__ import annotations

import click

from imagecycle import site
from imagecycle.cli import options


@click.group()
def metadata() -> None:
    """The properties of releases: explain them, install their definitions in a cloud."""


@metadata.command("show")
@options.as_json
@click.option("--rst", "as_rst", is_flag=True, help="Print the table of docs/metadata.rst.")
@click.option(
    "--settings",
    is_flag=True,
    help="Print the settings of Nova and Cinder that keep properties from being copied.",
)
def metadata_show(as_json: bool, as_rst: bool, settings: bool) -> None:
    """Explain every property: its meaning, its values, who sets it and when."""
    from imagecycle.metadata import definitions

    if as_json + as_rst + settings > 1:
        raise click.UsageError("--json, --rst and --settings exclude each other")
    if settings:
        click.echo(definitions.as_settings(), nl=False)
        return
    form = definitions.as_json if as_json else definitions.as_rst if as_rst else definitions.as_text
    click.echo(form(), nl=False)


@metadata.command("install")
@options.cloud
@options.dry_run
@click.pass_obj
def metadata_install(settings: site.Site, cloud: str, dry_run: bool) -> None:
    """Install the definitions in a cloud, so that Horizon can explain the properties."""
    from imagecycle.metadata import definitions

    definitions.install(settings, cloud=cloud, dry_run=dry_run)


COMMANDS = (metadata,)
