from pathlib import Path

import pytest
import yaml
from openstack.config import loader

from imagecycle.cloud.entries import find, regions
from imagecycle.cloud.session import open_cloud
from imagecycle.errors import UnknownName, UsageError
from imagecycle.site import Site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(loader, "CONFIG_FILES", [])
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    write(tmp_path / "clouds.yaml", ["devcloud", "production"])
    return Site(home=tmp_path / "home")


def write(path: Path, names: list[str]) -> None:
    auth = {"username": "u", "password": "p", "project_name": str(path.parent.name)}
    clouds = {name: {"auth": {**auth, "auth_url": "http://127.0.0.1:9/v3"}} for name in names}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"clouds": clouds}))


def test_an_entry_of_clouds_yaml_is_found(site: Site) -> None:
    assert find("production", site).name == "production"


def test_devcloud_is_our_own_even_if_another_cloud_has_the_name(site: Site) -> None:
    write(site.home / "devcloud" / "clouds.yaml", ["devcloud"])
    assert find("devcloud", site).config["auth"]["project_name"] == "devcloud"
    assert find("production", site).name == "production"


def test_an_unknown_name_is_answered_with_the_nearest(site: Site) -> None:
    with pytest.raises(UnknownName) as caught:
        open_cloud("prodction", site)
    assert caught.value.hint == "did you mean production?"
    assert caught.value.exit_code == 2


def test_where_no_cloud_is_known_the_way_to_one_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "CONFIG_FILES", [])
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "none.yaml"))
    with pytest.raises(UnknownName) as caught:
        open_cloud("devcloud", Site(home=tmp_path))
    assert "imagecycle devcloud start" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "clouds: [",
        "clouds: {production: 3}",
        "clouds: {production: {auth: {auth_url: 3, username: u, password: p}}}",
        "clouds: {production: {auth: {auth_url: 'http://[::', username: u, password: p}}}",
        "clouds: {production: {cacert: /none, auth: {auth_url: 'https://127.0.0.1:9', username: u, "
        "password: p}}}",
        "clouds: {production: {cert: /none, auth: {auth_url: 'https://127.0.0.1:9', username: u, "
        "password: p}}}",
        "clouds: {production: {api_timeout: x, auth: {auth_url: 'http://127.0.0.1:9', username: u, "
        "password: p}}}",
        "clouds: {production: {auth_type: telepathy, auth: {auth_url: 'http://127.0.0.1:9'}}}",
        "clouds: {production: {auth: {username: u}}}",
    ],
)
def test_a_broken_entry_is_a_mistake_of_the_user(site: Site, tmp_path: Path, text: str) -> None:
    (tmp_path / "clouds.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"clouds\.yaml: cannot use production"):
        open_cloud("production", site)


def with_regions(path: Path, **keys: object) -> None:
    auth = {"username": "u", "password": "p", "auth_url": "http://127.0.0.1:9/v3"}
    path.write_text(yaml.safe_dump({"clouds": {"production": {"auth": auth, **keys}}}))


TWO: tuple[dict[str, object], ...] = (
    {"regions": ["north", "south"]},
    {"regions": ["north", {"name": "south", "values": {"api_timeout": 7}}]},
)


@pytest.mark.parametrize("keys", TWO)
def test_an_entry_with_several_regions_stands_for_each(
    site: Site, tmp_path: Path, keys: dict[str, object]
) -> None:
    with_regions(tmp_path / "clouds.yaml", **keys)
    assert regions("production", site) == ["production/north", "production/south"]
    assert regions("production/south", site) == ["production/south"]
    assert find("production/south", site).get_region_name("image") == "south"


@pytest.mark.parametrize("keys", [{}, {"region_name": "north"}, {"regions": ["north"]}])
def test_an_entry_with_one_region_or_none_stands_for_itself(
    site: Site, tmp_path: Path, keys: dict[str, object]
) -> None:
    with_regions(tmp_path / "clouds.yaml", **keys)
    assert regions("production", site) == ["production"]
    found = find("production", site).get_region_name("image")
    assert found == ("north" if keys else "")


def test_which_of_several_regions_is_meant_must_be_said(site: Site, tmp_path: Path) -> None:
    """The client library would take the first."""
    with_regions(tmp_path / "clouds.yaml", **TWO[0])
    with pytest.raises(UsageError, match="several regions: north, south") as caught:
        find("production", site)
    assert caught.value.hint == "say which one: production/north"


@pytest.mark.parametrize("keys", [TWO[0], {"region_name": "north"}])
def test_a_region_that_an_entry_has_not_is_named(
    site: Site, tmp_path: Path, keys: dict[str, object]
) -> None:
    with_regions(tmp_path / "clouds.yaml", **keys)
    with pytest.raises(UsageError, match="Region east is not a valid region name"):
        find("production/east", site)


def test_an_entry_may_leave_its_regions_to_the_catalog(site: Site, tmp_path: Path) -> None:
    with_regions(tmp_path / "clouds.yaml")
    assert find("production/east", site).get_region_name("image") == "east"


def test_a_region_of_an_unknown_entry_is_unknown(site: Site) -> None:
    with pytest.raises(UnknownName, match="unknown cloud: prodction/north"):
        find("prodction/north", site)


@pytest.mark.parametrize("listed", [[{"nome": "north"}], [{"name": "a"}, 7], "north"])
def test_regions_that_are_no_list_of_names_are_a_mistake_of_the_user(
    site: Site, tmp_path: Path, listed: object
) -> None:
    with_regions(tmp_path / "clouds.yaml", regions=listed)
    with pytest.raises(UsageError):
        find("production", site)


def test_a_slash_can_belong_to_the_name_of_an_entry(site: Site, tmp_path: Path) -> None:
    write(tmp_path / "clouds.yaml", ["production/north"])
    assert find("production/north", site).name == "production/north"
