"""One Keystone, several regions: whose Glance, Nova and Cinder are meant."""

import json
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from openstack.config import loader

import terminal
from bench.large_cloud import REGION, LargeCloud, Sizes
from bench.large_cloud_server import clouds_file, serving
from imagecycle.cloud import paging
from imagecycle.cloud.errors import Incomplete
from imagecycle.cloud.session import CloudSession, NoImageService, open_cloud
from imagecycle.cloud.usage import collect
from imagecycle.errors import UsageError
from imagecycle.lifecycle import multi_cloud
from imagecycle.site import Site

SIZES = Sizes(images=4, servers=30, projects=3, volumes=12)
INTERRUPTED = "interrupted; what was begun has been cleaned up"
MORE = Sizes(images=4, servers=41, projects=5, volumes=7)
SERVERS = "/compute/v2.1/servers/detail"


@pytest.fixture
def clouds() -> Iterator[tuple[LargeCloud, LargeCloud]]:
    """Two regions' services, with users of the same images."""
    with serving(SIZES) as own, serving(MORE) as other:
        yield own, other


@pytest.fixture
def site(
    clouds: tuple[LargeCloud, LargeCloud], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Site:
    monkeypatch.setattr(loader, "CONFIG_FILES", [])
    monkeypatch.setattr(paging, "PAUSES", (0.0,))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    (tmp_path / "clouds.yaml").write_text(clouds_file(clouds[0].url))
    return Site(home=tmp_path)


def entry(site: Site, **keys: object) -> None:
    """Say other things of the cloud than its one region."""
    path = site.home / "clouds.yaml"
    clouds = json.loads(path.read_text())
    clouds["clouds"]["large"] = {"auth": clouds["clouds"]["large"]["auth"], **keys}
    path.write_text(json.dumps(clouds))


def expected(*clouds: LargeCloud) -> Counter[tuple[str, str]]:
    """How many servers and volumes of each image each project has. The ids of things repeat."""
    found = {}
    for cloud in clouds:
        for count, name in (
            (cloud.sizes.servers, cloud.server_id),
            (cloud.sizes.volumes, cloud.volume_id),
        ):
            for number in range(count):
                image = cloud.image_id(cloud.image_of(number))
                project = cloud.project_id(cloud.project_of(number))
                found.setdefault(name(number), (image, project))
    return Counter(found.values())


def counted(cloud: CloudSession) -> Counter[tuple[str, str]]:
    usage = collect(cloud)
    return Counter(
        {
            (image, project): sum(use.servers.values()) + use.volumes
            for image, projects in usage.by_image.items()
            for project, use in projects.items()
        }
    )


def services(cloud: LargeCloud, *kinds: str) -> dict[str, str]:
    paths = {"compute": "/compute/v2.1", "image": "/image", "block-storage": "/volume/v3"}
    return {kind: cloud.url + paths[kind] for kind in kinds}


def test_servers_and_volumes_of_a_region_without_a_glance_of_its_own_count(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    own, other = clouds
    own.elsewhere = {"south": services(other, "compute", "block-storage")}
    assert counted(open_cloud("large", site)) == expected(own, other)
    assert expected(own, other) != expected(own)


def test_so_do_those_of_a_region_with_the_same_glance(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    own, other = clouds
    south = services(other, "compute", "block-storage") | {"image": f"{own.url}/image/"}
    own.elsewhere = {"south": south}
    assert counted(open_cloud("large", site)) == expected(own, other)
    entry(site, region_name="south")
    assert counted(open_cloud("large", site)) == expected(other, own)


def test_those_of_a_region_with_another_glance_do_not(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    own, other = clouds
    own.elsewhere = {"south": services(other, "compute", "block-storage", "image")}
    assert counted(open_cloud("large", site)) == expected(own)
    assert not other.requests


def test_a_glance_may_be_in_a_region_without_servers(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    own, other = clouds
    own.elsewhere = {"centre": services(own, "image"), "south": services(other, "compute")}
    entry(site, region_name="centre", image_endpoint_override=f"{own.url}/image")
    found = open_cloud("large", site).wherever("compute")
    assert [cloud.name for cloud in found] == [f"large/{REGION}", "large/south"]


def test_a_glance_that_is_not_in_the_catalog_may_be_that_of_any_region(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    own, other = clouds
    own.elsewhere = {"south": services(other, "compute", "image")}
    entry(site, image_endpoint_override="http://127.0.0.1:9/v2")
    found = open_cloud("large", site).wherever("compute")
    assert [cloud.name for cloud in found] == ["large", "large/south"]


def test_a_region_without_a_glance_says_which_has_one(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    own, other = clouds
    own.elsewhere = {"south": services(other, "compute")}
    entry(site, region_name="south")
    with pytest.raises(NoImageService, match=r"no image service in this region, only in r$"):
        open_cloud("large", site)


def test_a_service_that_the_entry_takes_from_another_region_is_asked_once(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    own, other = clouds
    own.elsewhere = {"south": services(other, "compute")}
    entry(site, region_name=REGION, compute_region_name="south")
    found = open_cloud("large", site).wherever("compute")
    assert [cloud.endpoint("compute") for cloud in found] == [
        f"{other.url}/compute/v2.1",
        f"{own.url}/compute/v2.1",
    ]


def test_another_region_that_cannot_be_listed_makes_the_listing_incomplete(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    own, other = clouds
    own.elsewhere = {"south": services(other, "compute")}
    other.fault = lambda path, _: (503, {}, b"{}") if path == SERVERS else None
    with pytest.raises(Incomplete, match="large/south: cannot list servers"):
        collect(open_cloud("large", site))


def test_which_of_two_glances_is_meant_must_be_said(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    own, other = clouds
    own.elsewhere = {"south": services(other, "image", "compute")}
    entry(site)
    with pytest.raises(UsageError, match="a Glance in each of several regions: r, south") as caught:
        open_cloud("large", site)
    assert caught.value.hint == "say which one: large/r"
    south = open_cloud("large/south", site)
    assert south.image_url == f"{other.url}/image/v2"
    assert south.options == "--os-cloud large --os-region-name south"


def test_one_glance_for_all_regions_needs_no_choice(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    own, other = clouds
    own.elsewhere = {"south": services(other, "compute")}
    entry(site)
    assert counted(open_cloud("large", site)) == expected(own, other)


def test_a_cloud_is_published_to_once_for_each_glance(
    clouds: tuple[LargeCloud, LargeCloud], site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    own, other = clouds
    own.elsewhere = {
        "south": services(other, "image"),
        "east": services(own, "image"),
        "west": services(own, "compute"),
    }
    entry(site, regions=[REGION, "south", "east", "west"])
    assert multi_cloud.cloud_regions(["large"], site) == ["large/r", "large/south"]
    said = capsys.readouterr().err
    assert "large/east uses the image service of large/r" in said
    assert "large/west has no image service of its own" in said
    assert multi_cloud.cloud_regions(["large/east", "large/east"], site) == ["large/east"]


def test_regions_without_any_glance_are_an_error(
    clouds: tuple[LargeCloud, LargeCloud], site: Site
) -> None:
    clouds[0].elsewhere = {"south": {}, "west": {}}
    entry(site, regions=["south", "west"])
    with pytest.raises(NoImageService, match="none of large/south, large/west has"):
        multi_cloud.cloud_regions(["large"], site)


def test_an_interrupt_does_not_wait_for_a_cloud_that_is_silent(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        auth = {"auth_url": f"http://127.0.0.1:{port}/v3", "username": "u", "password": "p"}
        entry(site, regions=["north", "south"], auth={**auth, "project_name": "x"})
        silent.settimeout(60)
        words = ("due", "linux", "--cloud", "large")
        with terminal.start(*words, home=site.home) as process:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGTERM)
                _, said = process.communicate(timeout=30)  # an answer would have 60 s
    assert (process.returncode, said.strip()) == (130, f"error: {INTERRUPTED}")
