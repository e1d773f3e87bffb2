"""The later life of releases: retire, rollback, revoke, and plans that are kept and applied.

Each command makes a plan, prints it, and then takes its steps, unless it was asked only to print
or to keep it.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from imagecycle import log
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.lifecycle import plan as planning
from imagecycle.lifecycle.cloud_context import CloudSide, Families, ids, say
from imagecycle.lifecycle.execution import Result
from imagecycle.lifecycle.plan import Plan
from imagecycle.lifecycle.releases import holdings
from imagecycle.lifecycle.rules import Decision, retire, revoke, rollback
from imagecycle.lifecycle.steps import Upload, named
from imagecycle.metadata import identity
from imagecycle.model import Release, State
from imagecycle.site import Retirement, Site


@dataclass(frozen=True)
class How:
    """What becomes of a plan once it is made."""

    dry_run: bool = False
    out: Path | None = None
    """Write it there instead of applying it"""


DO_IT = How()


@dataclass(frozen=True)
class Done:
    """A plan, and what it came to; no result when it was only made."""

    plan: Plan
    result: Result | None


_NO_CURRENT = (State.SUPERSEDED, State.RETIRED, State.REVOKED)


def retire_releases(
    families: Collection[str],
    site: Site,
    *,
    cloud: str,
    wish: retire.Wish = retire.BY_POLICY,
    check_members: bool = False,
    how: How = DO_IT,
) -> Done:
    """Do what the policy asks for now: retire, keep members true, delete what nobody uses.

    :param families: none for all that the cloud has.
    :param check_members: read the members of every shared image, also where nobody's use has
        changed; finds what was changed by hand.
    :raises ImagecycleError: when usage cannot be told completely, or a step fails.
    """
    side = CloudSide.open(cloud, site)
    return retire_in(side, families, wish=wish, check_members=check_members, how=how)


def retire_in(
    side: CloudSide,
    families: Collection[str],
    *,
    wish: retire.Wish = retire.BY_POLICY,
    check_members: bool = False,
    how: How = DO_IT,
) -> Done:
    """:func:`retire_releases` in a cloud that we are logged in to."""
    with _locked(side, families, "retire", how) as listed:
        with _mended(side, listed, how):
            policies = side.policies()
            found = with_evidence(side, listed, check_members=check_members)
        wish = dataclasses.replace(wish, explain=len(families) == 1)
        decision = retire.decide(found, policies, now=side.clock(), wish=wish)
        why = f"retire {', '.join(sorted(families)) or 'by the policy'}"
        return _settle(side, found, decision, "retire", why, how)


@contextlib.contextmanager
def _mended(side: CloudSide, listed: Families, how: How) -> Iterator[None]:
    """Should it not be told what to do, give back at least what a run that broke off had taken."""
    try:
        yield
    except ImagecycleError:
        decision = retire.mend(listed)
        if decision.steps and how.out is None:
            try:
                _settle(side, listed, decision, "retire", "mend what broke off", how)
            except ImagecycleError as error:
                log.warn(error.message)
        raise


def with_evidence(side: CloudSide, found: Families, *, check_members: bool = False) -> Families:
    """Releases with the usage and members that the rules of retirement decide from."""
    later = [held.id for family in found.values() for held in family if held.state in _NO_CURRENT]
    found = side.with_usage(found, later)
    return side.with_members(found, retire.unsure_of_members(found, all_=check_members))


def roll_back(
    family: str, site: Site, *, cloud: str, to: Release | None = None, how: How = DO_IT
) -> Done:
    """Make the previous release of a family current again, or the one named.

    :raises CannotRollBack: when there is none.
    """
    return roll_back_in(CloudSide.open(cloud, site), family, to=to, how=how)


def roll_back_in(
    side: CloudSide, family: str, *, to: Release | None = None, how: How = DO_IT
) -> Done:
    """:func:`roll_back` in a cloud that we are logged in to."""
    with _locked(side, [family], "rollback", how) as found:
        decision = rollback.decide(found[family], to=to, now=side.clock())
        why = f"rollback {family}{f' to {to}' if to else ''}"
        return _settle(side, found, decision, "rollback", why, how)


def revoke_release(
    family: str,
    release: Release,
    site: Site,
    *,
    cloud: str,
    reason: str,
    private: bool = False,
    force: bool = False,
    how: How = DO_IT,
) -> Done:
    """Take a bad release away at once, and say who uses it.

    :raises CannotRevoke: when it is not there, or nothing could take its place.
    """
    if not reason.strip():
        raise UsageError("a revocation needs a reason", hint="--reason 'what is wrong with it'")
    side = CloudSide.open(cloud, site)
    return revoke_in(
        side, family, release, reason=reason.strip(), private=private, force=force, how=how
    )


def revoke_in(
    side: CloudSide,
    family: str,
    release: Release,
    *,
    reason: str,
    private: bool = False,
    force: bool = False,
    how: How = DO_IT,
) -> Done:
    """:func:`revoke_release` in a cloud that we are logged in to."""
    with _locked(side, [family], "revoke", how) as found:
        decision = revoke.decide(
            found[family],
            release=release,
            reason=reason,
            now=side.clock(),
            private=private,
            force=force,
            accept=_policy(side, family).members == "accepted",
        )
        why = f"revoke {family} {release}: {reason}"
        done = _settle(side, found, decision, "revoke", why, how)
        if done.result is not None:
            bad = [held.id for held in found[family] if held.release == release]
            _warn_of_users(side, family, release, bad, done.result)
        return done


def _policy(side: CloudSide, family: str) -> Retirement:
    """A family's policy; a revocation does not wait until the catalog is mended."""
    try:
        return side.policies().of(family)
    except UsageError as error:
        log.warn(f"{family} is taken for a family with the site's policy: {error.message}")
        return side.site.retirement


def apply_file(path: Path, site: Site, *, dry_run: bool = False) -> Done:
    """Apply a plan that was kept in a file.

    :raises UsageError: when the file is no plan, or was edited.
    :raises Changed: when the cloud is not what the plan was made from any more.
    """
    plan = planning.read(path)
    side = CloudSide.open(plan.cloud, site)
    if side.images.project_id != plan.project:
        raise UsageError(
            f"{path} is a plan for another project than {plan.cloud} belongs to now",
            hint="check that entry in clouds.yaml, or make the plan again",
        )
    return apply_in(side, plan, How(dry_run=dry_run))


def apply_in(side: CloudSide, plan: Plan, how: How = DO_IT) -> Done:
    """Take the steps of a plan that was made before, if its cloud is as it was then.

    :raises Changed: when it is not.
    """
    with side.lock(() if how.dry_run else plan.families, f"apply in {side.name}"):
        found = _as_then(side, plan)
        planning.compare(plan, found)
        say(plan)
        if how.dry_run or not plan.steps:
            return Done(plan, None)
        return Done(plan, side.carry_out(plan, found, _disk(plan, side.site)))


def _as_then(side: CloudSide, plan: Plan) -> Families:
    """A plan's families, with members and users of the images that it weighed."""
    every = side.images.images() if len(plan.families) > 1 else None
    found: Families = {}
    for family in plan.families:
        listed = every if every is not None else side.images.images(**{identity.FAMILY: family})
        found |= {name: held for name, held in holdings(listed).items() if name == family}
    found = side.with_usage(found, [one.image_id for one in plan.seen if one.users is not None])
    there = set(ids(found))
    weighed = [one.image_id for one in plan.seen if one.members is not None]
    return side.with_members(found, [image_id for image_id in weighed if image_id in there])


def _disk(plan: Plan, site: Site) -> Path | None:
    """The disk that a plan uploads, when it still is the one that was verified."""
    from imagecycle.artifacts import ArtifactStore
    from imagecycle.metadata import evidence

    for step in plan.steps:
        if isinstance(step, Upload):
            artifact = ArtifactStore(site.artifacts).find(step.family, step.release)
            if evidence.gather(artifact).sha512 != step.hashes.get("sha512"):
                raise evidence.NotVerified(
                    f"{step.family} {step.release} was built again since the plan was made",
                    hint="make the plan again with `imagecycle publish --out FILE`",
                )
            return artifact.disk
    return None


def _settle(
    side: CloudSide, found: Families, decision: Decision, command: str, why: str, how: How
) -> Done:
    """Make the plan, print it, and keep it or take its steps."""
    plan = planning.make(
        decision,
        found,
        cloud=side.name,
        project=side.images.project_id,
        command=command,
        why=why,
        now=side.clock(),
    )
    say(plan)
    if how.out is not None:
        planning.write(plan, how.out)
        log.say(f"written: {how.out}; apply it with `imagecycle apply {how.out}`")
    if how.out is not None or how.dry_run or not plan.steps:
        return Done(plan, None)
    return Done(plan, side.carry_out(plan, found))


def _warn_of_users(
    side: CloudSide, family: str, release: Release, bad: Collection[str], result: Result
) -> None:
    users = frozenset().union(*(result.users.get(image_id, ()) for image_id in bad))
    if users:
        log.warn(f"{family} {release} is revoked and still used by {named(users)}")
        log.say(f"tell them: imagecycle notify --cloud {side.name} {family} {release}")


@contextlib.contextmanager
def _locked(
    side: CloudSide, families: Collection[str], command: str, how: How
) -> Iterator[Families]:
    """Hold families, all of the cloud if none is named, and say what the cloud has of them.

    A plan that is only made needs no lock.
    """
    if how.dry_run or how.out is not None:
        yield side.families(families)
        return
    names = families or list(side.families(()))
    with side.lock(names, f"{command} in {side.name}"):
        yield side.families(names) if names else {}
