import hashlib
import json
import os
import signal
import subprocess
import threading
import time
from typing import Any

import pytest

import terminal
from imagecycle.artifacts import Artifact
from imagecycle.cloud import glance as glance_module
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import open_cloud
from imagecycle.errors import ImagecycleError, LockHeld, UnknownName, Unreachable
from imagecycle.lifecycle import publish as stage
from imagecycle.lifecycle.cloudside import CloudSide
from imagecycle.lifecycle.execution import Result
from imagecycle.model import Release
from integration.conftest import Box
from integration.proxy import Fault
from lifecycle.families import FAMILY, artifact, family

pytestmark = pytest.mark.integration

SLUG = FAMILY.slug


def publish(box: Box, cloud: str = "devcloud", release: str | None = None) -> Image:
    image = stage.publish(family(), box.site, cloud=cloud, release=release, dry_run=False)
    assert image is not None
    return image


def make(box: Box, release: str = "20261122", size: int = 3 * 2**20) -> Artifact:
    return artifact(box.site.artifacts, release, size=size)


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


def test_bytes_that_changed_on_their_way_are_found_out_and_deleted(box: Box) -> None:
    made = make(box)
    with made.disk.open("r+b") as stream:
        stream.seek(2 * 2**20)
        stream.write(b"not what was verified")
    with pytest.raises(ImagecycleError, match="does not hold the disk that was verified"):
        publish(box)
    assert images(box) == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("POST", "/v2/images", answer=503), "503"),
        (Fault("POST", "/v2/images", answer=403), "403"),
        (Fault("POST", "/v2/images", lose_answer=True), "connection was cut"),
        (Fault("PUT", "/file", answer=503), "503|connection was cut"),
        (Fault("PUT", "/file", answer=413), "413|connection was cut"),
        (Fault("PUT", "/file", cut_after=10 * 2**20), "connection was cut"),
        (Fault("PUT", "/file", lose_answer=True), "connection was cut"),
        (Fault("GET", "/v2/images", answer=503), "503"),
        (Fault("GET", "/v2/images", answer=500), "500"),
    ],
    ids=lambda value: f"{value.method}-{value.answer or 'cut'}" if isinstance(value, Fault) else "",
)
def test_a_failing_glance_gives_one_message_and_no_orphan(
    box: Box, fault: Fault, error: str
) -> None:
    make(box, size=24 * 2**20)
    box.proxy.faults.append(fault)
    with pytest.raises(ImagecycleError, match=error) as caught:
        publish(box, "faulty")
    assert caught.value.hint
    assert images(box) == []
    box.proxy.faults.clear()
    publish(box, "faulty")
    assert states(box) == {"20261122": "current"}
    assert len(images(box)) == 1


def test_a_short_outage_is_waited_out_where_nothing_can_happen_twice(box: Box) -> None:
    make(box)
    box.proxy.faults += [
        Fault("GET", "/v2/images", answer=503, times=2),
        Fault("PATCH", "", answer=503, times=1),
    ]
    publish(box, "faulty")
    assert states(box) == {"20261122": "current"}


def test_a_glance_that_takes_no_more_bytes_is_given_up(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glance_module, "STALL_LIMIT", 1.0)
    monkeypatch.setattr(glance_module, "STORE_LIMIT", 1.0)
    make(box, size=64 * 2**20)
    stall = threading.Event()
    box.proxy.faults.append(Fault("PUT", "/file", cut_after=2**20, stall=stall))
    began = time.monotonic()
    try:
        with pytest.raises(Unreachable):
            publish(box, "faulty")
        assert time.monotonic() - began < 30
    finally:
        stall.set()
    assert images(box) == []


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


KILL_POINTS = {
    "before the image is made": ("before", Fault("POST", "/v2/images")),
    "after the image is made": ("after", Fault("POST", "/v2/images")),
    "before the upload": ("before", Fault("PUT", "/file")),
    "in the upload": ("during", Fault("PUT", "/file")),
    "after the upload": ("after", Fault("PUT", "/file")),
    "before it is public": ("before", Fault("PATCH", "")),
    "after it is public": ("after", Fault("PATCH", "")),
    "before the old one is hidden": ("before", Fault("PATCH", "", after_matches=1)),
    "after the old one is hidden": ("after", Fault("PATCH", "", after_matches=1)),
}


@pytest.mark.parametrize("point", KILL_POINTS)
def test_after_a_kill_the_next_run_finishes_and_leaves_no_second_image(
    box: Box, point: str
) -> None:
    make(box, "20260822")
    publish(box)
    make(box, "20261122", size=24 * 2**20)
    when, fault = KILL_POINTS[point]
    started = threading.Event()
    stall = threading.Event()
    running: list[subprocess.Popen[str]] = []

    def kill() -> None:
        assert started.wait(60)
        running[0].kill()
        running[0].wait()

    changes = {when: kill} if when != "during" else {"cut_after": 9 * 2**20, "stall": stall}
    box.proxy.faults.append(Fault(**{**fault.__dict__, **changes, "times": 1}))
    with start(box, "--cloud", "faulty") as process:
        running.append(process)
        started.set()
        if when == "during":
            await_status(box, "saving")
            kill()
            stall.set()
        assert process.wait(60) == -signal.SIGKILL
    box.proxy.faults.clear()
    assert any(image.properties["imagecycle_state"] == "current" for image in images(box))
    publish(box, "faulty")
    assert states(box) == {"20260822": "superseded", "20261122": "current"}
    assert len(images(box)) == 2


def test_a_broken_upload_that_glance_notices_after_the_plan_is_removed_all_the_same(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(box, size=24 * 2**20)
    stall = threading.Event()
    fault = Fault("PUT", "/file", cut_after=9 * 2**20, stall=stall, times=1)
    box.proxy.faults.append(fault)
    with start(box, "--cloud", "faulty") as process:
        await_status(box, "saving")
        process.kill()
    take = CloudSide.carry_out

    def late(*told: Any) -> Result:
        stall.set()
        await_status(box, "queued")
        return take(*told)

    monkeypatch.setattr(CloudSide, "carry_out", late)
    published = publish(box)
    assert [image.id for image in images(box)] == [published.id]


def await_status(box: Box, status: str) -> None:
    tick = threading.Event()
    for _ in range(600):
        if any(image.status == status for image in images(box)):
            return
        tick.wait(0.1)
    pytest.fail(f"no image came to be {status}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_in_the_upload_leaves_no_image(box: Box, number: signal.Signals) -> None:
    make(box, size=24 * 2**20)
    stall = threading.Event()
    box.proxy.faults.append(Fault("PUT", "/file", cut_after=9 * 2**20, stall=stall))
    with start(box, "--cloud", "faulty") as process:
        await_status(box, "saving")
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        stall.set()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "deleted the unfinished image" in errors
    assert images(box) == []


def test_a_second_publish_at_once_says_who_holds_the_lock(box: Box) -> None:
    make(box)
    held = stage._lock(box.site, family(), "devcloud")
    with (
        stage.lock_file(held, "publishing", "publish to devcloud"),
        pytest.raises(LockHeld, match=f"locked by process {os.getpid()}"),
    ):
        publish(box)
    assert images(box) == []


def test_a_cloud_that_changes_under_the_upload_is_noticed_and_nothing_is_lost(box: Box) -> None:
    """Somebody publishes another release while this one is on its way."""
    make(box)

    def other() -> None:
        box.glance.create(
            {
                "name": "other",
                "disk_format": "qcow2",
                "container_format": "bare",
                "imagecycle_family": SLUG,
                "imagecycle_release": "20260901",
                "imagecycle_state": "current",
            }
        )

    box.proxy.faults.append(Fault("PUT", "/file", after=other, times=1))
    with pytest.raises(ImagecycleError, match="has changed since the plan was made"):
        publish(box, "faulty")
    mine = [image for image in images(box) if image.name != "other"]
    assert [image.visibility for image in mine] == ["private"]
    assert publish(box, "faulty").id == mine[0].id


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


def test_an_interrupt_ends_the_uploads_to_all_clouds(box: Box) -> None:
    make(box, size=24 * 2**20)
    stall = threading.Event()
    box.proxy.faults.append(Fault("PUT", "/file", cut_after=9 * 2**20, stall=stall, times=1))
    with start(box, "--cloud", "faulty", "--cloud", "silent") as process:
        await_status(box, "saving")
        process.send_signal(signal.SIGINT)
        stall.set()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert images(box) == []


def test_images_of_another_project_are_out_of_reach(box: Box) -> None:
    foreign = box.demo.create(
        {
            "name": "theirs",
            "disk_format": "qcow2",
            "container_format": "bare",
            "imagecycle_family": SLUG,
            "imagecycle_release": str(Release.parse("20261122")),
            "imagecycle_state": "candidate",
        }
    )
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
