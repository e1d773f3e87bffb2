import dataclasses
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import windows_families
from families import artifact, family
from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.metadata import evidence, identity, schema
from imagecycle.metadata.evidence import Evidence
from imagecycle.model import MaintenanceTerms, Release, State

PUBLIC = {one.name for one in schema.PROPERTIES if one.origin is schema.Origin.PUBLIC_CLOUDS}


@pytest.fixture
def proven(tmp_path: Path) -> Evidence:
    return evidence.gather(artifact(tmp_path, "20261122", size=2**17))


def test_properties_tell_what_the_image_is(proven: Evidence) -> None:
    assert identity.properties(family(), proven) == {
        "os_distro": "debian",
        "os_version": "12",
        "os_type": "linux",
        "os_admin_user": "debian",
        "architecture": "x86_64",
        "hw_firmware_type": "bios",
        "hw_disk_bus": "virtio",
        "image_build_date": "2026-11-22 12:00:00",
        "image_description": "Debian 12 Server",
        "image_original_user": "debian",
        "image_source": "private",
        "os_purpose": "custom",
        "replace_frequency": "quarterly",
        "uuid_validity": "last-1",
        "provided_until": "none",
        "imagecycle_family": "debian-12-x86_64-server",
        "imagecycle_flavour": "server",
        "imagecycle_release": "20261122",
        "imagecycle_build_date": "2026-11-22T12:00:00+00:00",
        "imagecycle_input_digest": "17" * 32,
        "imagecycle_disk_sha512": proven.sha512,
        "imagecycle_verified": "2026-11-22T12:10:00+00:00",
        "imagecycle_checks": "2",
        "imagecycle_version": "0.1.0",
    }


def test_an_image_that_boots_from_either_firmware_demands_none(proven: Evidence) -> None:
    written = identity.properties(family(firmware=("bios", "uefi")), proven)
    assert "hw_firmware_type" not in written
    assert "hw_machine_type" not in written


def test_an_architecture_with_one_kind_of_machine_asks_for_it(proven: Evidence) -> None:
    written = identity.properties(family(arch="aarch64", firmware=("uefi",)), proven)
    assert written["hw_machine_type"] == "virt"
    assert written["hw_firmware_type"] == "uefi"
    assert written["architecture"] == "aarch64"


def test_what_the_operator_promises_is_told_in_the_words_of_public_clouds(
    proven: Evidence,
) -> None:
    promised = MaintenanceTerms("monthly", "last-3", "2028-01-31", 48)
    written = identity.properties(
        family(
            description="What an administrator expects",
            promises=promised,
            purpose="generic",
            image_source="https://images.example/",
            end_of_support=datetime.date(2028, 6, 30),
        ),
        proven,
    )
    assert {name: value for name, value in written.items() if name in PUBLIC} == {
        "image_build_date": "2026-11-22 12:00:00",
        "image_description": "Debian 12 Server: What an administrator expects",
        "image_original_user": "debian",
        "image_source": "https://images.example/",
        "os_purpose": "generic",
        "maintained_until": "2028-06-30",
        "replace_frequency": "monthly",
        "uuid_validity": "last-3",
        "provided_until": "2028-01-31",
        "hotfix_hours": "48",
    }


@pytest.mark.parametrize(("kept", "promise"), [(0, "none"), (1, "last-1"), (3, "last-3")])
def test_an_id_is_promised_for_as_long_as_the_policy_keeps_it(
    proven: Evidence, kept: int, promise: str
) -> None:
    assert identity.properties(family(), proven, kept=kept)["uuid_validity"] == promise


def test_a_build_date_is_told_in_utc(proven: Evidence) -> None:
    abroad = dataclasses.replace(proven, built_at="2026-11-23T01:30:00+05:30")
    assert identity.properties(family(), abroad)["image_build_date"] == "2026-11-22 20:00:00"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"properties": {"license_included": "yes"}},
            'property license_included: expected true or false, found "yes"',
        ),
        (
            {"promises": MaintenanceTerms(uuid_validity="last")},
            "property uuid_validity: expected a date such as 2028-06-30, last-N such as last-3, "
            'none, notice or forever, found "last"',
        ),
        (
            {"admin_user": ""},
            'property image_original_user: expected text without spaces, found ""',
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(
    proven: Evidence, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        identity.properties(family(**changes), proven)
    assert f"debian-12-x86_64-server 20261122: {message}" in caught.value.message.splitlines()
    assert "in the catalog file" in caught.value.hint


def test_a_wrong_record_is_not_blamed_on_the_catalog(proven: Evidence) -> None:
    with pytest.raises(UsageError, match="property image_build_date: expected a time") as caught:
        identity.properties(family(), dataclasses.replace(proven, built_at="yesterday"))
    assert caught.value.hint.startswith("build and verify it again")


@pytest.mark.parametrize("name", ["imagecycle_state", "visibility", "os_hash_value", "owner"])
def test_the_catalog_cannot_set_what_is_not_its_own(proven: Evidence, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        identity.properties(family(properties={name: "x"}), proven)


def test_min_disk_is_never_less_than_the_disk_inside(proven: Evidence) -> None:
    assert identity.min_disk(family(disk_gib=3), proven) == 3
    assert identity.min_disk(family(disk_gib=0), proven) == 1


def an_image(properties: Mapping[str, str], image_id: str = "one") -> Image:
    document = {"id": image_id, "status": "active", "visibility": "public", **properties}
    return Image.from_document(document)


@pytest.fixture
def written(proven: Evidence) -> dict[str, str]:
    """The properties of a release whose image is "one"."""
    own = {identity.IMAGE_ID: "one", identity.STATE: "superseded"}
    return {**identity.properties(family(), proven), **own}


def test_what_is_written_is_read_again(written: dict[str, str]) -> None:
    assert identity.read(an_image(written)) == identity.Identity(
        "debian-12-x86_64-server", Release.parse("20261122"), State.SUPERSEDED
    )


def test_an_image_without_our_properties_is_none_of_ours() -> None:
    assert identity.read(an_image({"os_distro": "debian"})) is None


@pytest.mark.parametrize("more", [{}, {"image_type": "snapshot"}, {identity.STATE: "nonsense"}])
def test_an_image_that_names_another_one_is_no_release(
    written: dict[str, str], more: dict[str, str]
) -> None:
    copied = an_image({**written, **more}, "two")
    assert identity.read(copied) is None
    assert identity.is_carried_by(copied)


def test_an_image_that_names_none_is_no_release(written: dict[str, str]) -> None:
    del written[identity.IMAGE_ID]
    assert identity.read(an_image(written)) is None


@pytest.mark.parametrize(
    "wrong", [{identity.STATE: "new"}, {identity.RELEASE: "yesterday"}, {identity.RELEASE: None}]
)
def test_broken_properties_are_an_error(
    written: dict[str, str], wrong: dict[str, str | None]
) -> None:
    broken = {key: value for key, value in {**written, **wrong}.items() if value is not None}
    with pytest.raises(ImagecycleError, match="make no sense"):
        identity.read(an_image(broken))


def test_an_image_of_windows_tells_edition_language_licence_and_patch_level(
    proven: Evidence,
) -> None:
    patched = dataclasses.replace(proven, patchlevel="20348.2700")
    written = identity.properties(windows_families.family(), patched)
    expected = {
        "os_type": "windows",
        "os_version": "2022",
        "imagecycle_edition": "ServerStandard",
        "imagecycle_language": "en-US",
        "imagecycle_license_channel": "kms",
        "patchlevel": "20348.2700",
        "hw_firmware_type": "uefi",
        "hw_machine_type": "q35",
    }
    assert written.items() >= expected.items()


def test_profile_and_score_of_a_security_guide_are_carried(tmp_path: Path) -> None:
    made = artifact(tmp_path, "20261122")
    verified = made.record("verify")
    assert verified is not None
    assert identity.SECURITY_PROFILE not in identity.properties(family(), evidence.gather(made))
    made.write_record("verify", {**verified, "security_profile": {"profile": "p", "score": 81.9}})
    written = identity.properties(family(), evidence.gather(made))
    assert (written[identity.SECURITY_PROFILE], written[identity.SECURITY_SCORE]) == ("p", "81")
