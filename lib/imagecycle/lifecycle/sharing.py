"""Taking an image from everyone but its users, and keeping its members true.

Glance takes members only while an image is ``shared``, and remembers them while it is not. So
between that change and the last member's adding its users are locked out: the window. Members are
added many at once, those first who use the image most; when there are many, in several short
windows with pauses, in which the image is public, so that nobody is locked out for long at a time.
Windows are measured, and whatever fails in one, the image is public again. Who begins to use an
image while this runs is found by a second listing at its end.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagecycle import log
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle.audit import Outcome
from imagecycle.lifecycle.guarded_images import GuardedImages
from imagecycle.lifecycle.steps import Share, SyncMembers, members_digest, named
from imagecycle.metadata import identity
from imagecycle.model import ProjectUse, State

if TYPE_CHECKING:
    from imagecycle.cloud.image import Image

WINDOW = 0.5
"""Seconds in which members are added before an image is public again for a while"""
PAUSE = 1.0
"""Seconds between two windows: who was refused in one and tries again meets the pause"""
_TRIES = 2


@dataclass(frozen=True)
class Window:
    """The time in which the users of an image could not use it."""

    image_id: str
    seconds: tuple[float, ...]
    """Of each time that it was closed to those who were not members yet"""
    members: frozenset[str]

    def __str__(self) -> str:
        if len(self.seconds) == 1:
            return f"nobody but its owner could use it for {self.seconds[0]:.2f} s"
        return (
            f"who was not a member yet could not use it {len(self.seconds)} times, for "
            f"{max(self.seconds):.2f} s at most and {sum(self.seconds):.1f} s in all"
        )


def share(step: Share, run: GuardedImages) -> Window:
    """Make an image ``shared`` and its users its members.

    :raises ImagecycleError: when anything fails; the image is then what it was, unless the step
        must stay.
    """
    image_id = step.image_id
    before = run.images.image(image_id)
    use = run.use(image_id, before.owner) if step.back is not None else {}
    users = set(step.members) | use.keys()
    if step.relies_on:
        run.require_current(step.relies_on)
    before = run.unchanged(image_id)
    with run.audit.mutation(str(step), image_id, before.facts()) as outcome:
        began = time.monotonic()
        try:
            seconds = _let_in(_most_first(users, use), before, step, run)
            outcome.facts = {"window_seconds": seconds, "members": sorted(users)}
            if step.accept and users:  # not in the window: they can use it without
                run.images.accept_members(image_id, users)
            users = _late(users, step, run, before.owner)
            there = run.images.members(image_id).keys()  # some from an earlier sharing, perhaps
            removed = _withdraw(there - users, step, run, before.owner)
            members = (there | users) - removed
            written = {**step.last, identity.SHARED_WITH: members_digest(members)}
            after = run.change(run.unchanged(image_id), written)
        except BaseException:
            _give_back(step, run, outcome, began)
            raise
        outcome.facts["members"] = sorted(users)
        outcome.after = after.facts()
    window = Window(image_id, tuple(seconds), frozenset(users))
    log.say(f"{step}; {window}")
    return window


def sync(step: SyncMembers, run: GuardedImages) -> None:
    """Add and remove members of a shared image; whoever uses it by then stays or comes back.

    :raises ImagecycleError: when anything fails; the next run goes on from there.
    """
    image_id = step.image_id
    before = run.unchanged(image_id)
    with run.audit.mutation(str(step), image_id, before.facts()) as outcome:
        if before.properties.get(identity.SHARED_WITH):
            # until the end, so that a run that breaks off here does not pass for a whole one
            run.change(before, {identity.SHARED_WITH: ""})
        if step.add:
            run.images.add_members(image_id, step.add, accept=step.accept)
        removed = _withdraw(step.remove, step, run, before.owner)
        outcome.facts = {"added": list(step.add), "removed": sorted(removed)}
        if step.fields:
            written = members_digest(run.images.members(image_id))
            fields = {**step.fields, identity.SHARED_WITH: written}
            outcome.after = run.change(run.unchanged(image_id), fields).facts()
    log.say(str(step))


def _most_first(users: Collection[str], use: Mapping[str, ProjectUse]) -> list[str]:
    """Projects in the order of how much they have of the image."""
    return sorted(users, key=lambda one: (-use[one].amount if one in use else 0, one))


def _let_in(users: Sequence[str], image: Image, step: Share, run: GuardedImages) -> list[float]:
    """Make an image ``shared`` and its users members, in windows with pauses if that takes long.

    What must not be public again gets one window.

    :param image: as it was just read.
    :returns: the seconds of each window, rounded to milliseconds.
    """
    windows: list[float] = []
    waiting = list(users)
    while True:
        began = time.monotonic()
        run.change(image, step.first)
        if waiting:
            limit = WINDOW if step.back is not None else None
            added = set(run.images.add_members(step.image_id, waiting, within=limit))
            waiting = [project for project in waiting if project not in added]
        if waiting and step.back is not None:
            run.change(run.unchanged(step.image_id), step.back)
        windows.append(round(time.monotonic() - began, 3))
        if not waiting:
            return windows
        time.sleep(PAUSE)
        image = run.unchanged(step.image_id)


def _withdraw(
    projects: Collection[str], step: Share | SyncMembers, run: GuardedImages, owner: str
) -> set[str]:
    """End the membership of projects that do not use an image; returns which ended.

    A project that begins to use it in this very moment gets its membership back, and so do all
    when this fails.
    """
    image_id = step.image_id
    removed = set(projects) - run.users(image_id, owner) if projects else set()
    if not removed:
        return removed
    try:
        run.images.remove_members(image_id, removed)
        back = run.users(image_id, owner) & removed
    except (ImagecycleError, KeyboardInterrupt):
        _restore(removed, step, run)
        raise
    _restore(back, step, run)
    return removed - back


def _restore(projects: Collection[str], step: Share | SyncMembers, run: GuardedImages) -> None:
    """Give memberships back, in a second try if the first one fails or is interrupted."""
    if not projects:
        return
    for number in range(1, _TRIES + 1):
        try:
            run.images.add_members(step.image_id, projects, accept=step.accept)
            return
        except (ImagecycleError, KeyboardInterrupt):
            if number == _TRIES:
                raise


def _late(users: set[str], step: Share, run: GuardedImages, owner: str) -> set[str]:
    """Add who began to use it since the listing; returns all users."""
    now = run.users(step.image_id, owner)
    if late := now - users:
        run.images.add_members(step.image_id, late, accept=step.accept)
        if step.back is not None:
            log.say(
                f"image {step.image_id}: {named(late)} began to use it while it was being shared"
            )
    return users | now


def _give_back(step: Share, run: GuardedImages, outcome: Outcome, began: float) -> None:
    """Make the image public again, unless somebody has decided about it meanwhile."""
    if step.back is None:
        log.warn(
            f"image {step.image_id} is revoked, but its users may be locked out: run "
            "`imagecycle retire` for its family"
        )
        return
    for number in range(1, _TRIES + 1):
        try:
            found = run.images.image(step.image_id)
            state = found.properties.get(identity.STATE)
            if found.visibility == "shared" and state in (State.SUPERSEDED, State.RETIRED):
                run.change(found, step.back)
            elif found.visibility == "shared" and state == State.CURRENT:
                run.change(found, {"visibility": "public"})  # made current in that very moment
            outcome.facts["given_back_after_seconds"] = round(time.monotonic() - began, 3)
            log.say(f"image {step.image_id}: usable for everyone again")
            return
        except (ImagecycleError, KeyboardInterrupt) as error:
            if number == _TRIES:
                said = error.message if isinstance(error, ImagecycleError) else "interrupted"
                log.warn(
                    f"image {step.image_id} could not be made public again ({said}): its users "
                    "are locked out until `imagecycle retire` runs again for its family"
                )
