"""Taking over images that were published by hand before imagecycle.

What an image is, is proposed by the operator's patterns and becomes true when somebody has
confirmed it. Adopting only adds properties of imagecycle's own: names, visibility and every value
that is there stay, and so does what users see and how their servers start.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from imagecycle.adoption.patterns import Pattern, first_match
from imagecycle.cloud.image import Image
from imagecycle.lifecycle.recognition import Copy, Records, recognise
from imagecycle.lifecycle.releases import Holding
from imagecycle.lifecycle.rules import stamp
from imagecycle.lifecycle.steps import Change
from imagecycle.metadata import identity
from imagecycle.model import Release, State


class Verdict(StrEnum):
    """What becomes of an image."""

    ADOPT = "adopt"
    CONFLICT = "conflict"
    OURS = "ours already"
    LEFT = "left alone"


@dataclass(frozen=True)
class Candidate:
    """One image of the project, and what is proposed for it."""

    image: Image
    verdict: Verdict
    family: str = ""
    release: Release | None = None
    state: State | None = None
    """What adopting makes of it"""
    remark: str = ""


def propose(
    images: Iterable[Image],
    patterns: Sequence[Pattern],
    catalog: Collection[str],
    records: Records = tuple,
) -> list[Candidate]:
    """What each image could be, by family and release; those that are left alone come last.

    :param catalog: the families that the catalog declares; others are proposed too, and flagged.
    :param records: see :func:`imagecycle.lifecycle.recognition.recognise`.
    """
    images = list(images)
    contents = recognise(images, records)
    ours = {held.id: held for family in contents.families.values() for held in family}
    copies = {one.image.id: one for one in contents.copies}
    found = [
        _ours(ours[image.id])
        if image.id in ours
        else Candidate(image, Verdict.LEFT, remark=_copied(copies[image.id]))
        if image.id in copies
        else _candidate(image, patterns, catalog)
        for image in images
    ]
    found = [_without_conflict(one, found) for one in found]
    order = list(Verdict)
    return sorted(
        found,
        key=lambda one: (
            order.index(one.verdict) if one.verdict not in (Verdict.ADOPT, Verdict.CONFLICT) else 0,
            one.family,
            str(one.release),
            one.image.name,
            one.image.id,
        ),
    )


def state_of(image: Image) -> State:
    """The state that says what users see: in their lists, or usable by its id only.

    Of several that are listed the newest counts; the next publish or retire puts the others out of
    sight, as printed in its plan.
    """
    return State.SUPERSEDED if image.hidden else State.CURRENT


def obstacle(image: Image) -> str:
    """Why an image cannot be adopted; empty when it can."""
    if image.properties.get("image_type") == "snapshot" or "base_image_ref" in image.properties:
        return "a snapshot of a server"
    if image.status != "active":
        return f"its status is {image.status}"
    if image.visibility != "public":
        return f"its visibility is {image.visibility}, not public"
    return ""


def addition(image: Image, family: str, release: Release, now: datetime.datetime) -> Change:
    """The change that adopts an image: properties that it does not have, and nothing else."""
    state = state_of(image)
    fields = {
        identity.IMAGE_ID: image.id,
        identity.FAMILY: family,
        identity.RELEASE: str(release),
        identity.STATE: state.value,
        identity.ADOPTED_AT: stamp(now),
        **({identity.SUPERSEDED_AT: stamp(now)} if state is State.SUPERSEDED else {}),
    }
    assert not fields.keys() & image.properties.keys(), "adopting only adds"
    what = f'"{image.name}" becomes {family} {release}, {state}'
    return Change(image.id, what, fields)


def _candidate(image: Image, patterns: Sequence[Pattern], catalog: Collection[str]) -> Candidate:
    if reason := obstacle(image):
        return Candidate(image, Verdict.LEFT, remark=reason)
    match = first_match(patterns, image.name)
    if match is None:
        return Candidate(image, Verdict.LEFT, remark="no pattern fits its name")
    if match.wrong:
        return Candidate(image, Verdict.LEFT, remark=match.wrong)
    remarks = [] if match.family in catalog else ["not in the catalog"]
    release = match.release
    if release is None:
        remarks.append("dated by its upload")
        release = Release(_uploaded(image))
    return Candidate(
        image, Verdict.ADOPT, match.family, release, state_of(image), "; ".join(remarks)
    )


def _ours(held: Holding) -> Candidate:
    return Candidate(held.image, Verdict.OURS, held.family, held.release, held.state)


def _copied(one: Copy) -> str:
    """Why an image with copied properties is left alone, and what to do should it be adopted."""
    of = f" of {one.of}" if one.of else ""
    way_out = "`imagecycle copies --tidy` removes imagecycle's properties"
    return f"it has the properties{of}, and is {one.what}; {way_out}"


def _uploaded(image: Image) -> datetime.date:
    return datetime.datetime.fromisoformat(image.created_at.replace("Z", "+00:00")).date()


def _without_conflict(one: Candidate, everything: Sequence[Candidate]) -> Candidate:
    if one.verdict is not Verdict.ADOPT:
        return one
    others = [
        other.image.id[:8]
        for other in everything
        if (other.family, other.release) == (one.family, one.release) and other is not one
    ]
    if not others:
        return one
    remark = f"the same release as {', '.join(others)}"
    return replace(
        one,
        verdict=Verdict.CONFLICT,
        remark=f"{remark}; {one.remark}" if one.remark else remark,
    )
