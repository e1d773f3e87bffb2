"""Carrying out the plan of a publish, step by step as it was printed."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from imagecycle import log
from imagecycle.artifacts import CHUNK
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import metadata
from imagecycle.lifecycle.plan import Change, Discard, Plan, Step, Target, Upload, decide


class Changed(ImagecycleError):
    """The cloud is no longer what the plan was made for."""

    def __init__(self, cloud: str) -> None:
        super().__init__(
            f"{cloud} has changed since the plan was made",
            hint="run this again; what has been uploaded is used, not uploaded again",
        )


def apply(plan: Plan, target: Target, glance: Glance, disk: Path) -> Image | None:
    """Make the changes of a plan.

    :returns: the published image; None when there is none, which no whole plan leads to.
    :raises Changed: when the cloud changed while the disk was being uploaded.
    :raises ImagecycleError: when a change fails; the next publish goes on from there.
    """
    steps: Sequence[Step] = plan.steps
    published = plan.published
    for number, step in enumerate(steps):
        if isinstance(step, Upload):
            image_id, images = _upload(step, target, glance, disk)
            again = decide(target, images)
            if list(again.steps) != plan.rest(image_id):
                raise Changed(glance.cloud)
            return _carry_out(again.steps, glance, again.published)
        if not isinstance(step, Discard):
            return _carry_out(steps[number:], glance, published)
        glance.delete(step.image_id)
        log.say(f"deleted image {step.image_id}")
    return published


def digests(disk: Path, algorithms: Iterable[str]) -> dict[str, str]:
    """Digests of the disk, read once; unknown algorithms are left out."""
    wanted = [name for name in algorithms if name in hashlib.algorithms_available]
    running = {name: hashlib.new(name) for name in wanted}
    with disk.open("rb") as stream:
        while running and (chunk := stream.read(CHUNK)):
            for digest in running.values():
                digest.update(chunk)
    return {name: digest.hexdigest() for name, digest in running.items()}


def _carry_out(steps: Sequence[Step], glance: Glance, published: Image | None) -> Image | None:
    for step in steps:
        if isinstance(step, Discard):
            glance.delete(step.image_id)
            log.say(f"deleted image {step.image_id}")
        elif isinstance(step, Change) and step.image_id is not None:
            try:
                changed = glance.change(step.image_id, step.fields)
            except Refused as refused:
                raise _explained(refused, step) from None
            log.say(f"image {step.image_id}: {step.what}")
            if published is not None and published.id == changed.id:
                published = changed
    return published


def _explained(refused: Refused, step: Change) -> Refused:
    if refused.status == 403 and step.fields.get("visibility") == "public":
        return Refused(
            f"{refused.message}; this user may not make images public",
            403,
            hint="use a user whom the cloud's policy publicize_image allows it (usually an "
            "administrator of the same project); the upload is kept and will be used",
        )
    return refused


def _upload(
    step: Upload, target: Target, glance: Glance, disk: Path
) -> tuple[str, Sequence[Image]]:
    """Make the candidate; returns its id, and the images of the family from then on."""
    image_id = str(uuid.uuid4())
    with disk.open("rb") as stream, _unfinished(glance, image_id):
        glance.create({"id": image_id, **step.fields})
        with log.step(f"uploading image {image_id}"):
            _send(glance, image_id, stream, target.size)
        images = glance.images(**{metadata.FAMILY: target.family})
        made = [image for image in images if image.id == image_id]
        if not made:
            raise Changed(glance.cloud)
        _compare(made[0], target, disk, glance.cloud)
    return image_id, images


def _send(glance: Glance, image_id: str, stream: BinaryIO, size: int) -> None:
    try:
        with log.transfer("upload", size) as report:
            glance.upload(image_id, stream, size, report)
    except OSError as error:
        raise ImagecycleError(
            f"cannot read the disk: {error}", hint="look at the artifact folder's file system"
        ) from None


def _compare(image: Image, target: Target, disk: Path, cloud: str) -> None:
    """See that Glance holds the very bytes that were verified."""
    if image.status != "active":
        raise ImagecycleError(
            f"{cloud}: image {image.id} is {image.status} after its upload",
            hint="read the cloud's log, then run this again",
        )
    expected = target.hashes.get(image.hash_algo)
    if expected is None and image.hash_algo:
        # Glance hashes in a way that the record does not know. Reading the disk again tells what
        # it should have come to, and that the disk still is the one of the record.
        found = digests(disk, {image.hash_algo, "sha512"})
        if found["sha512"] == target.hashes["sha512"]:
            expected = found.get(image.hash_algo)
    if not image.hash_value or expected != image.hash_value.lower() or image.size != target.size:
        raise ImagecycleError(
            f"{cloud}: image {image.id} does not hold the disk that was verified "
            f"(its {image.hash_algo or 'hash'} is {image.hash_value or 'not told'})",
            hint="compare the disk's checksum with build.json; if it is right, "
            "the way to the cloud or its store is faulty",
        )


@contextlib.contextmanager
def _unfinished(glance: Glance, image_id: str) -> Iterator[None]:
    """Delete the image again when its upload fails, for whatever reason."""
    try:
        yield
    except BaseException:
        try:
            if glance.delete(image_id):
                log.say(f"deleted the unfinished image {image_id}")
        except ImagecycleError as error:
            log.warn(
                f"image {image_id} is left unfinished ({error.message}); "
                "the next publish deletes it"
            )
        raise
