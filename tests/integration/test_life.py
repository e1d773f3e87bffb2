"""The whole life of a release on a real Keystone, Glance and Nova, as its users meet it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from keystoneauth1.exceptions import HttpError

from families import FAMILY, artifact, family
from imagecycle import cli
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import CloudSession
from imagecycle.lifecycle import publish as stage
from imagecycle.lifecycle import transitions
from imagecycle.lifecycle.plan import Changed
from imagecycle.lifecycle.rules.retire import RetireOptions
from imagecycle.model import Release
from imagecycle.site import Site
from imagecycle.site_sections import Retirement
from integration import servers
from integration.conftest import ComputeBox

pytestmark = pytest.mark.integration

SLUG = FAMILY.slug
OLD, NEW = "20260822", "20261122"
NOW = RetireOptions(now=True)


def publish(box: ComputeBox, release: str) -> str:
    artifact(box.site.artifacts, release, size=2**17)
    image = stage.publish(family(), box.site, cloud="devcloud", release=release, dry_run=False)
    assert image is not None
    return image.id


def site(box: ComputeBox, **policy: object) -> Site:
    retirement = Retirement.model_validate({"keep": 0, "after_days": 0, "grace_days": 0, **policy})
    return box.site.model_copy(update={"retirement": retirement})


def retire(box: ComputeBox, **policy: object) -> transitions.Done:
    return transitions.retire_releases([SLUG], site(box, **policy), cloud="devcloud", options=NOW)


def states(box: ComputeBox) -> dict[str, tuple[str, str]]:
    return {
        image.properties["imagecycle_release"]: (
            image.properties["imagecycle_state"],
            image.visibility,
        )
        for image in box.glance.images(imagecycle_family=SLUG)
    }


def in_every_status(cloud: CloudSession, image: str) -> Mapping[str, str]:
    """Servers: active, stopped, shelved, and resized without confirmation."""
    names = ("active", "stopped", "shelved", "resized")
    made = dict(zip(names, servers.boot_many(cloud, image, names), strict=True))
    servers.stop(cloud, made["stopped"])
    servers.shelve(cloud, made["shelved"])
    servers.resize(cloud, made["resized"], "medium")
    return made


def assert_usable(cloud: CloudSession, image: str, made: Mapping[str, str]) -> None:
    """What a project may expect of its servers, and of the image that they run from."""
    glance = Glance(cloud)
    assert glance.image(image).id == image
    assert sum(map(len, glance.download(image))) == 2**17
    servers.rebuild(cloud, made["active"], image)
    servers.resize(cloud, made["active"], "large")
    servers.revert(cloud, made["active"])
    servers.rebuild(cloud, made["stopped"], image)
    servers.unshelve(cloud, made["shelved"])
    servers.rebuild(cloud, made["shelved"], image)
    servers.shelve(cloud, made["shelved"])
    servers.revert(cloud, made["resized"])
    servers.rebuild(cloud, made["resized"], image)
    servers.resize(cloud, made["resized"], "medium")


def assert_out_of_reach(cloud: CloudSession, image: str) -> None:
    with pytest.raises(Refused) as refused:
        Glance(cloud).image(image)
    assert refused.value.status == 404
    with pytest.raises(HttpError):
        servers.boot(cloud, image)


def test_a_project_can_use_its_servers_before_and_after_every_transition(
    compute_box: ComputeBox,
) -> None:
    box = compute_box
    old = publish(box, OLD)
    made = in_every_status(box.alice, old)
    assert_usable(box.alice, old, made)

    publish(box, NEW)  # current -> superseded
    assert states(box) == {OLD: ("superseded", "public"), NEW: ("current", "public")}
    assert_usable(box.alice, old, made)
    servers.delete(box.bob, servers.boot(box.bob, old))  # by its id, still for everyone

    done = retire(box)  # superseded -> retired
    assert states(box)[OLD] == ("retired", "shared")
    assert box.glance.members(old) == {box.alice.project_id: "pending"}
    assert done.result is not None
    assert 0 < max(done.result.windows[0].seconds) < 10
    assert_usable(box.alice, old, made)
    assert_out_of_reach(box.bob, old)

    assert retire(box).plan.steps == ()
    transitions.roll_back(SLUG, site(box), cloud="devcloud")  # retired -> current
    assert states(box) == {OLD: ("current", "public"), NEW: ("superseded", "public")}
    assert_usable(box.alice, old, made)
    servers.delete(box.bob, servers.boot(box.bob, old))

    transitions.roll_back(SLUG, site(box), cloud="devcloud", to=Release.parse(NEW))
    retire(box)
    servers.delete(box.alice, *made.values())
    retire(box)  # nobody is a member any more, the grace period begins
    assert box.glance.members(old) == {}
    retire(box)  # and is over: retired -> deleted
    assert states(box) == {NEW: ("current", "public")}


def test_a_project_that_comes_back_is_a_member_again(compute_box: ComputeBox) -> None:
    box = compute_box
    old = publish(box, OLD)
    kept = servers.boot(box.alice, old)
    other = servers.boot(box.bob, old)
    publish(box, NEW)
    retire(box, grace_days=30, members="accepted")
    both = {box.alice.project_id: "accepted", box.bob.project_id: "accepted"}
    assert box.glance.members(old) == both
    assert old in [image.id for image in shared_with(box.alice)]
    servers.delete(box.bob, other)
    box.glance.remove_members(old, [box.alice.project_id])  # by hand, and wrong
    transitions.retire_releases([SLUG], site(box), cloud="devcloud", check_members=True)
    assert set(box.glance.members(old)) == {box.alice.project_id}
    servers.rebuild(box.alice, kept, old)
    assert_out_of_reach(box.bob, old)


def shared_with(cloud: CloudSession) -> list[object]:
    url = f"{cloud.image_url}/images?visibility=shared"
    found = cloud.session.get(url).json()["images"]
    return [type("Shown", (), {"id": image["id"]}) for image in found]


def test_a_revoked_release_stays_with_its_users_and_its_predecessor_is_current(
    compute_box: ComputeBox, capsys: pytest.CaptureFixture[str]
) -> None:
    box = compute_box
    old = publish(box, OLD)
    bad = publish(box, NEW)
    server = servers.boot(box.alice, bad)
    transitions.revoke_release(
        SLUG, Release.parse(NEW), site(box), cloud="devcloud", reason="a key was left in it"
    )
    assert states(box) == {OLD: ("current", "public"), NEW: ("revoked", "shared")}
    shown = box.glance.image(bad).properties
    assert shown["imagecycle_successor"] == old
    assert shown["imagecycle_revoked_reason"] == "a key was left in it"
    assert "still used by 1 project" in capsys.readouterr().err
    servers.resize(box.alice, server, "medium")
    servers.revert(box.alice, server)
    assert_out_of_reach(box.bob, bad)


def test_a_plan_is_kept_looked_at_and_applied_once(
    compute_box: ComputeBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = compute_box
    old = publish(box, OLD)
    servers.boot(box.alice, old)
    publish(box, NEW)
    file = tmp_path / "plan.json"
    monkeypatch.setenv("IMAGECYCLE_HOME", str(box.site.home))
    words = ["plan", "--cloud", "devcloud", "--family", SLUG, "--now", "--out", str(file)]
    assert cli.main(words) == 0
    assert states(box)[OLD] == ("superseded", "public")
    assert cli.main(["apply", str(file)]) == 0
    assert states(box)[OLD] == ("retired", "shared")
    assert cli.main(["apply", str(file)]) == 1
    text = (box.site.home / "audit" / "devcloud.jsonl").read_text()
    last = json.loads(text.splitlines()[-1])
    assert last["event"] == "done"
    assert last["plan"] == json.loads(file.read_text())["digest"]
    assert last["before"] if "before" in last else last["after"]["visibility"] == "shared"
    assert last["members"] == [box.alice.project_id]
    assert last["who"]["cloud_user"] == "admin"


def test_a_plan_for_a_cloud_that_changed_is_refused(
    compute_box: ComputeBox, tmp_path: Path
) -> None:
    box = compute_box
    old = publish(box, OLD)
    publish(box, NEW)
    file = tmp_path / "plan.json"
    mode = transitions.PlanMode(out=file)
    transitions.retire_releases([SLUG], site(box), cloud="devcloud", options=NOW, mode=mode)
    servers.boot(box.alice, old)
    with pytest.raises(Changed, match="the users of"):
        transitions.apply_file(file, site(box))
    assert states(box)[OLD] == ("superseded", "public")
