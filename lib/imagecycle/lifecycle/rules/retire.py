"""What the end of life has to change: superseded releases that are shared with who still uses
them, members that are kept true, images that nobody uses deleted after the grace period.

Rights are added before any is taken, and nothing is taken from a release that somebody protects.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from imagecycle.lifecycle.policies import Policies
from imagecycle.lifecycle.releases import Holding, current
from imagecycle.lifecycle.rules import Decision, name_themselves, reopen, stamp, supersede
from imagecycle.lifecycle.steps import (
    Change,
    Delete,
    Share,
    Step,
    SyncMembers,
    members_digest,
    named,
)
from imagecycle.metadata import identity
from imagecycle.model import State
from imagecycle.site_sections import Retirement


@dataclass(frozen=True)
class RetireOptions:
    """What an operator asked for beyond the policy."""

    now: bool = False
    """Retire whatever its age, also in quiet hours"""
    max_changes: int | None = None
    """None: as the policy says"""
    explain: bool = False
    """Say of each superseded release why it is not retired yet"""


BY_POLICY = RetireOptions()


@dataclass
class _Gathered:
    """Steps by when they are due: what gives access back first, what takes it away last."""

    reopenings: list[Step] = field(default_factory=list)
    repairs: list[Step] = field(default_factory=list)
    additions: list[Step] = field(default_factory=list)
    takings: list[Step] = field(default_factory=list)
    marks: list[Step] = field(default_factory=list)
    deletions: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: _Gathered) -> None:
        """Append what was gathered for another family."""
        for one in dataclasses.fields(self):
            getattr(self, one.name).extend(getattr(other, one.name))


def decide(
    families: Mapping[str, Sequence[Holding]],
    policies: Policies,
    *,
    now: datetime.datetime,
    options: RetireOptions = BY_POLICY,
) -> Decision:
    """The steps for these families.

    :param families: their releases with usage, and with members where those are not known to be
        the users (see :func:`unsure_of_members`).
    :param policies: of each family; how much one run may take away is the site's to say.
    """
    gathered = _Gathered()
    waiting: Counter[str] = Counter()
    for name, family in families.items():
        found, policy = _Gathered(), policies.of(name)
        _family(family, policy, now, options, found)
        if quiet_until := "" if options.now else _quiet_until(policy, now):
            waiting[quiet_until] += len(found.takings) + len(found.deletions)
            found.takings, found.deletions = [], []
        gathered.add(found)
    gathered.notes += [
        f"left until quiet hours end at {quiet_until}: {number} of the changes"
        for quiet_until, number in waiting.items()
        if number
    ]
    takings = [*gathered.takings, *gathered.deletions]
    limit = policies.site.max_changes if options.max_changes is None else options.max_changes
    if len(takings) > limit:
        gathered.notes.append(
            f"left for the next run, at most {limit} a run: {len(takings) - limit} of the changes"
        )
        takings = takings[:limit]
    steps = [
        *gathered.reopenings,
        *gathered.repairs,
        *gathered.additions,
        *(name for family in families.values() for name in name_themselves(family, takings)),
        *gathered.marks,
        *takings,
    ]
    return Decision(steps, gathered.notes)


def mend(families: Mapping[str, Sequence[Holding]]) -> Decision:
    """Only what gives access back: it needs no policy, and no listing of who uses what."""
    return Decision([step for family in families.values() for step in reopen(family)])


def unsure_of_members(
    families: Mapping[str, Sequence[Holding]], *, all_: bool = False
) -> list[str]:
    """The images whose members must be asked for, since their users have changed.

    :param all_: every image that has members, also where nothing seems to have changed.
    """
    return [
        held.id
        for family in families.values()
        for held in family
        if held.image.visibility == "shared"
        and held.state in (State.RETIRED, State.REVOKED)
        and (all_ or not held.members_are_users)
    ]


def _family(
    family: Sequence[Holding],
    policy: Retirement,
    now: datetime.datetime,
    options: RetireOptions,
    gathered: _Gathered,
) -> None:
    gathered.reopenings += reopen(family)
    ours = [held for held in family if not _left_alone(held, gathered.notes)]
    currents = current(family)
    for held in currents[:-1]:
        if held in ours:
            newest = currents[-1]
            gathered.repairs.append(supersede(held, newest.id, newest.release, now))
    due = set(_due(family, policy, now, options, gathered) if currents else ())
    if not currents and any(held.state is State.SUPERSEDED for held in family):
        gathered.notes.append(
            f"{family[0].family} has no current release: its superseded ones stay usable"
        )
    for held in ours:
        if held.state is State.SUPERSEDED and held.id in due:
            gathered.takings.append(_share(held, policy, now))
        elif held.state in (State.RETIRED, State.REVOKED):
            _keep_true(held, policy, now, gathered, may_delete=bool(currents))


def _left_alone(held: Holding, notes: list[str]) -> bool:
    """Whether somebody decided otherwise about this image by hand."""
    if held.state is State.CANDIDATE:
        return True
    expected = {
        State.CURRENT: ("public",),
        State.SUPERSEDED: ("public", "shared"),
        State.RETIRED: ("shared",),
        State.REVOKED: ("shared", "private"),
    }[held.state]
    reason = ""
    if held.image.protected:
        reason = "protected"
    elif held.image.status != "active":
        reason = held.image.status
    elif held.image.visibility not in expected:
        reason = f"{held.image.visibility} though {held.state}"
    if reason and held.state is not State.CURRENT:
        notes.append(f"{held} is {reason}: left alone")
    return bool(reason)


def _due(
    family: Sequence[Holding],
    policy: Retirement,
    now: datetime.datetime,
    options: RetireOptions,
    gathered: _Gathered,
) -> Iterable[str]:
    """The superseded releases whose time is over."""
    newest = current(family)[-1].release
    superseded = [held for held in family if held.state is State.SUPERSEDED]
    kept = [held for held in superseded if held.release < newest][::-1][: policy.keep]
    age = datetime.timedelta(days=policy.after_days)
    for held in superseded:
        since = held.moment(identity.SUPERSEDED_AT)
        if options.now:
            yield held.id
        elif since is None or since > now:
            if not held.image.protected and held.image.status == "active":
                gathered.marks.append(
                    Change(
                        held.id,
                        f"release {held.release} counts as superseded from now on",
                        {identity.SUPERSEDED_AT: stamp(now)},
                    )
                )
        elif now - since >= age and held not in kept:
            yield held.id
        elif options.explain:
            kept_too = f", and as one of the newest {policy.keep}" if held in kept else ""
            until = f"{since + age:%Y-%m-%d}"
            gathered.notes.append(
                f"{held} stays usable for everyone until {until}{kept_too}; --now retires it"
            )


def _share(held: Holding, policy: Retirement, now: datetime.datetime) -> Share:
    assert held.users is not None, "nothing is taken away without a usage listing"
    return Share(
        held.id,
        f"release {held.release} becomes retired: shared with who uses it, {named(held.users)}",
        first={"visibility": "shared", identity.SHARED_WITH: ""},
        members=tuple(sorted(held.users)),
        last={
            "os_hidden": False,
            identity.STATE: State.RETIRED.value,
            identity.RETIRED_AT: stamp(now),
            **({} if _used(held) else {identity.UNUSED_SINCE: stamp(now)}),
        },
        back={
            "visibility": "public",
            "os_hidden": True,
            identity.STATE: State.SUPERSEDED.value,
        },
        accept=policy.members == "accepted",
    )


def _keep_true(
    held: Holding,
    policy: Retirement,
    now: datetime.datetime,
    gathered: _Gathered,
    *,
    may_delete: bool,
) -> None:
    """Members are who uses it; the grace period runs while nobody does."""
    assert held.users is not None, "nothing is taken away without a usage listing"
    since = held.moment(identity.UNUSED_SINCE)
    mark: dict[str, str | None] = {}
    if _used(held) and identity.UNUSED_SINCE in held.image.properties:
        mark = {identity.UNUSED_SINCE: None}
    elif not _used(held) and (since is None or since > now):
        mark = {identity.UNUSED_SINCE: stamp(now)}
    settled = held.image.visibility != "shared" or held.settled
    if not settled and held.members is not None:
        for step in _sync(held, held.members, held.users, policy, mark):
            (gathered.takings if step.remove else gathered.additions).append(step)
    elif mark:
        used = "in use again" if None in mark.values() else "unused from now on"
        gathered.marks.append(Change(held.id, f"release {held.release} is {used}", mark))
    grace = datetime.timedelta(days=policy.grace_days)
    over = since is not None and since <= now and now - since >= grace
    if not _used(held) and over and settled and may_delete:
        why = f"release {held.release} has had no user since {since:%Y-%m-%d}"
        gathered.deletions.append(Delete(held.id, why))


def _sync(
    held: Holding,
    members: Collection[str],
    users: frozenset[str],
    policy: Retirement,
    mark: Mapping[str, str | None],
) -> list[SyncMembers]:
    """Additions apart from removals: these may have to wait, those never."""
    add = tuple(sorted(users - set(members)))
    remove = tuple(sorted(set(members) - users))
    what = f"members of release {held.release}"
    accept = policy.members == "accepted"
    written = {identity.SHARED_WITH: members_digest(users), **mark}
    steps = []
    if add and remove:
        steps.append(SyncMembers(held.id, what, add=add, accept=accept))
    elif add or not remove:
        return [SyncMembers(held.id, what, add=add, fields=written, accept=accept)]
    steps.append(SyncMembers(held.id, what, remove=remove, fields=written, accept=accept))
    return steps


def _used(held: Holding) -> bool:
    return bool(held.users) or held.own_use


def _quiet_until(policy: Retirement, now: datetime.datetime) -> str:
    """When quiet hours end, as people write it; empty outside of them."""
    if not policy.quiet_hours:
        return ""
    begin, _, end = policy.quiet_hours.partition("-")
    zone = datetime.UTC if policy.time_zone == "UTC" else ZoneInfo(policy.time_zone)
    here = f"{now.astimezone(zone):%H:%M}"
    inside = begin <= here < end if begin < end else here >= begin or here < end
    return f"{end} {policy.time_zone}" if inside else ""
