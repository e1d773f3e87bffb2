"""What a publish has to change.

The new release is public before the old one goes out of sight, so that a family which has had a
current release never has none.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle.recognition import Copy
from imagecycle.lifecycle.releases import Holding
from imagecycle.lifecycle.rules import Decision, name_themselves, reopen, supersede
from imagecycle.lifecycle.steps import Change, Discard, Step, Upload
from imagecycle.metadata import identity
from imagecycle.model import Release, State

_LEFTOVER = ("queued", "saving", "uploading", "importing", "killed")
"""Statuses of an image whose upload did not end."""


@dataclass(frozen=True)
class Target:
    """A release as it should be in a cloud."""

    family: str
    release: Release
    name: str
    size: int
    disk_format: str
    min_disk: int
    min_ram: int
    properties: Mapping[str, str]
    """All of them, except the state"""
    hashes: Mapping[str, str]
    """Of the disk: hexadecimal digests by Glance's name of the algorithm"""
    other_formats: Sequence[Mapping[str, str]] = ()
    """Such digests of the same disk in the formats that it was published in before"""
    method: str = "upload"
    stores: tuple[str, ...] = ()
    source: str = ""
    """How it comes into the cloud, see :class:`imagecycle.lifecycle.steps.Upload`"""


@dataclass(frozen=True)
class Publication(Decision):
    """The changes that publish a release; none when it is published already."""

    published: Image | None = None
    """The image that is the release's already, or will be when it has been changed"""

    @property
    def image_id(self) -> str:
        """The image that will be the release's."""
        uploads = [step.image_id for step in self.steps if isinstance(step, Upload)]
        return uploads[0] if uploads else self.published.id if self.published else ""


class CannotPublish(ImagecycleError):
    """What is in the cloud speaks against publishing this release."""


def decide(
    target: Target,
    family: Sequence[Holding],
    *,
    unsure: Sequence[Copy] = (),
    now: datetime.datetime,
    new_id: str,
) -> Publication:
    """What has to change so that ``target`` is its family's current release.

    :param family: all its releases in our project, hidden ones too, oldest first.
    :param unsure: images of the family that may be releases and may be copies.
    :param new_id: the id of the image, should one have to be uploaded.
    :raises CannotPublish: when the cloud has a newer release, another disk under this release's
        name, something that may be either, or when an operator has decided otherwise.
    """
    others = [held for held in family if held.release != target.release]
    same = [held for held in family if held.release == target.release]
    _refuse_older(target, others)
    _refuse_unsure(target, unsure)
    chosen, discarded = _sort_out(target, same)
    _refuse_rolled_back(target, chosen, others)
    steps: list[Step] = [*reopen(family), *discarded, *name_themselves(family, discarded)]
    notes = _notes(others, unsure)
    if chosen is None:
        upload = Upload(
            new_id,
            target.family,
            str(target.release),
            target.name,
            target.size,
            dict(target.hashes),
            _candidate(target),
            target.method,
            target.stores,
            target.source,
        )
        steps += [upload, _promotion(new_id)]
    elif differing := _differing(target, chosen.image):
        if chosen.image.protected:
            raise CannotPublish(
                f"image {chosen.id} of {target.family} {target.release} is protected, and lacks "
                f"{', '.join(sorted(differing))}",
                hint=f"openstack image set --unprotected {chosen.id}, then run this again",
            )
        steps.append(_promotion(chosen.id, differing))
    for held in others:
        if held.state is State.CURRENT and held.image.protected:
            notes.append(f"{held} is protected: it stays current beside the new release")
        elif held.state is State.CURRENT:
            by = chosen.id if chosen else new_id
            steps.append(supersede(held, by, target.release, now))
    return Publication(steps, notes, chosen.image if chosen else None)


def bringing(publication: Publication) -> Publication:
    """What of a publication brings the release into the cloud as a candidate, and no more."""
    steps = [step for step in publication.steps if isinstance(step, Discard | Upload)]
    return dataclasses.replace(publication, steps=steps if publication.published is None else [])


def _refuse_older(target: Target, others: Sequence[Holding]) -> None:
    newer = [
        held.release
        for held in others
        if held.state is State.CURRENT and held.release > target.release
    ]
    if newer:
        raise CannotPublish(
            f"{target.family} {target.release} is older than {max(newer)}, "
            "which is current in this cloud",
            hint=f"publish a newer one, or leave it: build it with `imagecycle build "
            f"{target.family}`",
        )


def _refuse_unsure(target: Target, unsure: Sequence[Copy]) -> None:
    """An image that may be this release or a newer one is for a person to decide about."""
    for one in unsure:
        try:
            older = Release.parse(one.release) < target.release
        except ImagecycleError:
            continue  # no release has such a name
        if not older:
            raise CannotPublish(
                f"{one} may be a release that is in this cloud already, or a copy of one: this "
                "machine has no record of its upload",
                hint="`imagecycle copies` confirms that it is the release, or tidies it; or "
                "publish on the machine that has published it",
            )


def _refuse_rolled_back(target: Target, chosen: Holding | None, others: Sequence[Holding]) -> None:
    """A release that is superseded while an older one is current was put back on purpose."""
    older = [held.release for held in others if held.state is State.CURRENT]
    if chosen and chosen.state is State.SUPERSEDED and older:
        raise CannotPublish(
            f"{target.family} {target.release} was rolled back to {max(older)} in this cloud",
            hint=f"build a new release, or make it current again: imagecycle rollback "
            f"{target.family} --to {target.release}",
        )


def _sort_out(target: Target, same: Sequence[Holding]) -> tuple[Holding | None, list[Discard]]:
    """The image that is this release already, if any, and what is to be deleted."""
    discarded = []
    whole = []
    for held in same:
        image = held.image
        if held.state in (State.RETIRED, State.REVOKED, State.DELETED):
            raise CannotPublish(
                f"{target.family} {target.release} is {held.state} in this cloud "
                f"(image {image.id})",
                hint=f"build a new release: imagecycle build {target.family} --force",
            )
        unfinished = held.state is State.CANDIDATE and image.visibility == "private"
        if image.status == "active" and _is_disk(target, image):
            whole.append((held.state is not State.CURRENT, image.created_at, held))
        elif unfinished and image.status == "active":
            discarded.append(Discard(image.id, "an unpublished upload of another disk"))
        elif unfinished and image.status in _LEFTOVER:
            why = f"left by a publish that did not end ({image.status})"
            discarded.append(Discard(image.id, why))
        else:
            raise _strange(target, image)
    whole.sort(key=lambda entry: entry[:2])
    for _, _, held in whole[1:]:
        if held.state is not State.CANDIDATE:
            raise CannotPublish(
                f"{target.family} {target.release} is in this cloud twice: "
                f"images {whole[0][2].id} and {held.id}",
                hint="find out which one is in use, and delete the other",
            )
        discarded.append(Discard(held.id, "a second upload of the same disk"))
    return (whole[0][2] if whole else None), discarded


def _strange(target: Target, image: Image) -> CannotPublish:
    if image.status != "active":
        return CannotPublish(
            f"image {image.id} of {target.family} {target.release} is {image.status}, "
            "which no publish leaves behind",
            hint="ask who did that; reactivate or delete the image, then run this again",
        )
    return CannotPublish(
        f"{target.family} {target.release} is published in this cloud with another disk "
        f"(image {image.id})",
        hint=f"build a new release: imagecycle build {target.family} --force",
    )


def _is_disk(target: Target, image: Image) -> bool:
    expected = [one.get(image.hash_algo) for one in (target.hashes, *target.other_formats)]
    return bool(image.hash_value) and image.hash_value.lower() in expected


def _candidate(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "container_format": "bare",
        "disk_format": target.disk_format,
        "visibility": "private",
        "min_disk": target.min_disk,
        "min_ram": target.min_ram,
        **target.properties,
        identity.STATE: State.CANDIDATE.value,
    }


def _promotion(image_id: str, fields: Mapping[str, Any] | None = None) -> Change:
    if fields is None:
        # The upload wrote all the rest.
        fields = {"visibility": "public", "os_hidden": False, identity.STATE: State.CURRENT.value}
    if {"visibility", identity.STATE} & fields.keys():
        return Change(image_id, "make it public and current", fields)
    return Change(image_id, f"bring {', '.join(sorted(fields))} up to date", fields)


def _differing(target: Target, image: Image) -> dict[str, Any]:
    """What an image that holds the disk still lacks to be the current release."""
    there = {
        "name": image.name,
        "visibility": image.visibility,
        "os_hidden": image.hidden,
        "min_disk": image.min_disk,
        "min_ram": image.min_ram,
        **image.properties,
    }
    wanted = {
        "name": target.name,
        "visibility": "public",
        "os_hidden": False,
        "min_disk": target.min_disk,
        "min_ram": target.min_ram,
        **target.properties,
        identity.STATE: State.CURRENT.value,
    }
    left = {
        name: None
        for name in (identity.SUPERSEDED_AT, identity.SUCCESSOR, identity.UNUSED_SINCE)
        if name in image.properties
    }
    return {
        name: value
        for name, value in {**wanted, **left}.items()
        if there.get(name) != value and not (name in identity.WRITTEN_ONCE and name in there)
    }


def _notes(others: Sequence[Holding], unsure: Sequence[Copy]) -> list[str]:
    candidates = [
        f"image {held.id} is a candidate of release {held.release} that was never published"
        for held in others
        if held.state is State.CANDIDATE
    ]
    return candidates + [f"{one} is left alone: it is {one.what}" for one in unsure]
