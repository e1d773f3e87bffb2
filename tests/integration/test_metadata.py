"""The definitions of our properties in a real Glance."""

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

import terminal
from families import FAMILY, artifact, family
from imagecycle.cloud import namespace
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.session import open_cloud
from imagecycle.lifecycle import publish as stage
from imagecycle.metadata import definitions
from integration.conftest import Box
from integration.proxy import Fault

pytestmark = pytest.mark.integration

ADDRESS = "/metadefs/namespaces/imagecycle"


@pytest.fixture
def bare(box: Box) -> Iterator[Box]:
    """A cloud without our namespace, before and after."""
    remove(box)
    yield box
    remove(box)


def remove(box: Box) -> None:
    session = open_cloud("devcloud", box.site)
    session.session.delete(f"{session.image_url}{ADDRESS}", raise_exc=False)


def document(box: Box, cloud: str = "devcloud") -> Any:
    return namespace.Definitions(open_cloud(cloud, box.site)).read()


def install(box: Box, cloud: str = "faulty", *, dry_run: bool = False) -> list[str]:
    return [str(call) for call in definitions.install(box.site, cloud=cloud, dry_run=dry_run)]


def run(box: Box, *words: str) -> subprocess.CompletedProcess[str]:
    return terminal.run("metadata", *words, home=box.site.home, limit=60)


def test_every_user_of_the_cloud_can_read_the_definitions(bare: Box) -> None:
    install(bare)
    seen = document(bare, "devcloud-demo")
    assert seen["visibility"] == "public"
    assert [one["name"] for one in seen["resource_type_associations"]] == ["OS::Glance::Image"]
    assert seen["properties"].keys() == definitions.as_namespace().properties.keys()
    assert seen["properties"]["replace_frequency"]["enum"][1] == "quarterly"


def test_a_second_run_changes_nothing(bare: Box) -> None:
    install(bare)
    bare.proxy.forget()
    assert install(bare) == []
    assert bare.proxy.mutations() == []


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(bare: Box) -> None:
    assert install(bare, dry_run=True)[0].startswith("create namespace imagecycle")
    assert document(bare) is None


def test_definitions_of_an_earlier_version_are_brought_up_to_date(
    bare: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = definitions.as_namespace()
    properties = dict(now.properties)
    del properties["hotfix_hours"]
    properties["imagecycle_state"] = {"title": "State", "type": "string"}
    properties["imagecycle_old"] = {"title": "Old", "type": "string"}
    properties["site_note"] = {"title": "Note", "type": "string"}
    earlier = dataclasses.replace(now, description="Earlier", properties=properties)
    with monkeypatch.context() as then:
        then.setattr(definitions, "as_namespace", lambda: earlier)
        install(bare)
    assert install(bare) == [
        "change description of namespace imagecycle",
        "change property imagecycle_state",
        "add property hotfix_hours",
        "remove property imagecycle_old",
    ]
    assert document(bare)["properties"].keys() == {*now.properties, "site_note"}
    assert install(bare) == []


def test_what_a_failure_left_undone_is_done_by_the_next_run(bare: Box) -> None:
    install(bare)
    session = open_cloud("devcloud", bare.site)
    for name in ("hotfix_hours", "uuid_validity"):
        session.session.delete(f"{session.image_url}{ADDRESS}/properties/{name}")
    bare.proxy.faults.append(Fault("POST", "/properties", answer=409, after_matches=1))
    with pytest.raises(Refused, match="cannot add property hotfix_hours: 409"):
        install(bare)
    bare.proxy.faults.clear()
    assert install(bare) == ["add property hotfix_hours"]
    assert install(bare) == []


def test_an_ordinary_user_is_told_who_may(bare: Box) -> None:
    done = run(bare, "install", "--cloud", "devcloud-demo")
    assert done.returncode == 1
    assert "cannot create namespace imagecycle" in done.stderr
    assert "403" in done.stderr
    assert "hint: metadata definitions are for the cloud's administrator" in done.stderr
    assert document(bare) is None


def test_the_schema_is_explained_without_a_cloud(box: Box) -> None:
    done = run(box, "show")
    assert done.returncode == 0
    assert "Id valid until. How long the image can be used by its id" in done.stdout
    assert {row["name"] for row in json.loads(run(box, "show", "--json").stdout)} >= {"os_distro"}


def test_an_image_of_an_earlier_schema_is_brought_up_to_date_in_place(box: Box) -> None:
    """In one change, and once."""
    artifact(box.site.artifacts, "20261122", size=2**17)
    new = {"image_build_date", "uuid_validity", "imagecycle_flavour", "os_purpose"}
    first = stage.publish(family(), box.site, cloud="devcloud", release=None, dry_run=False)
    assert first is not None
    session = open_cloud("devcloud", box.site)
    session.session.patch(
        f"{session.image_url}/images/{first.id}",
        json=[{"op": "remove", "path": f"/{name}"} for name in sorted(new)],
        headers={"Content-Type": "application/openstack-images-v2.1-json-patch"},
    )
    assert new.isdisjoint(box.glance.image(first.id).properties)
    again = stage.publish(family(), box.site, cloud="faulty", release=None, dry_run=False)
    assert again is not None
    assert (again.id, again.properties) == (first.id, first.properties)
    assert [method for method, _, _ in box.proxy.mutations()] == ["PATCH"]
    (only,) = box.glance.images(imagecycle_family=FAMILY.slug)
    assert only.visibility == "public"


def test_publish_says_in_one_line_what_is_wrong_with_the_definitions(
    bare: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact(bare.site.artifacts, "20261122", size=2**17)

    def said() -> list[str]:
        capsys.readouterr()
        stage.publish(family(), bare.site, cloud="devcloud", release=None, dry_run=False)
        lines = capsys.readouterr().err.splitlines()
        return [line for line in lines if "metadata definitions" in line]

    (line,) = said()
    assert "has no metadata definitions" in line
    assert "imagecycle metadata install --cloud devcloud" in line
    install(bare, "devcloud")
    assert said() == []
    session = open_cloud("devcloud", bare.site)
    session.session.delete(f"{session.image_url}{ADDRESS}/properties/imagecycle_image_id")
    (line,) = said()
    assert "definitions of another version" in line


def test_the_development_cloud_has_the_definitions_from_its_start(bare: Box) -> None:
    home = bare.layout.folder.parent
    done = terminal.run("devcloud", "start", home=home, limit=120)
    assert done.returncode == 0, done.stderr
    assert document(bare, "devcloud-demo")["properties"].keys() == (
        definitions.as_namespace().properties.keys()
    )
