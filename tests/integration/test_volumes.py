"""Volumes made from images, in a real Cinder: who is counted, and who is spared."""

from __future__ import annotations

import pytest
from keystoneauth1.exceptions import BadRequest

from imagecycle import devcloud
from imagecycle.cli import main
from imagecycle.cloud import volumes as cinder
from imagecycle.cloud.errors import Incomplete
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.cloud.usage import collect
from imagecycle.devcloud import services
from imagecycle.devcloud.compute.cinder import API
from imagecycle.lifecycle import transitions
from imagecycle.lifecycle.rules.retire import RetireOptions
from imagecycle.model import ProjectUse
from imagecycle.site import Site
from integration import catalog, servers, volumes
from integration.conftest import ComputeBox
from integration.proxy import Fault
from integration.test_life import NEW, OLD, SLUG, publish, retire, site, states

pytestmark = pytest.mark.integration


def counted(cloud: CloudSession) -> dict[tuple[str, str], int]:
    """How many volumes each project has of each image."""
    usage = collect(cloud)
    assert usage.with_volumes
    return {
        (image, project): use.volumes
        for image, projects in usage.by_image.items()
        for project, use in projects.items()
    }


def test_a_volume_remembers_the_image_that_it_was_made_from(compute_box: ComputeBox) -> None:
    image = publish(compute_box, NEW)
    volume = volumes.show(compute_box.alice, volumes.make(compute_box.alice, image))
    assert volume["volume_image_metadata"]["image_id"] == image
    assert volume["bootable"] == "true"


def test_no_volume_is_made_from_an_image_that_is_out_of_reach(compute_box: ComputeBox) -> None:
    image = publish(compute_box, NEW)
    compute_box.glance.change(image, {"visibility": "private"})
    assert_refused(compute_box.alice, image)


def assert_refused(cloud: CloudSession, image: str) -> None:
    with pytest.raises(BadRequest) as caught:
        volumes.make(cloud, image)
    assert "unable to access requested image" in caught.value.response.text


def test_every_projects_volumes_are_counted_with_few_a_page(
    compute_box: ComputeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = compute_box
    old, new = publish(box, OLD), publish(box, NEW)
    volumes.make_many(box.alice, [old, old, old, new, None])
    volumes.make_many(box.bob, [new, None])
    expected = {
        (old, box.alice.project_id): 3,
        (new, box.alice.project_id): 1,
        (new, box.bob.project_id): 1,
    }
    assert counted(box.admin) == expected
    for limit in ("1", "2", "3"):
        monkeypatch.setitem(cinder.QUERY, "limit", limit)
        assert counted(box.admin) == expected


def test_a_server_that_boots_from_a_volume_counts_by_it(compute_box: ComputeBox) -> None:
    box = compute_box
    image = publish(box, NEW)
    device = {
        **{"boot_index": 0, "source_type": "image", "uuid": image, "volume_size": volumes.SIZE},
        **{"destination_type": "volume", "delete_on_termination": True},
    }
    wanted = {"name": "booted", "flavorRef": "small", "networks": "none"}
    server = servers.request(
        box.alice, "POST", "/servers", server={**wanted, "block_device_mapping_v2": [device]}
    )["server"]["id"]
    servers.await_status(box.alice, server, "ACTIVE")
    assert not servers.show(box.alice, server)["image"]
    assert collect(box.admin).by_image == {image: {box.alice.project_id: ProjectUse({}, 1)}}
    (attached,) = servers.show(box.alice, server)["os-extended-volumes:volumes_attached"]
    servers.delete(box.alice, server)
    volumes.await_gone(box.alice, attached["id"])
    assert collect(box.admin).by_image == {}


def test_only_an_administrator_can_count_volumes(compute_box: ComputeBox) -> None:
    for cloud in (compute_box.alice, compute_box.robot):
        with pytest.raises(Incomplete, match="403") as caught:
            list(cinder.volumes(cloud))
        assert "administrators only" in caught.value.hint


def test_a_volume_keeps_its_project_a_member_until_it_is_gone(
    compute_box: ComputeBox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box = compute_box
    monkeypatch.setenv("IMAGECYCLE_HOME", str(box.site.home))
    old = publish(box, OLD)
    volume = volumes.make(box.alice, old)
    assert main(["usage", old, "--cloud", "devcloud"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "alpha" in line)
    assert line.split()[-1] == "1"
    publish(box, NEW)
    retire(box)
    assert states(box)[OLD] == ("retired", "shared")
    assert box.glance.members(old) == {box.alice.project_id: "pending"}
    volumes.make(box.alice, old)
    assert_refused(box.bob, old)
    assert retire(box).plan.steps == ()

    volumes.delete_all(box.admin)
    retire(box)  # nobody is a member any more, the grace period begins
    assert box.glance.members(old) == {}
    retire(box)  # and is over
    assert states(box) == {NEW: ("current", "public")}
    assert volume not in {one.id for one in cinder.volumes(box.admin)}


def assert_not_retired(box: ComputeBox, cloud: str) -> None:
    before = states(box)
    with pytest.raises(Incomplete, match="cannot list volume"):
        transitions.retire_releases([SLUG], site(box), cloud=cloud, options=RetireOptions(now=True))
    assert states(box) == before == {OLD: ("superseded", "public"), NEW: ("current", "public")}


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("path", ["", "/os-services"])
def test_nothing_is_retired_while_cinder_fails(
    compute_box: ComputeBox, monkeypatch: pytest.MonkeyPatch, status: int, path: str
) -> None:
    monkeypatch.setattr("imagecycle.cloud.paging.sleep", lambda _: None)
    volumes.make(compute_box.alice, publish(compute_box, OLD))
    publish(compute_box, NEW)
    spared = 0 if path else 1  # the first request is for the volume services
    fault = Fault("GET", path, answer=status, after_matches=spared)
    compute_box.cinder_proxy.faults.append(fault)
    assert_not_retired(compute_box, "faulty-cinder")


def test_nothing_is_retired_while_cinder_is_stopped(
    compute_box: ComputeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagecycle.cloud.paging.sleep", lambda _: None)
    box = compute_box
    volumes.make(box.alice, publish(box, OLD))
    publish(box, NEW)
    assert services.stop(box.layout, API)
    try:
        assert_not_retired(box, "devcloud")
    finally:
        devcloud.start(Site(home=box.layout.folder.parent), with_compute=True)
    retire(box)
    assert states(box)[OLD] == ("retired", "shared")


def test_a_cloud_without_cinder_in_its_catalog_has_no_volumes(
    compute_box: ComputeBox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box = compute_box
    monkeypatch.setenv("IMAGECYCLE_HOME", str(box.site.home))
    old = publish(box, OLD)
    servers.boot(box.alice, old)
    with catalog.without(box.admin, "block-storage"):
        assert not collect(open_cloud("devcloud", box.site)).with_volumes
        assert main(["usage", old, "--cloud", "devcloud"]) == 0
        out = capsys.readouterr().out
        assert "1 ACTIVE" in out
        assert "no volume service" in out
        publish(box, NEW)
        retire(box)
    assert box.glance.members(old) == {box.alice.project_id: "pending"}
