"""The tour for newcomers."""

from __future__ import annotations

import click

from imagecycle import site
from imagecycle.cli import completing, options

FAMILY = "debian-12-x86_64-server"


@click.command()
@click.argument("family", default=FAMILY, shell_complete=completing.families)
@options.release
@click.pass_obj
def tour(settings: site.Site, family: str, release: str | None) -> None:
    """Show the whole life of an image, with a verified release of FAMILY.

    In the development cloud, which is started with Nova: publish, start a server as a user, publish
    the next release, retire the first, see that the server can still be rebuilt while another
    project no longer sees the image. Nothing of it stays.
    """
    from imagecycle import catalog, devcloud
    from imagecycle.artifacts import ArtifactStore
    from imagecycle.devcloud.config import CLOUD
    from imagecycle.metadata import definitions, evidence
    from imagecycle.tour import release_life

    catalog.find(settings.catalog, family)
    artifact = ArtifactStore(settings.artifacts).find(family, release)
    evidence.gather(artifact)  # before anything is started
    devcloud.start(settings, with_compute=True)
    definitions.install(settings, cloud=CLOUD, dry_run=False)
    release_life.run(settings, artifact, release_life.next_of(artifact))


COMMANDS = (tour,)
