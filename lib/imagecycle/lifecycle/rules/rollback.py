"""What makes an earlier release of a family current again."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle.releases import Holding, current, predecessor
from imagecycle.lifecycle.rules import Decision, name_themselves, promote, reopen, supersede
from imagecycle.lifecycle.steps import Step
from imagecycle.model import Release, State


class CannotRollBack(ImagecycleError):
    """There is no release to go back to, or somebody decided otherwise."""


def decide(family: Sequence[Holding], *, to: Release | None, now: datetime.datetime) -> Decision:
    """The steps back: the earlier release is public before the later one goes out of sight.

    :param to: the release to make current; by default the newest before the current one.
    :raises CannotRollBack: when there is none that can be.
    """
    currents = current(family)
    chosen = _named(family, to) if to else _before(family, currents)
    if others := [held for held in currents if held.id != chosen.id]:
        _refuse_protected([chosen, *others])
    steps: list[Step] = [*reopen(held for held in family if held.id != chosen.id)]
    if chosen.state is not State.CURRENT:
        _refuse_protected([chosen])
        steps.append(promote(chosen))
    steps += [supersede(held, chosen.id, chosen.release, now) for held in others]
    return Decision([*steps, *name_themselves(family, steps)])


def _before(family: Sequence[Holding], currents: Sequence[Holding]) -> Holding:
    if not currents:
        name = family[0].family if family else "this family"
        raise CannotRollBack(
            f"{name} has no current release in this cloud",
            hint="name the release to make current: --to RELEASE",
        )
    found = predecessor(family, currents[-1].release)
    if found is None:
        raise CannotRollBack(
            f"{currents[-1].family} has no release before {currents[-1].release} in this cloud",
            hint="publish another one; until then it stays as it is",
        )
    return found


def _named(family: Sequence[Holding], to: Release) -> Holding:
    found = [held for held in family if held.release == to]
    able = (State.CURRENT, State.SUPERSEDED, State.RETIRED)
    if not found:
        known = ", ".join(f"{held.release} ({held.state})" for held in family) or "none"
        raise CannotRollBack(f"there is no release {to} in this cloud", hint=f"there is: {known}")
    usable = [held for held in found if held.state in able and held.image.status == "active"]
    if not usable:
        state = found[-1].state if found[-1].image.status == "active" else found[-1].image.status
        hint = "publish it" if state == State.CANDIDATE else "choose another release, or build one"
        raise CannotRollBack(f"release {to} is {state} in this cloud", hint=hint)
    return usable[-1]


def _refuse_protected(involved: Sequence[Holding]) -> None:
    for held in involved:
        if held.image.protected:
            raise CannotRollBack(
                f"{held} is protected",
                hint=f"openstack image set --unprotected {held.id}, then run this again",
            )
