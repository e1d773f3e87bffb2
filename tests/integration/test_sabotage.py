"""Every offline check rejects what it is there for, and nothing else; good images pass them all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagecycle.artifacts import Artifact
from imagecycle.build import disk, offline
from imagecycle.model import Family
from imagecycle.verify.pristine import Pristine
from integration import good_image
from sabotages import checks
from sabotages.all import SABOTAGES
from sabotages.table import Sabotage

pytestmark = [pytest.mark.integration, pytest.mark.machines]

OFFLINE_LIMIT = 5.0
"""Seconds of processor time for all offline checks together"""
GoodImages = dict[str, tuple[Family, Artifact]]


@pytest.fixture(scope="module")
def good(good_images: GoodImages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pristine]:
    """The files of the good ``server`` image."""
    with good_image.opened(*good_images["server"], tmp_path_factory.mktemp("good")) as pristine:
        yield pristine


@pytest.mark.parametrize("flavour", ["base", "server"])
def test_a_good_image_is_not_suspected(
    good_images: GoodImages, tmp_path: Path, flavour: str
) -> None:
    family, artifact = good_images[flavour]
    begun = time.process_time()
    with good_image.opened(family, artifact, tmp_path) as pristine:
        assert checks.run(pristine, family) == {}
    assert time.process_time() - begun < OFFLINE_LIMIT


@pytest.mark.rotating(6)
@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.id)
def test_a_sabotage_is_rejected_by_its_check(
    good: Pristine, good_images: GoodImages, tmp_path: Path, sabotage: Sabotage
) -> None:
    copy = good_image.spoilt_disk if sabotage.on_disk else good_image.spoilt
    with copy(good, tmp_path, sabotage.deed) as spoilt:
        rejected = checks.run(spoilt, good_images["server"][0])
    assert sabotage.names in "\n".join(rejected.get(sabotage.check, ()))
    assert rejected.keys() <= {sabotage.check, *sabotage.also}


def test_a_spoilt_disk_is_rejected_with_the_path(good_images: GoodImages, tmp_path: Path) -> None:
    family, artifact = good_images["server"]
    raw, added = tmp_path / "spoilt.raw", "/opt/builder/forgotten"
    disk.unpack(artifact.disk, raw)
    with offline.opened(raw, tmp_path) as system:
        system.write(added, b"x", 0o644)
    disk.finish(raw, tmp_path / "spoilt.qcow2", "none")
    raw.unlink()
    spoilt = Artifact(artifact.family, artifact.release, tmp_path)
    (tmp_path / "spoilt.qcow2").rename(spoilt.disk)
    with good_image.opened(family, spoilt, tmp_path) as pristine:
        rejected = checks.run(pristine, family)
    assert rejected == {"ownership.every_file_is_explained": [f"{added}: belongs to no package"]}
