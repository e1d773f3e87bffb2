"""The life of releases in a cloud: status, plan, apply, retire, rollback, revoke."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagecycle import site
from imagecycle.cli import completing, options

if TYPE_CHECKING:
    from imagecycle.lifecycle.prove import ProofUsers

max_changes = click.option(
    "--max-changes",
    type=click.IntRange(min=0),
    metavar="N",
    help="Take from anyone or delete at most N images; by default as the site's settings say.",
)
now = click.option(
    "--now", is_flag=True, help="Retire superseded releases whatever their age, also quiet hours."
)
check_members = click.option(
    "--check-members",
    is_flag=True,
    help="Read the members of every shared image, to find what was changed by hand.",
)


@click.command()
@options.clouds
@options.only_family
@click.option("--usage", is_flag=True, help="Say also who uses each release (asks Nova, Cinder).")
@options.as_json
@click.pass_obj
def status(
    settings: site.Site, cloud: tuple[str, ...], family: tuple[str, ...], usage: bool, as_json: bool
) -> None:
    """Show the families of a cloud, their releases and in which state each is.

    A cloud with several regions stands for all of them; CLOUD/REGION is one. Images that only
    carry copied properties are shown apart, with what to do about them.
    """
    from imagecycle.lifecycle import status

    found = status.of_clouds(settings, clouds=cloud, families=family, usage=usage)
    text = status.as_json(found) if as_json else status.as_text(found, usage=usage)
    click.echo(text, nl=False)
    status.complain(found)


@click.command()
@click.argument("images", nargs=-1, metavar="[IMAGE]...")
@options.cloud
@click.option(
    "--tidy",
    is_flag=True,
    help="Remove the properties that are not true of copies: of all, or of these images.",
)
@click.option(
    "--confirm",
    is_flag=True,
    help="Say that these images are releases, where no record tells it.",
)
@options.dry_run
@options.as_json
@click.pass_obj
def copies(
    settings: site.Site,
    images: tuple[str, ...],
    cloud: str,
    tidy: bool,
    confirm: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Show images that carry a release's properties and are none; tidy or confirm them.

    Nova, Cinder and people copy properties to snapshots and uploads. Nothing is decided from
    a copy.
    """
    from imagecycle.lifecycle import copies

    if tidy and confirm:
        raise click.UsageError("--tidy and --confirm exclude each other.")
    if confirm and not images:
        raise click.UsageError("--confirm needs the ids of images.")
    if images and not (tidy or confirm):
        raise click.UsageError("Say --tidy or --confirm.")
    if tidy or confirm:
        change = copies.tidy if tidy else copies.confirm
        plan = change(settings, images, cloud=cloud, dry_run=dry_run)
        if as_json:
            click.echo(plan.as_json())
        return
    rows = copies.rows(settings, cloud=cloud)
    if as_json:
        click.echo(copies.as_json(rows), nl=False)
        return
    for line in copies.lines(rows) or [f"{cloud} has no copies"]:
        click.echo(line)


@click.command()
@options.cloud
@options.only_family
@now
@max_changes
@check_members
@options.out
@options.as_json
@click.pass_obj
def plan(
    settings: site.Site,
    cloud: str,
    family: tuple[str, ...],
    now: bool,
    max_changes: int | None,
    check_members: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Say what the policy asks for in a cloud now, and change nothing.

    `imagecycle publish`, `retire`, `rollback` and `revoke` write their plans with --out as well.
    """
    from imagecycle.lifecycle import transitions
    from imagecycle.lifecycle.rules.retire import RetireOptions

    done = transitions.retire_releases(
        family,
        settings,
        cloud=cloud,
        options=RetireOptions(now, max_changes),
        check_members=check_members,
        mode=transitions.PlanMode(dry_run=True, out=out),
    )
    if as_json:
        click.echo(done.plan.as_json())


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.dry_run
@click.pass_obj
def apply(settings: site.Site, file: Path, dry_run: bool) -> None:
    """Apply the plan in FILE, unless it was edited or its cloud has changed since."""
    from imagecycle.lifecycle import transitions

    transitions.apply_file(file, settings, dry_run=dry_run)


@click.command()
@options.families
@click.option("--all", "every", is_flag=True, help="Every family of the cloud.")
@options.cloud
@now
@max_changes
@check_members
@click.option(
    "--prove",
    is_flag=True,
    help="Prove on each release that is retired now that its users can go on and others cannot "
    "see it.",
)
@click.option(
    "--as",
    "user_cloud",
    metavar="C",
    shell_complete=completing.clouds,
    help="An entry of clouds.yaml of such a user.",
)
@click.option(
    "--stranger",
    metavar="C",
    shell_complete=completing.clouds,
    help="An entry of clouds.yaml of somebody else.",
)
@options.dry_run
@options.out
@click.pass_obj
def retire(
    settings: site.Site,
    families: tuple[str, ...],
    every: bool,
    cloud: str,
    now: bool,
    max_changes: int | None,
    check_members: bool,
    prove: bool,
    user_cloud: str | None,
    stranger: str | None,
    dry_run: bool,
    out: Path | None,
) -> None:
    """Do what the policy asks for: share old releases with who uses them, delete unused ones.

    The images of retired releases that were changed are printed, one id a line.
    """
    from imagecycle.lifecycle import transitions
    from imagecycle.lifecycle.rules.retire import RetireOptions

    if bool(families) == every:
        raise click.UsageError("Name families, or say --all.")
    if prove and not (user_cloud and stranger):
        raise click.UsageError("--prove needs --as and --stranger.")
    users = None
    if prove and user_cloud and stranger:
        users = _proof_users(settings, cloud, user_cloud, stranger)
    done = transitions.retire_releases(
        families,
        settings,
        cloud=cloud,
        options=RetireOptions(now, max_changes),
        check_members=check_members,
        mode=transitions.PlanMode(dry_run, out),
    )
    if done.result is None:
        return
    for window in done.result.windows:
        click.echo(window.image_id)
    if users is not None:
        from imagecycle.lifecycle.prove import prove_retired

        prove_retired(users, settings, [window.image_id for window in done.result.windows])


def _proof_users(settings: site.Site, cloud: str, user_cloud: str, stranger: str) -> ProofUsers:
    """Who shall prove it; who cannot is refused before anything is done."""
    from imagecycle.lifecycle.prove import ProofUsers

    called = ProofUsers.call(cloud, settings, user_cloud=user_cloud, stranger_cloud=stranger)
    called.refuse_owner(called.operator.project_id, "the images")
    return called


@click.command()
@options.family
@options.cloud
@click.option(
    "--to",
    metavar="R",
    shell_complete=completing.releases,
    help="Make this release current; by default the previous one.",
)
@options.dry_run
@options.out
@click.pass_obj
def rollback(
    settings: site.Site, family: str, cloud: str, to: str | None, dry_run: bool, out: Path | None
) -> None:
    """Make the previous release of FAMILY current again; the present one becomes superseded."""
    from imagecycle.lifecycle import transitions
    from imagecycle.model import Release

    release = Release.parse(to) if to else None
    transitions.roll_back(
        family, settings, cloud=cloud, to=release, mode=transitions.PlanMode(dry_run, out)
    )


@click.command()
@options.family
@click.argument("release", shell_complete=completing.releases)
@click.option("--reason", required=True, metavar="R", help="What is wrong with it, for its users.")
@options.cloud
@click.option("--private", is_flag=True, help="Take it from the projects that use it, too.")
@click.option("--force", is_flag=True, help="Even if no other release can be current.")
@options.dry_run
@options.out
@click.pass_obj
def revoke(
    settings: site.Site,
    family: str,
    release: str,
    reason: str,
    cloud: str,
    private: bool,
    force: bool,
    dry_run: bool,
    out: Path | None,
) -> None:
    """Take RELEASE of FAMILY away at once: only who uses it already still can."""
    from imagecycle.lifecycle import transitions
    from imagecycle.model import Release

    transitions.revoke_release(
        family,
        Release.parse(release),
        settings,
        cloud=cloud,
        reason=reason,
        private=private,
        force=force,
        mode=transitions.PlanMode(dry_run, out),
    )


COMMANDS = (status, copies, plan, apply, retire, rollback, revoke)
