"""What takes a bad release away.

Nobody but its users may use a revoked image: it becomes ``shared`` at once, and those who use it
become members afterwards, so that their servers can still be moved, resized and unshelved while
they make new ones. Asked to, nobody keeps it: ``private``.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle.releases import Holding, current, predecessor
from imagecycle.lifecycle.rules import Decision, name_themselves, promote, reopen, stamp
from imagecycle.lifecycle.steps import Change, Share, Step
from imagecycle.metadata import identity
from imagecycle.model import Release, State


class CannotRevoke(ImagecycleError):
    """There is no such release, or the family would be left without a current one."""


def decide(
    family: Sequence[Holding],
    *,
    release: Release,
    reason: str,
    now: datetime.datetime,
    private: bool = False,
    force: bool = False,
    accept: bool = False,
) -> Decision:
    """The steps that revoke a release; its predecessor is current first if need be.

    :param private: take it from its users as well.
    :param force: revoke it even when no other release can be current.
    :param accept: accept on behalf of the members.
    :raises CannotRevoke: when it is not there, protected, or nothing could take its place.
    """
    bad = [held for held in family if held.release == release]
    if not bad:
        known = ", ".join(f"{held.release} ({held.state})" for held in family) or "none"
        raise CannotRevoke(
            f"there is no release {release} in this cloud", hint=f"there is: {known}"
        )
    for held in bad:
        if held.image.protected:
            raise CannotRevoke(
                f"{held} is protected",
                hint=f"openstack image set --unprotected {held.id}, then run this again",
            )
    rest = [held for held in family if held.release != release]
    successor, steps = _successor(family, rest, bad, force)
    for held in bad:
        fields = _fields(held, reason, successor, now, private)
        if held.state is State.REVOKED and not (private and held.image.visibility != "private"):
            if held.image.visibility == "shared" and not held.image.properties.get(
                identity.SHARED_WITH
            ):
                what = f"release {held.release} is revoked: who uses it becomes a member"
                steps.append(Share(held.id, what, first={identity.SHARED_WITH: ""}, accept=accept))
            continue
        steps.append(_away(held, fields, successor, accept))
    return Decision([*reopen(rest), *steps, *name_themselves(family)])


def _successor(
    family: Sequence[Holding], rest: Sequence[Holding], bad: Sequence[Holding], force: bool
) -> tuple[Holding | None, list[Step]]:
    """The release to use instead, and what makes it current."""
    remaining = current(rest)
    if remaining or not current(bad):
        return (remaining[-1] if remaining else None), []
    before = predecessor(rest, bad[0].release)
    if before is not None and not before.image.protected:
        return before, [promote(before)]
    if not force:
        raise CannotRevoke(
            f"{bad[0].family} {bad[0].release} is current, and no release before it could take "
            "its place in this cloud",
            hint=f"publish another one, or make another current with `imagecycle rollback "
            f"{bad[0].family} --to RELEASE`; --force leaves the family without one",
        )
    return None, []


def _fields(
    held: Holding,
    reason: str,
    successor: Holding | None,
    now: datetime.datetime,
    private: bool,
) -> Mapping[str, Any]:
    stays = held.image.visibility == "private"
    return {
        "visibility": "private" if private or stays else "shared",
        "os_hidden": True,
        identity.STATE: State.REVOKED.value,
        identity.REVOKED_AT: stamp(now),
        identity.REVOKED_REASON: reason,
        identity.SHARED_WITH: "",
        **({identity.SUCCESSOR: successor.id} if successor else {}),
    }


def _away(
    held: Holding, fields: Mapping[str, Any], successor: Holding | None, accept: bool
) -> Step:
    instead = f"; use {successor.release} instead" if successor else ""
    relies_on = successor.id if successor and held.state is State.CURRENT else None
    if fields["visibility"] == "private":
        what = f"release {held.release} becomes revoked: nobody can use it any more{instead}"
        return Change(held.id, what, fields, relies_on=relies_on)
    what = (
        f"release {held.release} becomes revoked: taken from everyone but the projects "
        f"that use it now{instead}"
    )
    return Share(held.id, what, first=fields, accept=accept, relies_on=relies_on)
