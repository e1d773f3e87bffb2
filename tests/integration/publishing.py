"""Publishing the smallest release there is: what tests of it share."""

import subprocess
import threading
from collections.abc import Mapping

import pytest

import terminal
from families import FAMILY, artifact, family
from imagecycle.artifacts import Artifact
from imagecycle.cloud.image import Image
from imagecycle.lifecycle import publish as stage
from integration.conftest import Box

SLUG = FAMILY.slug


def publish(box: Box, cloud: str = "devcloud", release: str | None = None) -> Image:
    image = stage.publish(family(), box.site, cloud=cloud, release=release, dry_run=False)
    assert image is not None
    return image


def make(
    box: Box,
    release: str = "20261122",
    size: int = 3 * 2**20,
    packages: Mapping[str, str] | None = None,
) -> Artifact:
    return artifact(box.site.artifacts, release, size=size, packages=packages)


def images(box: Box) -> list[Image]:
    return box.glance.images(imagecycle_family=SLUG)


def states(box: Box) -> dict[str, str]:
    """The images of the family: release and state, in the order of their making."""
    return {
        image.properties["imagecycle_release"]: image.properties["imagecycle_state"]
        for image in images(box)
    }


def start(box: Box, *words: str) -> subprocess.Popen[str]:
    return terminal.start("publish", SLUG, *words, home=box.site.home)


def run(box: Box, *words: str) -> subprocess.CompletedProcess[str]:
    return terminal.run("publish", SLUG, *words, home=box.site.home, limit=120)


def await_status(box: Box, status: str) -> None:
    tick = threading.Event()
    for _ in range(600):
        if any(image.status == status for image in images(box)):
            return
        tick.wait(0.1)
    pytest.fail(f"no image came to be {status}")
