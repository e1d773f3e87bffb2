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
from imagecycle.lifecycle.cloud_context import CloudContext, Families, ids, say
from imagecycle.lifecycle.execution import Result
from imagecycle.lifecycle.plan import Plan
from imagecycle.lifecycle.rules import Decision, retire, revoke, rollback
from imagecycle.lifecycle.steps import Upload, named
from imagecycle.metadata import identity
from imagecycle.model import Release, State
from imagecycle.site import Site
from imagecycle.site_sections import Retirement


@dataclass(frozen=True)
class PlanMode:
    """What becomes of a plan once it is made."""

    dry_run: bool = False
    out: Path | None = None
    """Write it there instead of applying it"""


APPLY = PlanMode()


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
    options: retire.RetireOptions = retire.BY_POLICY,
    check_members: bool = False,
    mode: PlanMode = APPLY,
) -> Done:
    """Do what the policy asks for now: retire, keep members true, delete what nobody uses.

    :param families: none for all that the cloud has.
    :param check_members: read the members of every shared image, also where nobody's use has
        changed; finds what was changed by hand.
    :raises ImagecycleError: when usage cannot be told completely, or a step fails.
    """
    context = CloudContext.open(cloud, site)
    return retire_in(context, families, options=options, check_members=check_members, mode=mode)


def retire_in(
    context: CloudContext,
    families: Collection[str],
    *,
    options: retire.RetireOptions = retire.BY_POLICY,
    check_members: bool = False,
    mode: PlanMode = APPLY,
) -> Done:
    """:func:`retire_releases` in a cloud that we are logged in to."""
    with _locked(context, families, "retire", mode) as listed:
        with _mended(context, listed, mode):
            policies = context.policies()
            found = with_evidence(context, listed, check_members=check_members)
        options = dataclasses.replace(options, explain=len(families) == 1)
        decision = retire.decide(found, policies, now=context.clock(), options=options)
        why = f"retire {', '.join(sorted(families)) or 'by the policy'}"
        return _settle(context, found, decision, "retire", why, mode)


@contextlib.contextmanager
def _mended(context: CloudContext, listed: Families, mode: PlanMode) -> Iterator[None]:
    """Should it not be told what to do, give back at least what a run that broke off had taken."""
    try:
        yield
    except ImagecycleError:
        decision = retire.mend(listed)
        if decision.steps and mode.out is None:
            try:
                _settle(context, listed, decision, "retire", "mend what broke off", mode)
            except ImagecycleError as error:
                log.warn(error.message)
        raise


def with_evidence(
    context: CloudContext, found: Families, *, check_members: bool = False
) -> Families:
    """Releases with the usage and members that the rules of retirement decide from."""
    later = [held.id for family in found.values() for held in family if held.state in _NO_CURRENT]
    found = context.with_usage(found, later)
    return context.with_members(found, retire.unsure_of_members(found, all_=check_members))


def roll_back(
    family: str, site: Site, *, cloud: str, to: Release | None = None, mode: PlanMode = APPLY
) -> Done:
    """Make the previous release of a family current again, or the one named.

    :raises CannotRollBack: when there is none.
    """
    return roll_back_in(CloudContext.open(cloud, site), family, to=to, mode=mode)


def roll_back_in(
    context: CloudContext, family: str, *, to: Release | None = None, mode: PlanMode = APPLY
) -> Done:
    """:func:`roll_back` in a cloud that we are logged in to."""
    with _locked(context, [family], "rollback", mode) as found:
        decision = rollback.decide(found[family], to=to, now=context.clock())
        why = f"rollback {family}{f' to {to}' if to else ''}"
        return _settle(context, found, decision, "rollback", why, mode)


def revoke_release(
    family: str,
    release: Release,
    site: Site,
    *,
    cloud: str,
    reason: str,
    private: bool = False,
    force: bool = False,
    mode: PlanMode = APPLY,
) -> Done:
    """Take a bad release away at once, and say who uses it.

    :raises CannotRevoke: when it is not there, or nothing could take its place.
    """
    if not reason.strip():
        raise UsageError("a revocation needs a reason", hint="--reason 'what is wrong with it'")
    context = CloudContext.open(cloud, site)
    return revoke_in(
        context, family, release, reason=reason.strip(), private=private, force=force, mode=mode
    )


def revoke_in(
    context: CloudContext,
    family: str,
    release: Release,
    *,
    reason: str,
    private: bool = False,
    force: bool = False,
    mode: PlanMode = APPLY,
) -> Done:
    """:func:`revoke_release` in a cloud that we are logged in to."""
    with _locked(context, [family], "revoke", mode) as found:
        decision = revoke.decide(
            found[family],
            release=release,
            reason=reason,
            now=context.clock(),
            private=private,
            force=force,
            accept=_policy(context, family).members == "accepted",
        )
        why = f"revoke {family} {release}: {reason}"
        done = _settle(context, found, decision, "revoke", why, mode)
        if done.result is not None:
            bad = [held.id for held in found[family] if held.release == release]
            _warn_of_users(context, family, release, bad, done.result)
        return done


def _policy(context: CloudContext, family: str) -> Retirement:
    """A family's policy; a revocation does not wait until the catalog is mended."""
    try:
        return context.policies().of(family)
    except UsageError as error:
        log.warn(f"{family} is taken for a family with the site's policy: {error.message}")
        return context.site.retirement


def apply_file(path: Path, site: Site, *, dry_run: bool = False) -> Done:
    """Apply a plan that was kept in a file.

    :raises UsageError: when the file is no plan, or was edited.
    :raises Changed: when the cloud is not what the plan was made from any more.
    """
    plan = planning.read(path)
    context = CloudContext.open(plan.cloud, site)
    if context.images.project_id != plan.project:
        raise UsageError(
            f"{path} is a plan for another project than {plan.cloud} belongs to now",
            hint="check that entry in clouds.yaml, or make the plan again",
        )
    return apply_in(context, plan, PlanMode(dry_run=dry_run))


def apply_in(context: CloudContext, plan: Plan, mode: PlanMode = APPLY) -> Done:
    """Take the steps of a plan that was made before, if its cloud is as it was then.

    :raises Changed: when it is not.
    """
    with context.lock(() if mode.dry_run else plan.families, f"apply in {context.name}"):
        found = _as_then(context, plan)
        planning.compare(plan, found)
        say(plan)
        if mode.dry_run or not plan.steps:
            return Done(plan, None)
        return Done(plan, context.carry_out(plan, found, _disk(plan, context.site)))


def _as_then(context: CloudContext, plan: Plan) -> Families:
    """A plan's families, with members and users of the images that it weighed."""
    every = context.images.images() if len(plan.families) > 1 else None
    found: Families = {}
    for family in plan.families:
        listed = every if every is not None else context.images.images(**{identity.FAMILY: family})
        releases = context.recognise(listed).families
        found |= {name: held for name, held in releases.items() if name == family}
    found = context.with_usage(found, [one.image_id for one in plan.seen if one.users is not None])
    there = set(ids(found))
    weighed = [one.image_id for one in plan.seen if one.members is not None]
    return context.with_members(found, [image_id for image_id in weighed if image_id in there])


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
    context: CloudContext,
    found: Families,
    decision: Decision,
    command: str,
    why: str,
    mode: PlanMode,
) -> Done:
    """Make the plan, print it, and keep it or take its steps."""
    plan = planning.make(
        decision,
        found,
        cloud=context.name,
        project=context.images.project_id,
        command=command,
        why=why,
        now=context.clock(),
    )
    say(plan)
    if mode.out is not None:
        planning.write(plan, mode.out)
        log.say(f"written: {mode.out}; apply it with `imagecycle apply {mode.out}`")
    if mode.out is not None or mode.dry_run or not plan.steps:
        return Done(plan, None)
    return Done(plan, context.carry_out(plan, found))


def _warn_of_users(
    context: CloudContext, family: str, release: Release, bad: Collection[str], result: Result
) -> None:
    users = frozenset().union(*(result.users.get(image_id, ()) for image_id in bad))
    if users:
        log.warn(f"{family} {release} is revoked and still used by {named(users)}")
        log.say(f"tell them: imagecycle notify --cloud {context.name} {family} {release}")


@contextlib.contextmanager
def _locked(
    context: CloudContext, families: Collection[str], command: str, mode: PlanMode
) -> Iterator[Families]:
    """Hold families, all of the cloud if none is named, and say what the cloud has of them.

    A plan that is only made needs no lock.
    """
    if mode.dry_run or mode.out is not None:
        yield context.families(families)
        return
    names = families or list(context.families(()))
    with context.lock(names, f"{command} in {context.name}"):
        yield context.families(names) if names else {}
