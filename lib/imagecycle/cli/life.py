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
    help="Withdraw or delete at most N images; the site's settings have the default.",
)
now = click.option(
    "--now", is_flag=True, help="Retire superseded releases of any age, also in quiet hours."
)
check_members = click.option(
    "--check-members",
    is_flag=True,
    help="Read the members of all shared images, to find manual changes.",
)


@click.command()
@options.clouds
@options.only_family
@click.option(
    "--usage", is_flag=True, help="Also show who uses each release (asks Nova and Cinder)."
)
@options.as_json
@click.pass_obj
def status(
    settings: site.Site, cloud: tuple[str, ...], family: tuple[str, ...], usage: bool, as_json: bool
) -> None:
    """Show the families of a cloud, and the state of each release.

    If a cloud has several regions, all of them are meant; CLOUD/REGION is a single one. Images
    with copied properties are listed separately, with what to do about them.
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
    help="Remove the properties that are not true: from all copies, or from these images.",
)
@click.option(
    "--confirm",
    is_flag=True,
    help="Declare that these images are releases, where no record shows it.",
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
    """Show images that carry a release's properties but are not one; tidy or confirm them.

    Nova, Cinder and people copy properties to snapshots and uploads. No decision is based on a
    copy.
    """
    from imagecycle.lifecycle import copies

    if tidy and confirm:
        raise click.UsageError("--tidy and --confirm exclude each other.")
    if confirm and not images:
        raise click.UsageError("--confirm needs the ids of images.")
    if images and not (tidy or confirm):
        raise click.UsageError("Give --tidy or --confirm.")
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
    """Show what the policy asks for in a cloud now, and change nothing.

    `imagecycle publish`, `retire`, `rollback` and `revoke` write their own plans with --out.
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
    """Apply the plan in FILE, unless the file was edited or the cloud has changed."""
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
    help="For each release that is retired now, prove that its users can go on and others cannot "
    "see it.",
)
@click.option(
    "--as",
    "user_cloud",
    metavar="C",
    shell_complete=completing.clouds,
    help="With --prove: the entry of clouds.yaml of a user of the image.",
)
@click.option(
    "--stranger",
    metavar="C",
    shell_complete=completing.clouds,
    help="With --prove: the entry of clouds.yaml of a user of another project.",
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
    """Do what the policy asks for: share old releases with their users, delete unused ones.

    Prints the ids of the retired images that were changed, one per line.
    """
    from imagecycle.lifecycle import transitions
    from imagecycle.lifecycle.rules.retire import RetireOptions

    if bool(families) == every:
        raise click.UsageError("Name families, or give --all.")
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
@click.option("--private", is_flag=True, help="Withdraw it from the projects that use it, too.")
@click.option("--force", is_flag=True, help="Revoke even if no other release can become current.")
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
    """Withdraw RELEASE of FAMILY at once; only projects that already use it keep it."""
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
