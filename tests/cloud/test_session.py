import threading
from pathlib import Path

import pytest

from bench.large_cloud import Sizes
from bench.large_cloud_server import clouds_file, serving
from imagecycle.cloud.session import _versioned, open_cloud
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site


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
