"""Giving Glance the disk of a release, and seeing that it holds the very bytes."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from imagecycle import log
from imagecycle.artifacts import CHUNK
from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle.interfaces import Images
from imagecycle.lifecycle.steps import Upload
from imagecycle.metadata import identity

_stop: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


def stop_when(event: threading.Event) -> None:
    """End uploads of this thread as an interrupt would, once ``event`` is set: interrupts come to
    the main thread alone."""
    _stop.set(event)


def upload(step: Upload, images: Images, disk: Path) -> None:
    """Make the candidate and send the disk; a failure leaves no image behind.

    :raises ImagecycleError: when the cloud does not take it.
    """
    with disk.open("rb") as stream, _unfinished(images, step.image_id):
        images.create({"id": step.image_id, **step.fields, identity.IMAGE_ID: step.image_id})
        with log.step(f"uploading image {step.image_id}"):
            _deliver(images, step, stream)
        _compare(images.image(step.image_id), step, disk, images.cloud)


def digests(disk: Path, algorithms: Iterable[str]) -> dict[str, str]:
    """Digests of the disk, read once; unknown algorithms are left out."""
    wanted = [name for name in algorithms if name in hashlib.algorithms_available]
    running = {name: hashlib.new(name) for name in wanted}
    with disk.open("rb") as stream:
        while running and (chunk := stream.read(CHUNK)):
            for digest in running.values():
                digest.update(chunk)
    return {name: digest.hexdigest() for name, digest in running.items()}


def _deliver(images: Images, step: Upload, stream: BinaryIO) -> None:
    """Bring the disk into the image, in the way that the step names."""

    def bring(method: str, **more: Any) -> None:
        images.importing.run(step.image_id, method, before_each_look=_see_stop, **more)

    if step.method == "web-download":
        bring(step.method, stores=step.stores, source=step.source)
    elif step.method == "upload":
        first, more = "".join(step.stores[:1]), step.stores[1:]
        _send(partial(images.upload, step.image_id, store=first), stream, step.size)
        if more:
            bring("copy-image", stores=more)
    else:
        _send(partial(images.stage, step.image_id), stream, step.size)
        bring(step.method, stores=step.stores)


def _see_stop() -> None:
    if (stop := _stop.get()) is not None and stop.is_set():
        raise KeyboardInterrupt


def _send(take: Callable[..., None], stream: BinaryIO, size: int) -> None:
    try:
        with log.transfer("upload", size) as report:

            def sent(count: int) -> None:
                _see_stop()
                report(count)

            take(stream, size, sent)
    except OSError as error:
        raise ImagecycleError(
            f"cannot read the disk: {error}", hint="look at the artifact folder's file system"
        ) from None


def _compare(image: Image, step: Upload, disk: Path, cloud: str) -> None:
    """See that Glance holds the very bytes that were verified."""
    if image.status != "active":
        raise ImagecycleError(
            f"{cloud}: image {image.id} is {image.status} after its upload",
            hint="read the cloud's log, then run this again",
        )
    expected = step.hashes.get(image.hash_algo)
    if expected is None and image.hash_algo:
        # Glance hashes in a way that the record does not know. Reading the disk again tells what
        # it should have come to, and that the disk still is the one of the record.
        found = digests(disk, {image.hash_algo, "sha512"})
        if found["sha512"] == step.hashes["sha512"]:
            expected = found.get(image.hash_algo)
    if not image.hash_value or expected != image.hash_value.lower() or image.size != step.size:
        raise ImagecycleError(
            f"{cloud}: image {image.id} does not hold the disk that was verified "
            f"(its {image.hash_algo or 'hash'} is {image.hash_value or 'unknown'})",
            hint="compare the disk's checksum with build.json; if it is right, "
            "the connection to the cloud or its store is faulty",
        )


@contextlib.contextmanager
def _unfinished(images: Images, image_id: str) -> Iterator[None]:
    """Delete the image again when its upload fails, for whatever reason."""
    try:
        yield
    except BaseException:
        try:
            if images.delete(image_id):
                log.say(f"deleted the unfinished image {image_id}")
        except ImagecycleError as error:
            log.warn(
                f"image {image_id} is left unfinished ({error.message}); "
                "the next publish deletes it"
            )
        raise
