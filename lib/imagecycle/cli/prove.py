"""Proving what a retirement promises."""

from __future__ import annotations

import click

from imagecycle import site
from imagecycle.cli import completing, options


@click.command()
@click.argument("image")
@options.cloud
@click.option(
    "--as",
    "user_cloud",
    required=True,
    metavar="C",
    shell_complete=completing.clouds,
    help="An entry of clouds.yaml of a user whose project uses IMAGE.",
)
@click.option(
    "--stranger",
    "stranger_cloud",
    required=True,
    metavar="C",
    shell_complete=completing.clouds,
    help="An entry of clouds.yaml of a user whose project does not.",
)
@options.as_json
@click.pass_obj
def prove(
    settings: site.Site,
    image: str,
    cloud: str,
    user_cloud: str,
    stranger_cloud: str,
    as_json: bool,
) -> None:
    """Prove that users of IMAGE can go on after its retirement, and others cannot see it.

    IMAGE is an id. A canary server is started as the user, rebuilt, resized and deleted.
    """
    import dataclasses
    import json

    from imagecycle.lifecycle import prove

    proofs = prove.prove(
        cloud, settings, image, user_cloud=user_cloud, stranger_cloud=stranger_cloud
    )
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(one) for one in proofs], indent=2))


COMMANDS = (prove,)
