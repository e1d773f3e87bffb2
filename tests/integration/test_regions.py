"""Several regions under one Keystone: each with a Glance, or with that of another region.

The second Glance is a real one. Only the Nova of the third region is pretended: one that has a
server of bob.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

import terminal
from bench.large_cloud import Answer, Query, Sizes
from bench.large_cloud_server import serving
from families import FAMILY, artifact
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import open_cloud
from imagecycle.devcloud import config, services
from imagecycle.devcloud.layout import Layout, ensure_identity, load_identity
from imagecycle.devcloud.services import SERVICES
from integration import catalog, servers
from integration.conftest import ComputeBox

pytestmark = pytest.mark.integration

SLUG = FAMILY.slug
TODAY = f"{datetime.datetime.now(datetime.UTC):%Y%m%d}"
(GLANCE,) = (service for service in SERVICES if service.name == "glance")


@dataclasses.dataclass(frozen=True)
class Regions:
    """The development cloud as the entry ``both``, with its own region and ``south``."""

    box: ComputeBox
    south: Layout
    """Of the Glance there"""

    def start(self) -> None:
        identity = load_identity(self.south)
        assert identity is not None
        services.start(self.south, identity, GLANCE)
        services.await_answer(self.south, identity, GLANCE)

    def stop(self) -> None:
        services.stop(self.south, GLANCE)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return terminal.run(*words, home=self.box.site.home)

    def releases(self, region: str) -> Mapping[str, str]:
        """The state of each release in a region."""
        glance = Glance(open_cloud(f"both/{region}", self.box.site))
        return {
            image.properties["imagecycle_release"]: image.properties["imagecycle_state"]
            for image in glance.images(imagecycle_family=SLUG)
        }


@pytest.fixture
def regions(
    compute_box: ComputeBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Regions]:
    own = compute_box.layout
    kept = load_identity(own)
    assert kept is not None
    south = Layout(tmp_path / "south", own.venv)
    south.make()
    identity = ensure_identity(south)
    identity = dataclasses.replace(
        identity,
        ports={**kept.ports, "glance": identity.ports["glance"]},
        passwords=kept.passwords,
    )
    (south.folder / "identity.json").write_text(json.dumps(dataclasses.asdict(identity)))
    config.write(south, identity)
    shutil.copyfile(own.data / "glance.sqlite", south.data / "glance.sqlite")
    clouds = yaml.safe_load(compute_box.clouds_file.read_text())["clouds"]
    clouds["both"] = {**clouds["devcloud"], "regions": [config.REGION, "south"]}
    del clouds["both"]["region_name"]
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": clouds}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    made = Regions(compute_box, south)
    made.start()
    try:
        with catalog.with_region(compute_box.admin, "south", image=identity.url("glance")):
            yield made
    finally:
        made.stop()


def is_due(regions: Regions) -> bool:
    """Whether the matrix wants a new release, as long as one region has none of this quarter."""
    done = regions.run("due", "linux", "--cloud", "both", "--json")
    assert done.returncode == 0, done.stderr
    (due,) = (one["due"] for one in json.loads(done.stdout) if one["family"] == SLUG)
    return bool(due)


def test_a_release_is_published_in_each_region_and_each_is_judged_by_itself(
    regions: Regions,
) -> None:
    artifact(regions.box.site.artifacts, TODAY, size=2**17)
    regions.stop()
    half = regions.run("publish", SLUG, "--cloud", "both")
    assert half.returncode == 1
    assert f"{SLUG} was not published to both/south" in half.stderr
    assert "Traceback" not in half.stderr
    assert regions.releases(config.REGION) == {TODAY: "current"}
    regions.start()
    assert is_due(regions)
    done = regions.run("publish", SLUG, "--cloud", "both")
    assert done.returncode == 0, done.stderr
    assert regions.releases("south") == {TODAY: "current"}
    assert not is_due(regions)
    ids = dict(line.split() for line in done.stdout.splitlines())
    assert ids.keys() == {"both/devcloud", "both/south"}
    assert len(set(ids.values())) == 2
    again = regions.run("publish", SLUG, "--cloud", "both")
    assert dict(line.split() for line in again.stdout.splitlines()) == ids
    assert again.stderr.count("nothing to do") == 2


def test_a_command_for_one_cloud_wants_to_know_the_region(regions: Regions) -> None:
    artifact(regions.box.site.artifacts, "20261122", size=2**17)
    assert regions.run("publish", SLUG, "--cloud", "both/south").returncode == 0
    unsaid = regions.run("usage", "--all", "--cloud", "both")
    assert unsaid.returncode == 2
    assert "both has several regions: devcloud, south" in unsaid.stderr
    assert "both/devcloud" in unsaid.stderr
    shown = regions.run("status", "--cloud", "both/south", "--json")
    assert shown.returncode == 0, shown.stderr
    assert "20261122" in shown.stdout
    assert regions.releases(config.REGION) == {}
    elsewhere = regions.run("status", "--cloud", "both/north")
    assert elsewhere.returncode == 2
    assert "north is not a valid region" in elsewhere.stderr


def test_status_tells_of_every_region_in_one_call(regions: Regions) -> None:
    artifact(regions.box.site.artifacts, "20261122", size=2**17)
    for region in (config.REGION, "south"):
        assert regions.run("publish", SLUG, "--cloud", f"both/{region}").returncode == 0
    done = regions.run("status", "--cloud", "both", "--json")
    assert done.returncode == 0, done.stderr
    told = {one["cloud"]: one["releases"] for one in json.loads(done.stdout)["clouds"]}
    assert told.keys() == {f"both/{config.REGION}", "both/south"}
    assert [row["state"] for rows in told.values() for row in rows] == ["current"] * 2
    assert len({row["image_id"] for rows in told.values() for row in rows}) == 2
    regions.stop()
    half = regions.run("status", "--cloud", "both")
    assert half.returncode == 1
    assert "20261122" in half.stdout
    assert "both/south" in half.stderr
    assert "Traceback" not in half.stderr


def test_users_in_a_region_that_shares_the_glance_keep_a_retired_image(regions: Regions) -> None:
    box = regions.box
    ids = []
    for release in ("20260822", "20261122"):
        artifact(box.site.artifacts, release, size=2**17)
        done = regions.run("publish", SLUG, "--cloud", "devcloud")
        assert done.returncode == 0, done.stderr
        ids.append(done.stdout.strip())
    old, _ = ids
    servers.boot(box.alice, old)
    down = True

    def nova(path: str, query: Query) -> Answer | None:
        if down:
            return 503, {}, b"{}"
        if path != "/compute/v2.1/servers/detail":
            return None
        bobs = {"id": "b0b", "tenant_id": box.bob.project_id, "image": {"id": old}}
        found = [] if "marker" in query else [{**bobs, "status": "ACTIVE"}]
        return 200, {}, json.dumps({"servers": found}).encode()

    with serving(Sizes()) as west:
        west.fault = nova
        with catalog.with_region(box.admin, "west", compute=f"{west.url}/compute/v2.1"):
            refused = regions.run("retire", SLUG, "--cloud", "devcloud", "--now")
            assert refused.returncode == 1
            assert "devcloud/west: cannot list" in refused.stderr
            assert regions.releases(config.REGION)["20260822"] == "superseded"
            down = False
            done = regions.run("retire", SLUG, "--cloud", "devcloud", "--now")
    assert done.returncode == 0, done.stderr
    assert regions.releases(config.REGION)["20260822"] == "retired"
    assert box.glance.members(old).keys() == {box.alice.project_id, box.bob.project_id}
