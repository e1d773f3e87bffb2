"""What has to change in a cloud, decided from plain values: nothing here talks to it.

Every rule takes what a cloud holds and returns a :class:`Decision`. The order of the steps is part
of it: wherever they break off, no family is left without a current release and no project without
an image that it uses.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imagecycle.lifecycle.releases import Holding
from imagecycle.lifecycle.steps import Change, Delete, Discard, Step
from imagecycle.metadata import identity
from imagecycle.model import State


@dataclass(frozen=True)
class Decision:
    """Steps in their order, and what a person should know besides."""

    steps: Sequence[Step]
    notes: Sequence[str] = ()


def stamp(now: datetime.datetime) -> str:
    """A time as it is written on images."""
    return now.astimezone(datetime.UTC).isoformat(timespec="seconds")


def supersede(held: Holding, by: str, by_release: object, now: datetime.datetime) -> Change:
    """Put a release out of sight in favour of the image ``by``."""
    return Change(
        held.id,
        f"release {held.release} becomes superseded by {by_release}: hidden, still usable",
        {
            "os_hidden": True,
            identity.STATE: State.SUPERSEDED.value,
            identity.SUPERSEDED_AT: stamp(now),
            identity.SUCCESSOR: by,
        },
        relies_on=by,
    )


def promote(held: Holding) -> Change:
    """Make a release that was current once current again."""
    later = (identity.SUPERSEDED_AT, identity.RETIRED_AT, identity.UNUSED_SINCE, identity.SUCCESSOR)
    return Change(
        held.id,
        f"release {held.release} becomes current again: public",
        {
            "visibility": "public",
            "os_hidden": False,
            identity.STATE: State.CURRENT.value,
            **{name: None for name in later if name in held.image.properties},
        },
    )


def name_themselves(family: Iterable[Holding], steps: Iterable[Step] = ()) -> list[Change]:
    """Have releases say that they are: those that were published before releases named their id.

    :param steps: what else is done; what is deleted need say nothing.
    """
    gone = {step.image_id for step in steps if isinstance(step, Delete | Discard)}
    return [
        Change(
            held.id,
            f"release {held.release} names this image as its own, so that no copy is taken for it",
            {identity.IMAGE_ID: held.id},
        )
        for held in family
        if not held.names_itself and held.id not in gone
    ]


def reopen(family: Iterable[Holding]) -> list[Change]:
    """Undo sharings that broke off: until then, users of these releases are locked out.

    Also of a release that was protected since: this only gives back what we took.
    """
    return [
        Change(
            held.id,
            f"release {held.release} becomes usable for everyone again: its sharing broke off",
            {"visibility": "public", "os_hidden": True},
        )
        for held in family
        if held.window_open
    ]
