"""The command that packs what helps to find out why an image fails."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
import time
from pathlib import Path

import click

from imagecycle import __version__, site
from imagecycle.cli import options, secrets_masked

_PICTURES = (".png", ".ppm")


@click.command()
@options.family
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where it is written (default: FAMILY-evidence.tar.gz here).",
)
@click.pass_obj
def evidence(settings: site.Site, family: str, output: Path | None) -> None:
    """Pack logs, records and pictures of FAMILY for whoever helps, with secrets masked."""
    from imagecycle import artifacts, catalog
    from imagecycle.build import evidence as packed
    from imagecycle.catalog import explanation

    chosen = catalog.find(settings.catalog, family)
    target = output or Path(f"{chosen.slug}-evidence.tar.gz")
    secrets = secrets_masked.known(os.environ, sys.argv[1:], settings.home)
    told = explanation.as_table(catalog.explain(settings.catalog, family))
    about = {"imagecycle": __version__, "python": sys.version, "family": chosen.slug}
    contents = [
        ("about.json", json.dumps(about, indent=2).encode()),
        ("family.txt", told.encode()),
        *packed.gather(chosen, settings),
    ]
    with (
        artifacts.replaced(target, 0o600) as stream,
        tarfile.open(fileobj=stream, mode="w:gz") as archive,
    ):
        for name, content in contents:
            if not name.endswith(_PICTURES):
                text = content.decode(errors="replace")
                content = secrets_masked.masked(packed.masked(text), secrets).encode()
            member = tarfile.TarInfo(f"{chosen.slug}/{name}")
            member.size, member.mtime = len(content), int(time.time())
            archive.addfile(member, io.BytesIO(content))
    click.echo(f"{target}: {len(contents)} files; look through them before you send them")
    click.echo("pictures are taken as they are: do not send one that shows a secret")


COMMANDS = (evidence,)
