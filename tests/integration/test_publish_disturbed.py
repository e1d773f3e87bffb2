"""Publishing that is killed, interrupted, or has a Glance that fails."""

import os
import signal
import subprocess
import threading
import time
from typing import Any

import pytest

from families import family
from imagecycle.cloud import upload as upload_module
from imagecycle.errors import ImagecycleError, LockHeld, Unreachable
from imagecycle.lifecycle import publish as stage
from imagecycle.lifecycle.cloud_context import CloudContext
from imagecycle.lifecycle.execution import Result
from integration.conftest import Box
from integration.images import make_release
from integration.proxy import Fault
from integration.publishing import await_status, images, make, publish, start, states

pytestmark = pytest.mark.integration


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
    monkeypatch.setattr(upload_module, "STALL_LIMIT", 1.0)
    monkeypatch.setattr(upload_module, "STORE_LIMIT", 1.0)
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
    take = CloudContext.carry_out

    def late(*told: Any) -> Result:
        stall.set()
        await_status(box, "queued")
        return take(*told)

    monkeypatch.setattr(CloudContext, "carry_out", late)
    published = publish(box)
    assert [image.id for image in images(box)] == [published.id]


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
        make_release(box.glance, "20260901", name="other", visibility="private", data=b"")

    box.proxy.faults.append(Fault("PUT", "/file", after=other, times=1))
    with pytest.raises(ImagecycleError, match="has changed since the plan was made"):
        publish(box, "faulty")
    mine = [image for image in images(box) if image.name != "other"]
    assert [image.visibility for image in mine] == ["private"]
    assert publish(box, "faulty").id == mine[0].id


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
