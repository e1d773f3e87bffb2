import threading
from pathlib import Path

import pytest
import yaml
from openstack.config import loader

from bench.large_cloud import Sizes, clouds_file, serving
from imagecycle.cloud.session import _entry, _versioned, open_cloud
from imagecycle.errors import ImagecycleError, UnknownName, UsageError
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
    assert _entry("production", site).name == "production"


def test_devcloud_is_our_own_even_if_another_cloud_has_the_name(site: Site) -> None:
    write(site.home / "devcloud" / "clouds.yaml", ["devcloud"])
    assert _entry("devcloud", site).config["auth"]["project_name"] == "devcloud"
    assert _entry("production", site).name == "production"


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
        "clouds: {production: {auth_type: telepathy, auth: {auth_url: 'http://127.0.0.1:9'}}}",
        "clouds: {production: {auth: {username: u}}}",
    ],
)
def test_a_broken_entry_is_a_mistake_of_the_user(site: Site, tmp_path: Path, text: str) -> None:
    (tmp_path / "clouds.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"clouds\.yaml: cannot use production"):
        open_cloud("production", site)


@pytest.mark.parametrize(
    ("endpoint", "version", "url"),
    [
        ("http://host:9292", "v2", "http://host:9292/v2"),
        ("http://host/image/", "v2", "http://host/image/v2"),
        ("http://host:9292/v2/", "v2", "http://host:9292/v2"),
        ("http://host:8774/v2.1", "v2.1", "http://host:8774/v2.1"),
        ("http://host:8774/v2/0f5d", "v2.1", "http://host:8774/v2/0f5d"),
        ("http://host/volume/v3/0f5d", "v3", "http://host/volume/v3/0f5d"),
        ("http://host/vault", "v3", "http://host/vault/v3"),
        ("http://host/identity", "v3", "http://host/identity/v3"),
    ],
)
def test_a_catalog_may_or_may_not_name_the_version(endpoint: str, version: str, url: str) -> None:
    assert _versioned(endpoint, version) == url


def test_a_keystone_that_hides_its_versions_is_an_error_and_no_endless_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client library would wait for itself."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    said: list[str] = []

    def log_in() -> None:
        try:
            open_cloud("large", Site(home=tmp_path))
        except ImagecycleError as error:
            said.append(error.message)

    with serving(Sizes()) as large:
        large.fault = lambda path, _: (401, {}, b"{}") if path == "/identity/v3" else None
        (tmp_path / "clouds.yaml").write_text(clouds_file(large.url))
        login = threading.Thread(target=log_in, daemon=True)
        login.start()
        login.join(20)
        assert said
        assert said[0].startswith("large: cannot log in: Could not find versioned identity")
