"""The job library: its check, its rendering, and which families it would start now."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from imagecycle import site
from imagecycle.cli import completing, options

library = click.option(
    "--jobs",
    "library",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The job library; by default the site's, else the one that imagecycle ships.",
)


@click.group()
def jobs() -> None:
    """The job library: check it, render it as Jenkins reads it."""


@jobs.command()
@library
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Show what would change compared with the output of `imagecycle jobs render` in DIR.",
)
@click.option(
    "--against", metavar="COMMIT", help="Show what has changed since a commit, such as origin/main."
)
@click.pass_obj
def check(
    settings: site.Site, library: Path | None, baseline: Path | None, against: str | None
) -> None:
    """Check the job library against the catalog and Jenkins Job Builder."""
    from imagecycle import catalog
    from imagecycle.jobs import checking

    if baseline and against:
        raise click.UsageError("Give either --baseline or --against.")
    folder = library or settings.jobs
    checked = checking.check(folder, catalog.load(settings.catalog))
    with contextlib.ExitStack() as stack:
        if against:
            baseline = stack.enter_context(checking.rendered_at(folder, against))
        if baseline:
            lines = list(checking.changes(checked.rendered, baseline))
            click.echo("\n".join(lines) if lines else "nothing would change")
            return
    click.echo(
        f"{checked.families} families, {len(checked.rendered.jobs)} jobs, "
        f"{len(checked.rendered.views)} views: no mistakes"
    )


@jobs.command()
@library
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def render(settings: site.Site, library: Path | None, out: Path) -> None:
    """Write the XML of every job and view below the folder OUT."""
    from imagecycle.jobs import checking, render_cache

    count = checking.write(render_cache.render_all(library or settings.jobs, settings.cache), out)
    click.echo(f"{count} files below {out}")


@click.command()
@click.argument("kind", shell_complete=completing.kinds)
@options.cloud
@library
@options.as_json
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write FAMILY.properties to DIR for every family that is due, for Jenkins.",
)
@click.pass_obj
def due(
    settings: site.Site,
    kind: str,
    cloud: str,
    library: Path | None,
    as_json: bool,
    out: Path | None,
) -> None:
    """Show which families of the matrix KIND, such as linux, are due for a new release."""
    from imagecycle.jobs import quarter

    answers = quarter.families_due(settings, library or settings.jobs, kind, cloud)
    if out is not None:
        quarter.write(answers, out)
    click.echo(quarter.as_json(answers) if as_json else quarter.as_table(answers), nl=False)


@click.command()
@options.dry_run
@click.pass_obj
def janitor(settings: site.Site, dry_run: bool) -> None:
    """Remove what interrupted runs left on this machine, and what has expired."""
    from imagecycle.doctor import janitor

    janitor.clean(settings, dry_run=dry_run)


COMMANDS = (jobs, due, janitor)
