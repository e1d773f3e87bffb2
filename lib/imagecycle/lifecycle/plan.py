"""Deciding what a publish has to change in a cloud: from plain values, without talking to it.

The order of the changes is part of the decision: the new release is public before the old one
goes out of sight, so that a family which has had a current release never has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import metadata
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


@dataclass(frozen=True)
class Discard:
    """Delete a private image that a publish left unfinished."""

    image_id: str
    why: str

    def __str__(self) -> str:
        return f"delete image {self.image_id}: {self.why}"


@dataclass(frozen=True)
class Upload:
    """Make a private image, a candidate, and give it the disk."""

    name: str
    size: int
    fields: Mapping[str, Any] = field(compare=False)

    def __str__(self) -> str:
        return f'upload the disk ({self.size / 2**20:.1f} MiB) as "{self.name}", private'


@dataclass(frozen=True)
class Change:
    """Change fields and properties of one image, in one request."""

    image_id: str | None
    """None: of the image that this plan uploads"""
    what: str
    fields: Mapping[str, Any] = field(compare=False)

    def __str__(self) -> str:
        return f"{'image ' + self.image_id if self.image_id else 'that image'}: {self.what}"


Step = Discard | Upload | Change


@dataclass(frozen=True)
class Plan:
    """The changes that publish a release, in their order; none when it is published already."""

    steps: Sequence[Step]
    notes: Sequence[str] = ()
    published: Image | None = None
    """The image that is the release's already, or will be when it has been changed"""

    def rest(self, image_id: str) -> list[Step]:
        """What remains after the upload made ``image_id``."""
        uploads = [number for number, step in enumerate(self.steps) if isinstance(step, Upload)]
        return [
            Change(image_id, step.what, step.fields)
            if isinstance(step, Change) and step.image_id is None
            else step
            for step in self.steps[uploads[0] + 1 if uploads else 0 :]
        ]


class CannotPublish(ImagecycleError):
    """What is in the cloud speaks against publishing this release."""


def decide(target: Target, images: Iterable[Image]) -> Plan:
    """What has to change so that ``target`` is its family's current release.

    :param images: all images of the family in our project, hidden ones too.
    :raises CannotPublish: when the cloud has a newer release, another disk under this release's
        name, or when an operator has decided otherwise.
    """
    known = [
        (image, identity)
        for image in images
        if (identity := metadata.read(image.properties)) and identity.family == target.family
    ]
    same = [image for image, identity in known if identity.release == target.release]
    others = [(image, identity) for image, identity in known if identity.release != target.release]
    _refuse_older(target, others)
    chosen, discarded = _sort_out(target, same)
    steps: list[Step] = list(discarded)
    if chosen is None:
        steps += [Upload(target.name, target.size, _candidate(target)), _promotion(target, None)]
    elif differing := _differing(target, chosen):
        steps.append(_promotion(target, chosen, differing))
    steps += [
        Change(
            image.id,
            f"release {identity.release} becomes superseded: hidden, still usable",
            {"os_hidden": True, metadata.STATE: State.SUPERSEDED.value},
        )
        for image, identity in others
        if identity.state is State.CURRENT
    ]
    return Plan(steps, _notes(others), chosen)


def _refuse_older(target: Target, others: Sequence[tuple[Image, metadata.Identity]]) -> None:
    newer = [
        identity.release
        for _, identity in others
        if identity.state is State.CURRENT and identity.release > target.release
    ]
    if newer:
        raise CannotPublish(
            f"{target.family} {target.release} is older than {max(newer)}, "
            "which is current in this cloud",
            hint=f"publish a newer one, or leave it: build it with `imagecycle build "
            f"{target.family}`",
        )


def _sort_out(target: Target, same: Sequence[Image]) -> tuple[Image | None, list[Discard]]:
    """The image that is this release already, if any, and what is to be deleted."""
    discarded = []
    whole = []
    for image in same:
        identity = metadata.read(image.properties)
        assert identity is not None
        if identity.state in (State.RETIRED, State.REVOKED, State.DELETED):
            raise CannotPublish(
                f"{target.family} {target.release} is {identity.state} in this cloud "
                f"(image {image.id})",
                hint=f"build a new release: imagecycle build {target.family} --force",
            )
        unfinished = identity.state is State.CANDIDATE and image.visibility == "private"
        if image.status == "active" and _is_disk(target, image):
            whole.append((identity.state is not State.CURRENT, image.created_at, image))
        elif unfinished and image.status == "active":
            discarded.append(Discard(image.id, "an unpublished upload of another disk"))
        elif unfinished and image.status in _LEFTOVER:
            why = f"left by a publish that did not end ({image.status})"
            discarded.append(Discard(image.id, why))
        else:
            raise _strange(target, image)
    whole.sort(key=lambda entry: entry[:2])
    for _, _, image in whole[1:]:
        if metadata.read(image.properties).state is not State.CANDIDATE:  # type: ignore[union-attr]
            raise CannotPublish(
                f"{target.family} {target.release} is in this cloud twice: "
                f"images {whole[0][2].id} and {image.id}",
                hint="find out which one is in use, and delete the other",
            )
        discarded.append(Discard(image.id, "a second upload of the same disk"))
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
    expected = target.hashes.get(image.hash_algo)
    return expected is not None and expected == image.hash_value.lower()


def _candidate(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "container_format": "bare",
        "disk_format": target.disk_format,
        "visibility": "private",
        "min_disk": target.min_disk,
        "min_ram": target.min_ram,
        **target.properties,
        metadata.STATE: State.CANDIDATE.value,
    }


def _promotion(
    target: Target, image: Image | None, fields: Mapping[str, Any] | None = None
) -> Change:
    if fields is None:
        # The upload wrote all the rest.
        fields = {"visibility": "public", "os_hidden": False, metadata.STATE: State.CURRENT.value}
    if image is not None and not {"visibility", metadata.STATE} & fields.keys():
        what = f"bring {', '.join(sorted(fields))} up to date"
    else:
        what = "make it public and current"
    return Change(image.id if image else None, what, fields)


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
        metadata.STATE: State.CURRENT.value,
    }
    return {
        name: value
        for name, value in wanted.items()
        if there.get(name) != value and not (name in metadata.WRITTEN_ONCE and name in there)
    }


def _notes(others: Sequence[tuple[Image, metadata.Identity]]) -> list[str]:
    return [
        f"image {image.id} is a candidate of release {identity.release} that was never published"
        for image, identity in others
        if identity.state is State.CANDIDATE
    ]
