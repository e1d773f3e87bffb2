import datetime
from typing import Any

import pytest

from dashboard.documents import document, image_id
from imagecycle_dashboard.releases import Release, release_of


def release(**changes: Any) -> Release:
    found = release_of(document(**changes))
    assert found is not None
    return found


def test_a_release_is_read_from_its_properties() -> None:
    found = release()
    assert (found.family, found.release, found.state) == (
        "debian-12-x86_64-server",
        "20261122",
        "current",
    )
    assert (found.title, found.system) == ("Debian 12 Server", "Debian 12")
    assert (found.checks, found.login, found.date) == (47, "debian", datetime.date(2026, 11, 22))
    assert found.end_of_support == datetime.date(2028, 6, 30)
    assert dict(found.facts) == {"hw_disk_bus": "virtio", "os_type": "linux"}


@pytest.mark.parametrize(
    "changes",
    [
        {"imagecycle_image_id": image_id(9)},
        {"imagecycle_image_id": None},
        {"imagecycle_family": None},
        {"imagecycle_family": "../../admin"},
        {"imagecycle_family": "a-" * 100 + "a"},
        {"imagecycle_release": "soon"},
        {"imagecycle_release": "20261399"},
        {"imagecycle_release": "20261122.0"},
        {"imagecycle_state": "candidate"},
        {"imagecycle_state": "great"},
        {"status": "queued"},
        {"imagecycle_family": {"a": 1}},
    ],
)
def test_copies_and_what_makes_no_sense_are_no_releases(changes: dict[str, Any]) -> None:
    assert release_of(document(**changes)) is None


def test_an_empty_document_is_no_release() -> None:
    assert release_of({}) is None


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({"imagecycle_checks": "many"}, "checks", None),
        ({"maintained_until": "2028-02-31"}, "end_of_support", None),
        ({"size": -1}, "size", 0),
        ({"min_ram": "much"}, "min_ram", 0),
        ({"created_at": "yesterday"}, "published_at", None),
        ({"architecture": "<b>"}, "architecture", "x86_64"),
        ({"image_original_user": "two words"}, "login", ""),
        ({"imagecycle_successor": "../etc"}, "successor", ""),
        ({"image_description": "x" * 5000}, "title", "debian-12-x86_64-server"),
        ({"image_description": None}, "system", "Debian 12"),
    ],
)
def test_what_makes_no_sense_is_left_out_and_the_rest_stays(
    changes: dict[str, Any], name: str, value: object
) -> None:
    assert getattr(release(**changes), name) == value


def test_text_of_others_loses_what_no_escaping_helps_against() -> None:
    found = release(name="<b>\u202eb\x00ld\u2066", imagecycle_revoked_reason="it\nis\x07 \u200fbad")
    assert found.name == "<b>b ld"
    assert found.revoked_reason == "it is bad"


def test_properties_of_the_operator_and_of_others_are_no_facts() -> None:
    found = release(owner_specified_password="secret", secret="secret", hw_machine_type="q35")
    assert dict(found.facts) == {
        "hw_disk_bus": "virtio",
        "hw_machine_type": "q35",
        "os_type": "linux",
    }


def test_what_changed_is_told_against_a_release() -> None:
    found = release_of(document(1, imagecycle_changes="20260822: packages: 1 added (+jq)"))
    assert found is not None
    assert (found.changes_since, found.changes) == ("20260822", "packages: 1 added (+jq)")
    for nonsense in ("", "20260822", "20261399: x", "packages: 1 added", "20260822: "):
        found = release_of(document(1, imagecycle_changes=nonsense))
        assert found is not None
        assert (found.changes_since, found.changes) == ("", "")
