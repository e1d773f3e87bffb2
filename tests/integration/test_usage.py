import json
from collections import Counter

import pytest

from imagecycle.cli import main
from imagecycle.cloud import servers as nova
from imagecycle.cloud.errors import Incomplete
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession
from imagecycle.cloud.usage import FEW, collect
from integration import servers
from integration.conftest import ComputeBox
from integration.images import make_release

pytestmark = pytest.mark.integration

FAMILY = "debian-12-x86_64-server"


def image(box: ComputeBox, release: str = "20261122") -> Image:
    return make_release(box.glance, release)


def found(cloud: CloudSession, *ids: str) -> dict[tuple[str, str], Counter[str]]:
    usage = collect(cloud, images=ids or None)
    assert usage.with_volumes
    return {
        (image_id, project): Counter(use.servers)
        for image_id, projects in usage.by_image.items()
        for project, use in projects.items()
    }


def test_every_project_and_status_is_counted_with_few_servers_a_page(
    compute_box: ComputeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = compute_box
    one, two = image(box, "20260822"), image(box)
    stopped, shelved, _ = servers.boot_many(box.alice, one.id, ["stopped", "shelved", "active"])
    servers.boot(box.bob, one.id)
    gone = servers.boot(box.bob, two.id)
    servers.boot(box.alice, two.id)
    servers.stop(box.alice, stopped)
    servers.shelve(box.alice, shelved)
    servers.delete(box.bob, gone)
    alice, bob = box.alice.project_id, box.bob.project_id
    expected = {
        (one.id, alice): Counter({"ACTIVE": 1, "SHUTOFF": 1, "SHELVED_OFFLOADED": 1}),
        (one.id, bob): Counter({"ACTIVE": 1}),
        (two.id, alice): Counter({"ACTIVE": 1}),
    }
    assert found(box.admin) == expected
    assert found(box.admin, one.id, two.id) == expected
    assert found(box.admin, two.id) == {(two.id, alice): Counter({"ACTIVE": 1})}
    many = [one.id, two.id, *(f"{number}" for number in range(FEW))]
    for limit in ("1", "2", "3"):
        monkeypatch.setitem(nova.QUERY, "limit", limit)
        assert found(box.admin) == found(box.admin, *many) == expected


def test_a_server_that_is_being_made_counts(compute_box: ComputeBox) -> None:
    box = compute_box
    made = image(box)
    server = {"name": "new", "imageRef": made.id, "flavorRef": "small", "networks": "none"}
    new = servers.request(box.alice, "POST", "/servers", server=server)["server"]["id"]
    assert found(box.admin).keys() == {(made.id, box.alice.project_id)}
    servers.await_status(box.alice, new, "ACTIVE")


def test_who_may_not_list_all_projects_is_told_so(compute_box: ComputeBox) -> None:
    for cloud in (compute_box.alice, compute_box.robot):
        with pytest.raises(Incomplete, match="403 Policy") as caught:
            collect(cloud)
        assert "administrator's entry" in caught.value.hint


def test_the_command_names_projects_for_people_and_programs(
    compute_box: ComputeBox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box = compute_box
    monkeypatch.setenv("IMAGECYCLE_HOME", str(box.site.home))
    made = image(box)
    servers.boot(box.alice, made.id)
    assert main(["usage", FAMILY, "--cloud", "devcloud"]) == 0
    out = capsys.readouterr().out
    assert f"alpha ({box.alice.project_id})" in out
    assert "1 ACTIVE" in out
    assert "no volume service" not in out
    assert main(["usage", made.id, "--cloud", "devcloud", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["images"]
    assert entry["projects"] == [
        {
            "id": box.alice.project_id,
            "name": "alpha",
            "email": "",
            "servers": {"ACTIVE": 1},
            "volumes": 0,
        }
    ]
    assert main(["usage", made.id, "--cloud", "devcloud-robot"]) == 1
    assert "403 Policy" in capsys.readouterr().err
    assert [each.id for each in Glance(box.admin).images()] == [made.id]
