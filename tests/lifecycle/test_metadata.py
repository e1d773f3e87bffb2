from pathlib import Path

import pytest

from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.lifecycle import evidence, metadata
from imagecycle.lifecycle.evidence import Evidence
from imagecycle.model import Release, State
from lifecycle.families import artifact, family


@pytest.fixture
def proven(tmp_path: Path) -> Evidence:
    return evidence.gather(artifact(tmp_path, "20261122", size=2**17))


def test_properties_tell_what_the_image_is(proven: Evidence) -> None:
    assert metadata.properties(family(), proven) == {
        "os_distro": "debian",
        "os_version": "12",
        "os_type": "linux",
        "os_admin_user": "debian",
        "architecture": "x86_64",
        "hw_firmware_type": "bios",
        "hw_disk_bus": "virtio",
        "imagecycle_family": "debian-12-x86_64-server",
        "imagecycle_release": "20261122",
        "imagecycle_build_date": "2026-11-22T12:00:00+00:00",
        "imagecycle_input_digest": "17" * 32,
        "imagecycle_disk_sha512": proven.sha512,
        "imagecycle_verified": "2026-11-22T12:10:00+00:00",
        "imagecycle_checks": "2",
        "imagecycle_version": "0.1.0",
    }


def test_an_image_that_boots_from_either_firmware_demands_none(proven: Evidence) -> None:
    written = metadata.properties(family(firmware=("bios", "uefi")), proven)
    assert "hw_firmware_type" not in written


@pytest.mark.parametrize("name", ["imagecycle_state", "visibility", "os_hash_value", "owner"])
def test_the_catalog_cannot_set_what_is_not_its_own(proven: Evidence, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        metadata.properties(family(properties={name: "x"}), proven)


def test_min_disk_is_never_less_than_the_disk_inside(proven: Evidence) -> None:
    assert metadata.min_disk(family(disk_gib=3), proven) == 3
    assert metadata.min_disk(family(disk_gib=0), proven) == 1


def test_what_is_written_is_read_again(proven: Evidence) -> None:
    written = {**metadata.properties(family(), proven), metadata.STATE: "superseded"}
    assert metadata.read(written) == metadata.Identity(
        "debian-12-x86_64-server", Release.parse("20261122"), State.SUPERSEDED
    )


def test_an_image_without_our_properties_is_none_of_ours() -> None:
    assert metadata.read({"os_distro": "debian"}) is None


@pytest.mark.parametrize(
    "wrong", [{metadata.STATE: "new"}, {metadata.RELEASE: "yesterday"}, {metadata.RELEASE: None}]
)
def test_broken_properties_are_an_error(wrong: dict[str, str | None]) -> None:
    good = {metadata.FAMILY: "f", metadata.RELEASE: "20261122", metadata.STATE: "current"}
    broken = {key: value for key, value in {**good, **wrong}.items() if value is not None}
    with pytest.raises(ImagecycleError, match="make no sense"):
        metadata.read(broken)
