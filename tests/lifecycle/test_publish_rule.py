import datetime
import itertools
from typing import Any

import pytest

from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle.recognition import recognise
from imagecycle.lifecycle.rules import publish
from imagecycle.lifecycle.rules.publish import CannotPublish, Publication, Target
from imagecycle.lifecycle.steps import Change, Discard, Upload
from imagecycle.metadata import identity
from imagecycle.model import Release, State

NOW = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
FAMILY = "debian-12-x86_64-server"
DISK = "d1" * 64
OTHER_DISK = "ee" * 64
TARGET = Target(
    family=FAMILY,
    release=Release.parse("20261122"),
    name="Debian 12 Server - x86_64 [2026-11-22]",
    size=1000,
    disk_format="qcow2",
    min_disk=3,
    min_ram=512,
    properties={
        identity.FAMILY: FAMILY,
        identity.RELEASE: "20261122",
        identity.VERSION: "0.1.0",
        "os_distro": "debian",
    },
    hashes={"sha256": "22" * 32, "sha512": DISK},
)


def image(release: str = "20261122", state: str = "current", **fields: Any) -> Image:
    """An image as a finished publish leaves it, but for ``fields``."""
    properties = {
        **TARGET.properties,
        identity.RELEASE: release,
        identity.STATE: state,
        **fields.pop("properties", {}),
    }
    image_id = fields.pop("id", f"image-{release}")
    properties = {identity.IMAGE_ID: image_id, **properties}
    properties = {name: value for name, value in properties.items() if value is not None}
    public = {"candidate": "private"}.get(state, "public")
    values = {
        "id": image_id,
        "name": f"Debian 12 Server - x86_64 [{Release.parse(release).date}]",
        "status": "active",
        "visibility": public,
        "hidden": state == "superseded",
        "owner": "project",
        "size": 1000,
        "min_disk": 3,
        "min_ram": 512,
        "hash_algo": "sha512",
        "hash_value": DISK,
        "created_at": "2026-11-22T12:00:00Z",
    }
    return Image(**{**values, **fields, "properties": properties})


def decide(target: Target, images: list[Image]) -> Publication:
    contents = recognise(images, tuple)
    family = contents.families.get(FAMILY, [])
    return publish.decide(target, family, unsure=contents.unsure(FAMILY), now=NOW, new_id="new")


def kinds(plan: Publication) -> list[type]:
    return [type(step) for step in plan.steps]


def test_in_an_empty_cloud_the_disk_is_uploaded_privately_and_then_made_current() -> None:
    plan = decide(TARGET, [])
    upload, change = plan.steps
    assert isinstance(upload, Upload)
    assert upload.fields["visibility"] == "private"
    assert upload.fields[identity.STATE] == "candidate"
    assert isinstance(change, Change)
    assert change.image_id == upload.image_id == "new"
    assert change.fields == {
        "visibility": "public",
        "os_hidden": False,
        identity.STATE: "current",
    }


def test_a_published_release_needs_no_change() -> None:
    plan = decide(TARGET, [image()])
    assert plan.steps == []
    assert plan.published == image()


def test_the_new_release_is_public_before_the_old_one_is_hidden() -> None:
    plan = decide(TARGET, [image("20260822", hash_value=OTHER_DISK)])
    assert kinds(plan) == [Upload, Change, Change]
    last = plan.steps[-1]
    assert isinstance(last, Change)
    assert last.image_id == "image-20260822"
    assert last.relies_on == "new"
    assert last.fields == {
        "os_hidden": True,
        identity.STATE: "superseded",
        identity.SUPERSEDED_AT: "2026-11-22T12:00:00+00:00",
        identity.SUCCESSOR: "new",
    }


def test_a_superseded_release_is_left_alone() -> None:
    plan = decide(TARGET, [image(), image("20260822", "superseded", hash_value=OTHER_DISK)])
    assert plan.steps == []


def test_a_run_that_died_before_hiding_the_old_release_is_finished() -> None:
    plan = decide(TARGET, [image(), image("20260822", hash_value=OTHER_DISK)])
    assert [getattr(step, "image_id", None) for step in plan.steps] == ["image-20260822"]


def test_a_whole_candidate_is_made_current_without_another_upload() -> None:
    plan = decide(TARGET, [image(state="candidate")])
    assert kinds(plan) == [Change]
    assert plan.published is not None
    assert plan.published.id == "image-20261122"


@pytest.mark.parametrize("status", ["queued", "saving", "killed"])
def test_an_upload_that_did_not_end_is_deleted_and_made_again(status: str) -> None:
    left = image(state="candidate", status=status, hash_algo="", hash_value="", size=0)
    plan = decide(TARGET, [left])
    assert kinds(plan) == [Discard, Upload, Change]


def test_a_candidate_with_other_bytes_is_deleted_and_made_again() -> None:
    plan = decide(TARGET, [image(state="candidate", hash_value=OTHER_DISK)])
    assert kinds(plan) == [Discard, Upload, Change]


def test_a_second_candidate_of_the_same_disk_is_deleted() -> None:
    twins = [image(state="candidate", id=name) for name in ("first", "second")]
    plan = decide(TARGET, twins)
    assert kinds(plan) == [Discard, Change]
    assert plan.published is not None
    assert plan.published.id == "first"


def test_a_candidate_beside_the_current_image_of_the_same_release_is_deleted() -> None:
    plan = decide(
        TARGET,
        [image(state="candidate", id="older", created_at="2026-11-22T11:00:00Z"), image()],
    )
    assert kinds(plan) == [Discard]
    assert plan.published is not None
    assert plan.published.id == "image-20261122"


def test_nothing_but_a_private_candidate_is_ever_deleted() -> None:
    states = [state.value for state in State]
    statuses = ["active", "queued", "saving", "killed", "deactivated"]
    releases = ["20260822", "20261122", "20270222"]
    hashes = [DISK, OTHER_DISK, ""]
    visibilities = ["private", "public", "shared", "community"]
    tried = 0
    for state, status, release, digest, visibility in itertools.product(
        states, statuses, releases, hashes, visibilities
    ):
        one = image(release, state, status=status, hash_value=digest, visibility=visibility)
        try:
            steps = decide(TARGET, [one]).steps
        except CannotPublish:
            continue
        tried += 1
        for step in steps:
            if isinstance(step, Discard):
                assert (state, visibility, release) == ("candidate", "private", "20261122")
    assert tried > 200


def test_a_family_that_had_a_current_release_never_has_none() -> None:
    """Whatever is there, and wherever the steps break off."""
    olds = [image("20260822", hash_value=OTHER_DISK), image("20260901", hash_value=OTHER_DISK)]
    own = [[], [image()], [image(state="candidate")], [image(state="superseded")]]
    for mine, count in itertools.product(own, range(len(olds) + 1)):
        if mine and mine[0].properties[identity.STATE] == "superseded" and count:
            continue  # rolled back, and refused
        plan = decide(TARGET, [*mine, *olds[:count]])
        current = {entry.id for entry in [*mine, *olds[:count]] if is_current(entry)}
        had_one = bool(current)
        for step in plan.steps:
            if isinstance(step, Change) and identity.STATE in step.fields:
                name = step.image_id
                if step.fields[identity.STATE] == "current":
                    current.add(name)
                else:
                    current.discard(name)
            assert current or not had_one
        assert current


def is_current(entry: Image) -> bool:
    return entry.properties[identity.STATE] == "current"


def test_a_release_older_than_the_current_one_is_refused() -> None:
    with pytest.raises(CannotPublish, match="older than 20270222"):
        decide(TARGET, [image("20270222", hash_value=OTHER_DISK)])


def test_a_second_disk_under_a_published_release_is_refused() -> None:
    with pytest.raises(CannotPublish, match="another disk"):
        decide(TARGET, [image(hash_value=OTHER_DISK)])


@pytest.mark.parametrize("state", ["retired", "revoked", "deleted"])
def test_a_release_whose_life_has_ended_is_refused(state: str) -> None:
    with pytest.raises(CannotPublish, match=state):
        decide(TARGET, [image(state=state)])


def test_an_image_that_an_operator_deactivated_is_refused() -> None:
    with pytest.raises(CannotPublish, match="deactivated"):
        decide(TARGET, [image(status="deactivated")])


def test_images_of_other_families_and_of_other_tools_do_not_count() -> None:
    other = image(properties={identity.FAMILY: "debian-12-x86_64-base"})
    foreign = image()
    foreign = Image(**{**foreign.__dict__, "properties": {"os_distro": "debian"}})
    assert kinds(decide(TARGET, [other, foreign])) == [Upload, Change]


def test_properties_that_make_no_sense_are_an_error_not_a_guess() -> None:
    with pytest.raises(ImagecycleError, match="make no sense"):
        decide(TARGET, [image(properties={identity.STATE: "currant"})])


def test_metadata_that_has_changed_is_brought_up_to_date_in_place() -> None:
    plan = decide(TARGET, [image(properties={"os_distro": "debain"}, name="old name")])
    (step,) = plan.steps
    assert isinstance(step, Change)
    assert step.fields == {"os_distro": "debian", "name": TARGET.name}
    assert str(step) == "image image-20261122: bring name, os_distro up to date"


def test_a_newer_imagecycle_alone_changes_nothing() -> None:
    assert decide(TARGET, [image(properties={identity.VERSION: "0.0.1"})]).steps == []


def test_a_hash_of_another_kind_counts_when_the_disks_own_is_known() -> None:
    known = Target(**{**TARGET.__dict__, "hashes": {**TARGET.hashes, "blake2b": "b2" * 64}})
    assert decide(known, [image(hash_algo="blake2b", hash_value="b2" * 64)]).steps == []
    with pytest.raises(CannotPublish, match="another disk"):
        decide(TARGET, [image(hash_algo="blake2b", hash_value="b2" * 64)])


def test_a_release_that_was_rolled_back_is_not_published_again_by_itself() -> None:
    with pytest.raises(CannotPublish, match="was rolled back to 20260822") as caught:
        decide(TARGET, [image(state="superseded"), image("20260822", hash_value=OTHER_DISK)])
    assert "--to 20261122" in caught.value.hint


def test_a_protected_predecessor_is_left_current_and_told() -> None:
    plan = decide(TARGET, [image("20260822", hash_value=OTHER_DISK, protected=True)])
    assert kinds(plan) == [Upload, Change]
    assert "is protected" in plan.notes[0]


def test_a_sharing_that_broke_off_is_undone() -> None:
    left = image("20260822", "superseded", hash_value=OTHER_DISK, visibility="shared")
    plan = decide(TARGET, [image(), left])
    (step,) = plan.steps
    assert isinstance(step, Change)
    assert step.fields == {"visibility": "public", "os_hidden": True}


@pytest.mark.parametrize("release", ["20261122", "20270222"])
def test_what_may_be_this_release_or_a_newer_one_is_for_a_person_to_decide(release: str) -> None:
    with pytest.raises(CannotPublish, match="may be a release") as caught:
        decide(TARGET, [image(release, properties={identity.IMAGE_ID: None})])
    assert "imagecycle copies" in caught.value.hint


def test_what_may_be_an_older_release_is_told_and_left_alone() -> None:
    plan = decide(TARGET, [image("20260822", properties={identity.IMAGE_ID: None})])
    assert kinds(plan) == [Upload, Change]
    assert "image-20260822" in plan.notes[0]


@pytest.mark.parametrize("state", [*(state.value for state in State), "nonsense"])
def test_copies_change_nothing_about_a_publication(state: str) -> None:
    others = [
        image(release, state, id=f"copy-{release}", properties={identity.IMAGE_ID: "another"})
        for release in ("20260822", "20261122", "20270222")
    ]
    assert kinds(decide(TARGET, others)) == kinds(decide(TARGET, []))


def test_a_release_from_before_is_made_to_name_itself() -> None:
    old = image(properties={identity.IMAGE_ID: None})
    family = recognise([old], lambda: [old.id]).families[FAMILY]
    (step,) = publish.decide(TARGET, family, now=NOW, new_id="new").steps
    assert isinstance(step, Change)
    assert step.fields == {identity.IMAGE_ID: old.id}
