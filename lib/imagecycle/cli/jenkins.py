"""The controller: bring jobs to it, start them, see how they stand, and what plugins it lacks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imagecycle import site
from imagecycle.cli import completing, options

if TYPE_CHECKING:
    from imagecycle.jenkins.controller import Controller

OWNER = "imagecycle"
STAGES = ("build", "verify", "publish")

owner = click.option(
    "--owner", default=OWNER, show_default=True, help="The owner in the marks of this library."
)
jobs_folder = click.option(
    "--jobs",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The job library; by default the site's, else the one that imagecycle ships.",
)


@click.group()
@click.option(
    "--account",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with url, user, token, folder and ca_file, readable only by you.",
)
@click.option("--folder", metavar="F", help="The Jenkins folder of the jobs.")
@click.option(
    "--ca-file",
    metavar="PEM",
    help="Certificates to trust, such as a self-signed one.",
)
@click.option("--insecure", is_flag=True, help="Trust any certificate.")
@click.pass_context
def jenkins(
    context: click.Context,
    account: Path | None,
    folder: str | None,
    ca_file: str | None,
    insecure: bool,
) -> None:
    """The Jenkins controller: bring jobs to it, run them, show the quarter and the plugins.

    The address and the account come from JENKINS_URL, JENKINS_USER and JENKINS_TOKEN, or from
    ~/.config/imagecycle/jenkins.yaml (JENKINS_FILE).
    """

    def connect() -> Controller:
        from imagecycle.jenkins import account as accounts
        from imagecycle.jenkins.controller import Controller

        found = accounts.load(account, folder=folder, ca_file=ca_file, insecure=insecure)
        return Controller(found)

    context.meta["connect"] = connect


def _controller() -> Any:
    connect: Callable[[], Any] = click.get_current_context().meta["connect"]
    return connect()


@jenkins.command()
@options.dry_run
@click.option("--force", is_flag=True, help="Send unchanged jobs too, which undoes manual edits.")
@click.option("--take-over", is_flag=True, help="Replace jobs with these names that nobody owns.")
@click.option(
    "--max-deletions",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    metavar="N",
    help="Delete nothing if more jobs than this would go.",
)
@owner
@jobs_folder
@click.pass_obj
def sync(
    settings: site.Site,
    dry_run: bool,
    force: bool,
    take_over: bool,
    max_deletions: int,
    owner: str,
    folder: Path | None,
) -> None:
    """Create, update and delete the jobs and views of this library, and no others.

    Jobs that are unchanged are not sent.
    """
    from imagecycle import log
    from imagecycle.jenkins import sync as syncing
    from imagecycle.jenkins.changes import Action
    from imagecycle.jobs import render_cache

    controller = _controller()
    rendered = render_cache.render_all(folder or settings.jobs, settings.cache)
    done = syncing.sync(
        controller,
        rendered.jobs,
        rendered.views,
        owner=owner,
        dry_run=dry_run,
        force=force,
        take_over=take_over,
        max_deletions=max_deletions,
    )
    for kept in done.kept:
        log.warn(f"left alone: {kept}")
    if dry_run:
        for change in done.changes:
            click.echo(f"would {change}")
    counts = [
        f"{number} to {action}" if dry_run else f"{number} {action}d"
        for action in Action
        if (number := done.count(action))
    ]
    click.echo(", ".join([*counts, f"{done.unchanged} unchanged"]))


@jenkins.command()
@click.argument(
    "families", metavar="FAMILY...", nargs=-1, required=True, shell_complete=completing.families
)
@click.option(
    "--stage",
    type=click.Choice(STAGES),
    default=STAGES[0],
    show_default=True,
    help="The stage to start.",
)
@click.option("--release", metavar="R", help="The release, instead of the job's default.")
@click.option(
    "--cloud",
    metavar="C",
    shell_complete=completing.clouds,
    help="The cloud, instead of the job's default.",
)
@click.option(
    "--wait", is_flag=True, help="Follow these jobs and the stages after them to the end."
)
@click.option(
    "--limit",
    type=click.FloatRange(0, min_open=True),
    default=12,
    show_default=True,
    metavar="HOURS",
    help="With --wait: stop waiting after this time; the jobs continue.",
)
@click.pass_obj
def run(
    settings: site.Site,
    families: tuple[str, ...],
    stage: str,
    release: str | None,
    cloud: str | None,
    wait: bool,
    limit: float,
) -> None:
    """Start a stage of families; the stages after it follow automatically.

    With --wait: exit 1 when a job fails or has not ended at the limit, 3 when verification found
    defects.
    """
    from imagecycle import catalog
    from imagecycle.jenkins import run as running

    for family in families:
        catalog.find(settings.catalog, family)
    given = {"RELEASE": release, "CLOUD": cloud}
    parameters = {name: value for name, value in given.items() if value}
    how: dict[str, Any] = {"stage": stage, "parameters": parameters}
    running.run(_controller(), families, **how, wait=wait, limit=limit * 3600)


@jenkins.command()
@options.as_json
@click.option("--open", "only_open", is_flag=True, help="Leave out families that are done.")
@owner
@click.pass_obj
def status(settings: site.Site, as_json: bool, only_open: bool, owner: str) -> None:
    """Show the quarter at a glance: age, verdict and link of every stage of every family."""
    from imagecycle import catalog
    from imagecycle.jenkins import status as statuses

    families = [family.slug for family in catalog.load(settings.catalog)]
    found = statuses.collect(_controller(), families, owner=owner)
    text = statuses.as_json(found) if as_json else statuses.as_table(found, only_open=only_open)
    click.echo(text, nl=False)


@jenkins.command()
@options.as_json
@jobs_folder
@click.pass_obj
def plugins(settings: site.Site, as_json: bool, folder: Path | None) -> None:
    """Compare the plugins that the jobs need with the controller's; exit 1 unless all match."""
    from imagecycle import log
    from imagecycle.jenkins import plugins as comparison
    from imagecycle.jobs import plugins as needed
    from imagecycle.jobs import render_cache

    controller = _controller()
    rendered = render_cache.render_all(folder or settings.jobs, settings.cache)
    used = needed.used([*rendered.jobs.values(), *rendered.views.values()])
    found = comparison.compare(needed.read(), used, comparison.installed(controller))
    click.echo(comparison.as_json(found) if as_json else comparison.as_table(found), nl=False)
    wrong = [one for one in found if one.verdict is not comparison.Verdict.OK]
    if wrong:
        log.fail(
            f"{len(wrong)} of {len(found)} plugins are not as the jobs need them",
            f"install the controller's plugins from {needed.PLUGINS_FILE}, and restart it",
        )
        sys.exit(1)


COMMANDS = (jenkins,)
