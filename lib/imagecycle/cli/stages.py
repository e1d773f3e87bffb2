"""The stages up to a published image: build, verify, publish."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from imagecycle import site
from imagecycle.cli import completing, options


@click.command()
@options.family
@click.option(
    "--release",
    metavar="R",
    callback=options.or_default,
    help="The name of the release; today's date by default.",
)
@click.option(
    "--since",
    metavar="R",
    callback=options.or_default,
    shell_complete=completing.releases,
    help="Build, changed or not, unless this release or a later one exists.",
)
@click.option("--force", is_flag=True, help="Build even when nothing has changed.")
@options.dry_run
@click.option(
    "--explain",
    is_flag=True,
    help="Show which inputs have changed since the newest release, and do nothing.",
)
@click.option("--keep", is_flag=True, help="Keep the working folder, for inspection.")
@options.records
@click.pass_obj
def build(
    settings: site.Site,
    family: str,
    release: str | None,
    since: str | None,
    force: bool,
    dry_run: bool,
    explain: bool,
    keep: bool,
    records: Path | None,
) -> None:
    """Install FAMILY from its media with Oz, and leave a release in the artifact folder."""
    from imagecycle import catalog
    from imagecycle.build import stage
    from imagecycle.jobs import record_export

    chosen = catalog.find(settings.catalog, family)
    if explain:
        title, *changes = stage.explain(chosen, settings)
        click.echo("\n  ".join([title, *changes]))
        return
    with record_export.export_to(records, settings, family) as work:
        result = work.artifact = stage.build(
            chosen,
            settings,
            release=release,
            since=since,
            force=force,
            dry_run=dry_run,
            keep=keep,
        )
    if result is not None:
        click.echo(result.folder)


@click.command()
@options.family
@options.release
@click.option("--force", is_flag=True, help="Verify even if the release has been verified.")
@click.option("--keep", is_flag=True, help="Keep the working folder, for inspection.")
@click.option(
    "--matrix",
    type=click.Choice(["cheapest", "full"]),
    default="cheapest",
    help="cheapest: boot it with each of its firmwares; full: in the ways that a cloud may.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="How many machines may run at a time; by default one for each processor.",
)
@click.option(
    "--cloud",
    metavar="C",
    callback=options.or_default,
    shell_complete=completing.clouds,
    help="Boot it in this cloud instead, by Nova, once it has passed here.",
)
@options.records
@click.pass_obj
def verify(
    settings: site.Site,
    family: str,
    release: str | None,
    force: bool,
    keep: bool,
    matrix: str,
    jobs: int | None,
    cloud: str | None,
    records: Path | None,
) -> None:
    """Boot a release of FAMILY and check it as its users would use it; exit 3 on a defect.

    With --cloud, the release becomes a private image there, a server is started from it, checked
    over SSH and its console, and deleted. Its flavour and network are set in the site's settings.
    If the cloud has several regions, all of them are meant; CLOUD/REGION is a single one.
    """
    from imagecycle import artifacts, catalog
    from imagecycle.jobs import record_export

    if cloud and (matrix != "cheapest" or jobs):
        raise click.UsageError(
            "--matrix and --jobs are for machines on this host, not for --cloud."
        )
    chosen = catalog.find(settings.catalog, family)
    with record_export.export_to(records, settings, family) as work:
        work.artifact = artifacts.ArtifactStore(settings.artifacts).find(family, release)
        if cloud:
            from imagecycle.lifecycle import cloud_verification, multi_cloud

            for place in multi_cloud.cloud_regions([cloud], settings):
                page = cloud_verification.verify_in_cloud(
                    chosen, settings, cloud=place, release=release, force=force, keep=keep
                )
                click.echo(page)
            return

        from imagecycle.verify import stage

        report = stage.verify(
            chosen,
            settings,
            release=release,
            force=force,
            keep=keep,
            matrix=matrix,
            at_once=jobs,
        )
    click.echo(report)


@click.command()
@options.family
@options.clouds
@options.release
@options.dry_run
@options.out
@options.as_json
@click.option(
    "--verify",
    "verify_first",
    is_flag=True,
    help="First run `verify --cloud` in each cloud whose settings require it; exit 3 on a defect.",
)
@options.records
@click.pass_obj
def publish(
    settings: site.Site,
    family: str,
    cloud: tuple[str, ...],
    release: str | None,
    dry_run: bool,
    out: Path | None,
    as_json: bool,
    verify_first: bool,
    records: Path | None,
) -> None:
    """Make a verified release of FAMILY the current one in one cloud or several.

    If a cloud has several regions, all of them are meant; CLOUD/REGION is a single one.
    """
    from imagecycle import artifacts, catalog
    from imagecycle.jobs import record_export
    from imagecycle.lifecycle import multi_cloud, publish

    if verify_first and (dry_run or out is not None):
        raise click.UsageError("--verify starts servers; --dry-run and --out change nothing.")
    chosen = catalog.find(settings.catalog, family)
    places = multi_cloud.cloud_regions(cloud, settings)
    if out is not None and len(places) > 1:
        raise click.UsageError(f"--out is for one of {', '.join(places)}.")

    with record_export.export_to(records, settings, family) as work:
        work.artifact = artifacts.ArtifactStore(settings.artifacts).find(family, release)
        if verify_first:
            from imagecycle.lifecycle import cloud_verification

            cloud_verification.verify_where_required(
                chosen, settings, clouds=places, release=release
            )
        how: dict[str, Any] = {"release": release, "dry_run": dry_run}
        if len(places) > 1:
            images = multi_cloud.publish_in_clouds(chosen, settings, clouds=places, **how)
        else:
            images = {
                name: publish.publish(chosen, settings, cloud=name, out=out, **how)
                for name in places
            }
    found = {name: image for name, image in images.items() if image is not None}
    if as_json and len(places) > 1:
        click.echo(json.dumps({name: image.facts() for name, image in found.items()}, indent=2))
        return
    for name, image in found.items():
        text = image.as_json() if as_json else image.id
        click.echo(f"{name} {text}" if len(places) > 1 else text)


@click.command()
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the page there; by default index.html in the artifact folder.",
)
@click.pass_obj
def report(settings: site.Site, out: Path | None) -> None:
    """Write a page with all families and the verdicts on their releases, and print its path."""
    from imagecycle import artifacts
    from imagecycle.verify import history

    click.echo(history.write(artifacts.ArtifactStore(settings.artifacts), out))


COMMANDS = (build, verify, publish, report)
