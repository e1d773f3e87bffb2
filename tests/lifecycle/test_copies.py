"""Copies are tidied, and older releases confirmed, only when asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagecycle.errors import UnknownName, UsageError
from imagecycle.lifecycle import copies, status
from imagecycle.lifecycle.status import CloudStatus
from imagecycle.metadata import identity, schema
from lifecycle.memory_cloud import Cloud
from lifecycle.random_life import quietly
from lifecycle.test_sharing import context, put


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """``new`` is a release, ``copy`` a copy of it, ``older`` an image that may be either."""
    made = Cloud()
    put(made, "new", "20260401", "current")
    made.copy("new", "copy", visibility="private", properties={"os_distro": "debian"})
    put(made, "older", "20260101", "superseded", hidden=True)
    del made.images["older"].properties[identity.IMAGE_ID]  # type: ignore[attr-defined]
    made.copies.clear()  # which the cloud would not have changed
    with quietly():
        yield made


def test_tidying_removes_from_copies_what_is_not_true_of_them(cloud: Cloud) -> None:
    before = dict(cloud.images)
    to, operator = context(cloud)
    copies.tidy_in(to, (), dry_run=False)
    assert cloud.images["copy"].properties == {"os_distro": "debian"}
    assert cloud.images["copy"].visibility == "private"
    assert [cloud.images[name] for name in ("new", "older")] == [before["new"], before["older"]]
    assert [event for event, _, _ in operator.log] == ["begun", "done"]
    assert copies.tidy_in(context(cloud)[0], (), dry_run=False).steps == []


def test_a_dry_run_changes_nothing_and_says_what_it_would(cloud: Cloud) -> None:
    before = dict(cloud.images)
    plan = copies.tidy_in(context(cloud)[0], (), dry_run=True)
    assert [step.image_id for step in plan.steps] == ["copy"]
    assert cloud.images == before


def test_what_may_be_a_release_is_tidied_only_by_name(cloud: Cloud) -> None:
    copies.tidy_in(context(cloud)[0], ["older"], dry_run=False)
    assert cloud.images["older"].properties == {}


def test_a_release_is_never_tidied(cloud: Cloud) -> None:
    with pytest.raises(UnknownName, match="copy in memory: new"):
        copies.tidy_in(context(cloud)[0], ["new"], dry_run=False)


def test_a_confirmed_release_names_itself(cloud: Cloud) -> None:
    copies.confirm_in(context(cloud)[0], ["older"], dry_run=False)
    assert identity.names_itself(cloud.images["older"])
    found = context(cloud)[0].contents()
    assert [one.image.id for one in found.copies] == ["copy"]


def test_what_is_surely_a_copy_cannot_be_confirmed(cloud: Cloud) -> None:
    with pytest.raises(UsageError, match="it has the properties of new"):
        copies.confirm_in(context(cloud)[0], ["copy"], dry_run=False)


def test_two_images_cannot_be_confirmed_as_one_release(cloud: Cloud) -> None:
    cloud.copy("older", "twin")
    with pytest.raises(UsageError, match="images older and twin cannot both be"):
        copies.confirm_in(context(cloud)[0], ["older", "twin"], dry_run=False)


def test_status_shows_copies_apart_with_what_to_do(cloud: Cloud) -> None:
    rows = [copies.row(one, "c") for one in context(cloud)[0].contents().copies]
    text = status.as_text([CloudStatus("c", copies=rows)], usage=False)
    assert "2 images with copied properties: no release" in text
    assert "-> imagecycle copies --cloud c --tidy copy" in text
    assert "-> imagecycle copies --cloud c --confirm older if it is the release" in text


def test_what_a_hypervisor_needs_is_inherited_and_what_is_said_of_a_release_is_not() -> None:
    for name in schema.BY_NAME:
        if name.startswith(("os_", "hw_")) or name == "architecture":
            assert schema.is_inherited(name), name
        if name.startswith(schema.PREFIX):
            assert not schema.is_inherited(name), name
    assert set(schema.NOT_INHERITED) <= schema.BY_NAME.keys()
