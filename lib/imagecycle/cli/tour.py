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

    Starts the development cloud with Nova, publishes the release, starts a server as a user,
    publishes the next release and retires the first. The server can then still be rebuilt, while
    another project no longer sees the image. Everything is removed at the end.
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
