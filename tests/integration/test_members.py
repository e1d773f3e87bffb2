import datetime
import io
import json
import uuid
from pathlib import Path

import pytest

from imagecycle.cloud.errors import Refused
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import open_cloud
from imagecycle.errors import Unreachable
from imagecycle.lifecycle import sharing
from imagecycle.lifecycle.audit import AuditLog
from imagecycle.lifecycle.guarded_images import GuardedImages
from imagecycle.lifecycle.steps import Share
from imagecycle.model import ProjectUse, Usage
from integration.conftest import Box
from integration.proxy import Fault

pytestmark = pytest.mark.integration

SOME = [uuid.uuid5(uuid.NAMESPACE_DNS, str(number)).hex for number in range(20)]


def image(box: Box, visibility: str = "shared") -> Image:
    fields = {"name": "n", "container_format": "bare", "disk_format": "raw"}
    made = box.glance.create({**fields, "visibility": visibility, "protected": False})
    box.glance.upload(made.id, io.BytesIO(b"data"), 4, lambda _: None)
    return made


def faulty(box: Box) -> Glance:
    """The administrator's Glance behind the proxy."""
    return Glance(open_cloud("faulty", box.site))


def test_projects_become_members_and_stop_being_members(box: Box) -> None:
    made = image(box)
    box.glance.add_members(made.id, SOME)
    assert box.glance.members(made.id) == dict.fromkeys(SOME, "pending")
    box.glance.add_members(made.id, SOME[:3], accept=True)
    assert box.glance.members(made.id) == {
        **dict.fromkeys(SOME, "pending"),
        **dict.fromkeys(SOME[:3], "accepted"),
    }
    box.glance.remove_members(made.id, SOME[1:])
    assert box.glance.members(made.id) == {SOME[0]: "accepted"}
    box.glance.remove_members(made.id, SOME[:2])
    assert box.glance.members(made.id) == {}


def test_a_member_uses_the_image_while_pending_and_lists_it_once_accepted(box: Box) -> None:
    made = image(box)
    project = box.demo.project_id
    with pytest.raises(Refused) as caught:
        box.demo.image(made.id)
    assert caught.value.status == 404
    box.glance.add_members(made.id, [project])
    assert b"".join(box.demo.download(made.id)) == b"data"
    with pytest.raises(Refused):
        box.demo.accept_members(made.id, [SOME[0]])
    box.glance.accept_members(made.id, [project])
    assert box.glance.members(made.id) == {project: "accepted"}


@pytest.mark.parametrize("visibility", ["public", "private", "community"])
def test_only_a_shared_image_takes_members(box: Box, visibility: str) -> None:
    made = image(box, visibility)
    with pytest.raises(Refused, match="cannot share image") as caught:
        box.glance.add_members(made.id, SOME)
    assert caught.value.status == 403


def test_members_survive_a_change_of_visibility(box: Box) -> None:
    made = image(box)
    box.glance.add_members(made.id, SOME)
    box.glance.change(made.id, {"visibility": "public"})
    with pytest.raises(Refused, match="cannot list the members"):
        box.glance.members(made.id)
    box.glance.change(made.id, {"visibility": "shared"})
    assert len(box.glance.members(made.id)) == len(SOME)


def test_a_lost_answer_is_asked_again_and_does_no_harm(box: Box) -> None:
    made = image(box)
    box.proxy.faults[:] = [
        Fault("POST", "/members", lose_answer=True, times=3),
        Fault("DELETE", SOME[0], lose_answer=True, times=1),
    ]
    faulty(box).add_members(made.id, SOME)
    faulty(box).remove_members(made.id, SOME[:2])
    assert set(box.glance.members(made.id)) == set(SOME[2:])


def test_a_conflict_that_is_none_leaves_nobody_out(box: Box) -> None:
    made = image(box)
    box.proxy.faults[:] = [
        Fault("POST", "/members", answer=409, times=3),
        Fault("DELETE", SOME[0], answer=404, times=1),
    ]
    faulty(box).add_members(made.id, SOME)
    assert set(box.glance.members(made.id)) == set(SOME)
    faulty(box).remove_members(made.id, SOME[:2])
    assert set(box.glance.members(made.id)) == set(SOME[2:])


def test_one_failure_is_raised_and_the_other_projects_are_members(box: Box) -> None:
    made = image(box)
    box.proxy.faults[:] = [Fault("POST", "/members", answer=500, times=1)]
    faulty(box).add_members(made.id, SOME[:1])  # one 500 is a database that was busy
    box.proxy.faults[:] = [Fault("POST", "/members", answer=502, times=1)]
    with pytest.raises(Unreachable, match="502"):
        faulty(box).add_members(made.id, SOME[1:])
    assert len(box.glance.members(made.id)) == len(SOME) - 1


def test_more_members_than_glance_allows_names_the_setting(box: Box) -> None:
    made = image(box)
    box.proxy.faults[:] = [Fault("POST", "/members", answer=413)]
    with pytest.raises(Refused) as caught:
        faulty(box).add_members(made.id, SOME[:1])
    assert "image_member_quota" in caught.value.hint


def test_an_image_tells_that_it_is_protected_and_when_it_was_changed(box: Box) -> None:
    made = image(box)
    assert (made.protected, bool(made.updated_at)) == (False, True)
    assert box.glance.change(made.id, {"protected": True}).protected
    box.glance.change(made.id, {"protected": False})


def test_many_projects_are_let_in_window_by_window(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = image(box, "public")
    monkeypatch.setattr(sharing, "WINDOW", 0.02)
    monkeypatch.setattr(sharing, "PAUSE", 0.02)
    most, *others = [box.demo.project_id, *SOME]
    uses = {most: ProjectUse({"ACTIVE": 7}), **{one: ProjectUse({"ACTIVE": 1}) for one in others}}
    usage = Usage(datetime.datetime.now(datetime.UTC), {made.id: uses}, with_volumes=False)
    step = Share(made.id, "shared", first={"visibility": "shared"}, back={"visibility": "public"})
    audit = AuditLog(tmp_path / "audit.jsonl", "test", "test")
    found = [box.glance.image(made.id)]
    window = sharing.share(step, GuardedImages(box.glance, audit, found, usage=lambda _: usage))
    assert len(window.seconds) > 1
    assert window.members == {most, *SOME}
    assert box.glance.members(made.id).keys() == {most, *SOME}
    assert box.glance.image(made.id).visibility == "shared"
    assert len(json.loads(audit.path.read_text().splitlines()[-1])["window_seconds"]) > 1
