"""Copies of a release that real services and people make, and what keeps users from making them."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import terminal
from imagecycle import devcloud
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import OWN_FIELDS, Image
from imagecycle.cloud.session import CloudSession
from imagecycle.metadata import identity, schema
from imagecycle.site import Site
from integration import servers, volumes
from integration.conftest import ComputeBox
from integration.publishing import SLUG, make, publish, states

pytestmark = pytest.mark.integration

PATTERN = r"Debian 12=>debian-12-x86_64-server"


def snapshot(cloud: CloudSession, image: Image) -> Image:
    """What Nova makes of a server."""
    server = servers.boot(cloud, image.id)
    action = {"createImage": {"name": "Debian 12"}}
    servers.request(cloud, "POST", f"/servers/{server}/action", **action)
    return named(cloud, "Debian 12")


def upload_of_volume(cloud: CloudSession, image: Image) -> Image:
    """What Cinder makes of a volume."""
    volume = volumes.make(cloud, image.id)
    action = {"os-volume_upload_image": {"image_name": "uploaded", "disk_format": "raw"}}
    volumes.request(cloud, "POST", f"/volumes/{volume}/action", **action)
    return named(cloud, "uploaded")


def named(cloud: CloudSession, name: str) -> Image:
    found: list[Image] = []

    def is_active() -> bool:
        found[:] = [one for one in Glance(cloud).images() if one.name == name]
        return bool(found) and found[0].status == "active"

    servers._await(is_active, lambda: f"{name}: {found}")
    return found[0]


def by_hand(glance: Glance, image: Image, *, data: bytes, **fields: Any) -> Image:
    """An image that a person makes with the properties of another one."""
    basics = {"name": "by hand", "disk_format": "qcow2", "container_format": "bare"}
    made = glance.create({**image.properties, **basics, **fields})
    glance.upload(made.id, io.BytesIO(data), len(data), lambda _: None)
    return glance.image(made.id)


def run(box: ComputeBox, *words: str) -> Any:
    return terminal.run(*words, home=box.site.home, limit=120)


def foreign(image: Image) -> dict[str, object]:
    return {name: value for name, value in image.facts().items() if name != "updated_at"}


def test_copies_are_shown_apart_and_decide_nothing(compute_box: ComputeBox, tmp_path: Path) -> None:
    box = compute_box
    made = make(box, "20260822", size=2**17)
    released = publish(box)
    disk = made.disk.read_bytes()
    without_id = {k: v for k, v in released.properties.items() if k != identity.IMAGE_ID}
    unmarked = dataclasses.replace(released, properties=without_id)
    copies = [
        snapshot(box.admin, released),
        upload_of_volume(box.admin, released),
        by_hand(box.glance, released, data=disk),
        by_hand(
            box.glance, released, data=disk, visibility="public", imagecycle_release="20990101"
        ),
        by_hand(box.glance, released, data=disk, os_hidden=True, imagecycle_state="nonsense"),
        by_hand(box.glance, unmarked, data=disk, visibility="public"),
        by_hand(box.glance, unmarked, data=b"another", disk_format="raw"),
    ]
    for copy in copies:
        assert copy.properties[identity.FAMILY] == SLUG  # they do carry what could mislead
    theirs = [snapshot(box.alice, released), by_hand(Glance(box.alice), released, data=disk)]

    told = json.loads(run(box, "status", "--cloud", "devcloud", "--json").stdout)["clouds"][0]
    assert [row["image_id"] for row in told["releases"]] == [released.id]
    assert {row["image_id"] for row in told["copies"]} == {copy.id for copy in copies}
    assert {row["copy_of"] for row in told["copies"]} == {released.id}
    used = json.loads(run(box, "usage", "--all", "--json", "--cloud", "devcloud").stdout)["images"]
    assert [image["id"] for image in used] == [released.id]
    adopted = run(box, "adopt", "--cloud", "devcloud", "--pattern", PATTERN)
    assert adopted.returncode == 0, adopted.stderr
    assert "0 to adopt" in adopted.stdout
    planned = run(box, "plan", "--cloud", "devcloud", "--json")
    assert json.loads(planned.stdout)["steps"] == []

    make(box, "20261122", size=2**17)
    newer = run(box, "publish", SLUG, "--cloud", "devcloud")
    assert newer.returncode == 0, newer.stderr
    retired = run(box, "retire", "--all", "--now", "--cloud", "devcloud")
    assert retired.returncode == 0, retired.stderr
    assert box.glance.image(released.id).properties[identity.STATE] == "retired"
    back = run(box, "rollback", SLUG, "--cloud", "devcloud")
    assert back.returncode == 0, back.stderr
    gone = run(box, "revoke", SLUG, "20261122", "--reason", "bad", "--cloud", "devcloud")
    assert gone.returncode == 0, gone.stderr
    assert box.glance.image(released.id).properties[identity.STATE] == "current"
    for copy in copies:
        assert foreign(box.glance.image(copy.id)) == foreign(copy)
    for copy in theirs:
        assert foreign(Glance(box.alice).image(copy.id)) == foreign(copy)

    tidied = run(box, "copies", "--cloud", "devcloud", "--tidy")
    assert tidied.returncode == 0, tidied.stderr
    for copy in copies:
        after = box.glance.image(copy.id)
        assert not identity.is_carried_by(after)
        assert after.properties["os_distro"] == "debian"
    assert run(box, "copies", "--cloud", "devcloud").stdout == "devcloud has no copies\n"


@pytest.mark.rotating(2, 1)
def test_a_release_from_before_is_recognised_by_the_record_of_its_upload(
    compute_box: ComputeBox,
) -> None:
    box = compute_box
    made = make(box, "20260822", size=2**17)
    released = publish(box)
    box.glance.change(released.id, {identity.IMAGE_ID: None})
    copy = by_hand(
        box.glance, box.glance.image(released.id), data=made.disk.read_bytes(), visibility="public"
    )
    elsewhere = terminal.run("plan", "--cloud", "devcloud", "--json", home=box.layout.folder.parent)
    assert json.loads(elsewhere.stdout)["steps"] == []
    assert f"image {released.id} ({SLUG} 20260822) is left alone" in elsewhere.stderr
    done = run(box, "retire", "--all", "--cloud", "devcloud")
    assert done.returncode == 0, done.stderr
    assert identity.names_itself(box.glance.image(released.id))
    assert foreign(box.glance.image(copy.id)) == foreign(copy)


@pytest.mark.rotating(2, 1)
def test_a_release_without_any_record_is_confirmed_by_a_person(compute_box: ComputeBox) -> None:
    box = compute_box
    make(box, "20260822", size=2**17)
    released = publish(box)
    box.glance.change(released.id, {identity.IMAGE_ID: None})
    copy = by_hand(box.glance, released, data=b"x", disk_format="raw")
    elsewhere = box.layout.folder.parent

    def copies(*words: str) -> subprocess.CompletedProcess[str]:
        return terminal.run("copies", "--cloud", "devcloud", *words, home=elsewhere)

    refused = copies("--confirm", copy.id)
    assert (refused.returncode, identity.names_itself(box.glance.image(copy.id))) == (2, False)
    confirmed = copies("--confirm", released.id)
    assert confirmed.returncode == 0, confirmed.stderr
    assert identity.names_itself(box.glance.image(released.id))
    shown = json.loads(copies("--json").stdout)
    assert copy.id in json.dumps(shown)
    assert released.id not in [one["image_id"] for one in shown]


@pytest.fixture
def protected(compute_box: ComputeBox) -> Iterator[ComputeBox]:
    """The cloud with the settings that keep properties from being copied."""
    site = Site(home=compute_box.layout.folder.parent)
    devcloud.start(site, protected=True)
    try:
        yield compute_box
    finally:
        devcloud.start(site, protected=False)


def seen(box: ComputeBox, *words: str) -> dict[str, tuple[str, str]]:
    """What the doctor finds in the cloud."""
    done = run(box, "doctor", "--cloud", "devcloud", *words, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["findings"]
    return {one["name"]: (one["verdict"], one["seen"]) for one in found}


@pytest.mark.rotating(2, 1)
def test_the_doctor_sees_a_cloud_without_the_settings(compute_box: ComputeBox) -> None:
    box = compute_box
    make(box, "20261122", size=2**17)
    released = publish(box)
    before = seen(box)
    assert before["snapshots"][1].startswith("not seen")
    assert before["protected properties"][1].startswith("not tried")
    copy = snapshot(box.alice, released)
    snapshot(box.admin, released)
    after = seen(box, "--as", "devcloud-alice")
    assert after["snapshots"][0] == "warning"
    assert "Nova copies them" in after["snapshots"][1]
    assert after["copies"] == ("warning", "1 image of our project with copied properties")
    assert after["protected properties"][0] == "warning"
    assert [one.id for one in Glance(box.alice).images()] == [copy.id]  # the probe is gone


@pytest.mark.rotating(2, 0)
def test_a_protected_cloud_copies_only_what_is_true_of_a_copy(protected: ComputeBox) -> None:
    box = protected
    make(box, "20261122", size=2**17)
    released = publish(box)
    inherited = {
        name: value
        for name, value in released.properties.items()
        if schema.is_inherited(name) and name not in OWN_FIELDS
    }
    assert {"os_distro", "hw_disk_bus", "architecture"} <= inherited.keys()
    for cloud in (box.admin, box.alice):
        for copy in (snapshot(cloud, released), upload_of_volume(cloud, released)):
            carried = {k: v for k, v in copy.properties.items() if k in released.properties}
            assert carried == inherited, copy.name
    found = seen(box, "--as", "devcloud-alice")
    assert {found[name][0] for name in ("snapshots", "copies", "protected properties")} == {"ok"}
    with pytest.raises(Refused, match="imagecycle_"):
        by_hand(Glance(box.alice), released, data=b"x", disk_format="raw")
    plain = Glance(box.alice).create(
        {"name": "plain", "disk_format": "raw", "container_format": "bare"}
    )
    with pytest.raises(Refused, match="imagecycle_"):
        Glance(box.alice).change(plain.id, {identity.STATE: "current"})
    assert states(box) == {"20261122": "current"}
