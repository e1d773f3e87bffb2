"""Telling releases from copies of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imagecycle.cloud.image import Image
from imagecycle.lifecycle.recognition import Contents, recognise
from imagecycle.lifecycle.upload_records import recorded_in
from imagecycle.metadata import identity
from imagecycle.site import Site

FAMILY = "debian-12-x86_64-server"


def image(image_id: str, *, names: str | None = None, **changes: Any) -> Image:
    """An image with a release's properties that names the image ``names``, if any."""
    document = {
        "id": image_id,
        "status": "active",
        "visibility": "public",
        "os_hash_algo": "sha512",
        "os_hash_value": "d1",
        identity.FAMILY: FAMILY,
        identity.RELEASE: "20261122",
        identity.STATE: "current",
        identity.DISK_SHA512: "d1",
        **({identity.IMAGE_ID: names} if names else {}),
        **changes,
    }
    return Image.from_document({key: value for key, value in document.items() if value is not None})


def told(*images: Image, records: tuple[str, ...] = ()) -> Contents:
    return recognise(images, lambda: records)


def releases(contents: Contents) -> list[str]:
    return [held.id for family in contents.families.values() for held in family]


def test_a_release_names_its_own_id_and_everything_else_is_a_copy() -> None:
    contents = told(image("one", names="one"), image("two", names="one"), image("three"))
    assert releases(contents) == ["one"]
    assert [(copy.image.id, copy.of, copy.certain) for copy in contents.copies] == [
        ("two", "one", True),
        ("three", "one", True),
    ]


def test_a_release_from_before_is_known_by_this_machines_records() -> None:
    contents = told(image("one"), records=("one",))
    assert releases(contents) == ["one"]
    assert contents.copies == []


def test_without_a_record_nothing_is_guessed() -> None:
    contents = told(image("one"))
    assert releases(contents) == []
    assert [copy.image.id for copy in contents.unsure(FAMILY)] == ["one"]


def test_a_record_does_not_outrank_what_an_image_says_of_itself() -> None:
    assert releases(told(image("one", names="other"), records=("one",))) == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"image_type": "snapshot"}, "a snapshot of a server"),
        ({"image_type": "backup"}, "a snapshot of a server"),
        ({"base_image_ref": "x"}, "a snapshot of a server"),
        ({"os_hash_value": "ee"}, "its data is another"),
        ({"owner_specified.openstack.object": "images/x"}, "uploaded by hand"),
        ({identity.FAMILY: None}, "what is left"),
    ],
)
def test_what_tells_a_copy_without_an_original(changes: dict[str, Any], what: str) -> None:
    (copy,) = told(image("one", **changes)).copies
    assert copy.certain
    assert what in copy.what


def test_an_unmarked_copy_of_a_copy_is_no_release_when_the_original_is_gone() -> None:
    contents = told(image("two", names="one"), image("three"))
    assert releases(contents) == []
    assert [copy.certain for copy in contents.copies] == [True, False]


def test_images_without_properties_of_ours_are_neither() -> None:
    plain = Image.from_document({"id": "x", "status": "active", "visibility": "public"})
    assert told(plain) == Contents({}, [])


def test_records_are_read_only_when_an_image_needs_them() -> None:
    def never() -> tuple[str, ...]:
        raise AssertionError("the records were read")

    recognise([image("one", names="one"), image("two", names="one")], never)


def audit(site: Site, *entries: dict[str, Any]) -> None:
    path = site.home / "audit" / "cloud.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries) + '{"event": "begun", "')


def test_the_audit_log_names_what_was_uploaded_or_adopted_and_nothing_else(tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    upload = {"what": 'upload the disk (3.0 MiB) as "x", private, image one', "command": "publish"}
    audit(
        site,
        {"event": "begun", "image": "one", "before": None, **upload},
        {"event": "begun", "image": "two", "command": "adopt", "what": "image two: it becomes"},
        {"event": "begun", "image": "copy", "command": "retire", "what": "image copy: hidden"},
        {
            "event": "begun",
            "image": "left",
            "command": "publish",
            "what": "delete image left: an unpublished upload of another disk",
        },
    )
    assert recorded_in(site) == {"one", "two"}


def test_a_publish_record_counts_only_if_it_tells_of_the_upload(tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    folder = site.artifacts / FAMILY / "20261122"
    folder.mkdir(parents=True)
    words = 'upload the disk (3.0 MiB) as "x", private, image one'
    clouds = {
        "a": {"image_id": "one", "steps": [words, "image one: make it public and current"]},
        "b": {"image_id": "two", "steps": []},
        "c": {"image_id": "three", "steps": ["image three: bring name up to date"]},
        "d": {},
    }
    (folder / "publish.json").write_text(json.dumps({"clouds": clouds}))
    broken = site.artifacts / FAMILY / "20261123"
    broken.mkdir()
    (broken / "publish.json").write_text("{")
    assert recorded_in(site) == {"one"}


def test_a_machine_without_records_knows_nothing(tmp_path: Path) -> None:
    assert recorded_in(Site(home=tmp_path)) == frozenset()
