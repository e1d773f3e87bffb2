"""What publishing does, with a real Glance."""

import hashlib
import json

import pytest

from imagecycle.cloud import glance as glance_module
from imagecycle.cloud.session import open_cloud
from imagecycle.errors import ImagecycleError, UnknownName
from integration.conftest import Box
from integration.images import make_release
from integration.proxy import Fault
from integration.publishing import SLUG, images, make, publish, run, states

pytestmark = pytest.mark.integration


def test_a_release_is_published_with_its_metadata_and_the_very_bytes(box: Box) -> None:
    made = make(box)
    image = publish(box)
    assert (image.status, image.visibility, image.hidden) == ("active", "public", False)
    assert image.name == "Debian 12 Server - x86_64 [2026-11-22]"
    assert image.properties["imagecycle_state"] == "current"
    assert image.properties["imagecycle_disk_sha512"] == image.hash_value
    assert (image.min_disk, image.min_ram) == (3, 512)
    assert [entry.id for entry in images(box)] == [image.id]
    digest = hashlib.sha512()
    for chunk in box.glance.download(image.id):
        digest.update(chunk)
    assert digest.hexdigest() == hashlib.sha512(made.disk.read_bytes()).hexdigest()
    record = made.record("publish")
    assert record is not None
    assert record["clouds"]["devcloud"]["image_id"] == image.id


def test_a_second_run_changes_nothing(box: Box) -> None:
    made = make(box)
    first = publish(box, "faulty")
    record = made.record("publish")
    box.proxy.forget()
    assert publish(box, "faulty") == first
    assert box.proxy.mutations() == []
    assert made.record("publish") == record


def test_the_older_release_goes_out_of_sight_and_stays_usable(box: Box) -> None:
    make(box, "20260822")
    old = publish(box)
    make(box, "20261122")
    publish(box)
    assert states(box) == {"20260822": "superseded", "20261122": "current"}
    seen = box.glance.image(old.id)
    assert (seen.hidden, seen.visibility) == (True, "public")
    with pytest.raises(ImagecycleError, match="older than 20261122"):
        publish(box, release="20260822")


def test_a_dry_run_prints_the_plan_and_changes_nothing(box: Box) -> None:
    make(box)
    done = run(box, "--cloud", "faulty", "--dry-run")
    assert done.returncode == 0
    assert done.stdout == ""
    assert "1. upload the disk (3.0 MiB)" in done.stderr
    assert box.proxy.mutations() == []
    assert images(box) == []


def test_the_command_prints_the_image_for_programs(box: Box) -> None:
    make(box)
    done = run(box, "--cloud", "devcloud", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["imagecycle_state"] == "current"
    again = run(box, "--cloud", "devcloud")
    assert again.stdout.strip() == json.loads(done.stdout)["id"]
    assert "nothing to do" in again.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--cloud", "devclod"], 2, "unknown cloud: devclod"),
        (["--cloud", "wrong-password"], 1, "Keystone refuses these credentials"),
        (["--cloud", "silent"], 1, "the connection was refused"),
        (["--cloud", "devcloud", "--release", "20200101"], 2, "unknown release"),
    ],
)
def test_a_mistake_is_one_clear_message(
    box: Box, words: list[str], code: int, message: str
) -> None:
    make(box)
    done = run(box, *words)
    assert done.returncode == code
    assert message in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr
    assert images(box) == []


def test_what_was_not_verified_is_refused_before_the_cloud_is_asked(box: Box) -> None:
    made = make(box)
    (made.folder / "verify.json").unlink()
    with pytest.raises(ImagecycleError, match="was not verified"):
        publish(box, "faulty")
    assert box.proxy.requests() == []


def test_a_candidate_that_may_not_be_made_public_is_kept_and_used_by_the_next_run(
    box: Box,
) -> None:
    make(box)
    box.proxy.faults.append(Fault("PATCH", "", answer=403))
    with pytest.raises(ImagecycleError, match="may not make images public"):
        publish(box, "faulty")
    (candidate,) = images(box)
    assert candidate.visibility == "private"
    box.proxy.faults.clear()
    assert publish(box, "faulty").id == candidate.id


def test_an_ordinary_user_is_told_what_is_missing(box: Box) -> None:
    make(box)
    done = run(box, "--cloud", "devcloud-demo")
    assert done.returncode == 1, done.stderr
    print(done.stderr)
    assert "may not make images public" in done.stderr
    assert "Traceback" not in done.stderr


def test_several_clouds_are_judged_each_by_itself(box: Box) -> None:
    make(box)
    # one Glance, on SQLite, takes no two uploads at the same moment
    done = run(box, "--cloud", "silent", "--cloud", "devcloud", "--cloud", "wrong-password")
    assert done.returncode == 1, done.stderr
    assert states(box) == {"20261122": "current"}
    assert "silent: cannot log in: the connection was refused" in done.stderr
    assert "error: wrong-password: " in done.stderr
    assert f"{SLUG} was not published to silent, wrong-password" in done.stderr
    assert "hint: it was to devcloud" in done.stderr
    assert "Traceback" not in done.stderr
    again = run(box, "--cloud", "devcloud", "--json")
    assert json.loads(again.stdout)["imagecycle_state"] == "current"


def test_images_of_another_project_are_out_of_reach(box: Box) -> None:
    foreign = make_release(box.demo, "20261122", "candidate", visibility="private", data=b"")
    make(box)
    publish(box)
    assert box.glance.image(foreign.id).status == "queued"


def test_more_images_than_fit_a_page_are_all_seen(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glance_module, "PAGE", 4)
    made = {
        box.glance.create(
            {
                "name": f"image {number}",
                "disk_format": "qcow2",
                "container_format": "bare",
                "imagecycle_family": SLUG,
            }
        ).id
        for number in range(10)
    }
    assert {image.id for image in images(box)} == made


def test_an_unknown_cloud_is_answered_with_the_nearest(box: Box) -> None:
    with pytest.raises(UnknownName) as caught:
        open_cloud("devclud", box.site)
    assert caught.value.hint == "did you mean devcloud?"
