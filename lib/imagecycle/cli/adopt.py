"""Taking over images that were published by hand."""

from __future__ import annotations

from pathlib import Path

import click

from imagecycle import site
from imagecycle.cli import completing, options

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option(
    "--cloud", metavar="C", shell_complete=completing.clouds, help="An entry of clouds.yaml."
)
@click.option(
    "--pattern",
    "texts",
    metavar="'REGEX=>FAMILY'",
    multiple=True,
    help="Images whose names match REGEX belong to FAMILY, which may use its named groups.",
)
@click.option("--patterns", "file", type=_FILE, metavar="FILE", help="A file of patterns.")
@click.option("--out", type=_FILE, metavar="FILE", help="Write the proposal to FILE.")
@click.option("--yes", is_flag=True, help="Adopt at once all images without a conflict.")
@click.option("--apply", "confirmed", type=_FILE, metavar="FILE", help="Adopt the images in FILE.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@options.as_json
@click.pass_obj
def adopt(
    settings: site.Site,
    cloud: str | None,
    texts: tuple[str, ...],
    file: Path | None,
    out: Path | None,
    yes: bool,
    confirmed: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take over images that were published by hand: propose what they are, then apply.

    Only imagecycle's own properties are added. Names, visibility and existing values stay.

    \b
    imagecycle adopt --cloud C --out FILE \\
        --pattern 'Debian (?P<version>\\d+) (?P<date>[\\d-]+)=>debian-{version}-x86_64-server'
    imagecycle adopt --apply FILE
    """
    from imagecycle.adoption import patterns, proposal, stage

    if confirmed is not None:
        if cloud or texts or file or out or yes or as_json:
            raise click.UsageError("--apply FILE takes no other option but --dry-run.")
        stage.apply(proposal.read(confirmed), settings, dry_run=dry_run)
        return
    if cloud is None:
        raise click.UsageError("Missing option '--cloud'.")
    wanted = [*map(patterns.parse, texts), *(patterns.read(file) if file else ())]
    if not wanted:
        raise click.UsageError("Give --pattern or --patterns.")
    found = stage.propose(settings, cloud=cloud, patterns=wanted)
    form = proposal.as_json if as_json else stage.as_table
    click.echo(form(found.candidates), nl=False)
    if out is not None:
        stage.write(found, out)
    if yes:
        stage.apply(found.chosen(), settings, context=found.context, dry_run=dry_run)


COMMANDS = (adopt,)
