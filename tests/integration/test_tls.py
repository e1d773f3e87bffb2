"""A cloud behind TLS, as clouds are: real Keystone and Glance, each behind a proxy with a
certificate of an authority that this machine does not know by itself."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from certificates import self_signed
from families import FAMILY, artifact
from imagecycle import cli
from imagecycle.cloud.session import open_cloud
from imagecycle.devcloud.layout import load_identity
from imagecycle.errors import Unreachable
from integration import proxy
from integration.conftest import Box

pytestmark = pytest.mark.integration

SLUG = FAMILY.slug
Entry = Callable[..., str]


@pytest.fixture
def entry(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Entry]:
    """Makes an entry of clouds.yaml for the cloud behind TLS; returns its name."""
    identity = load_identity(box.layout)
    assert identity is not None
    clouds: dict[str, Any] = yaml.safe_load(box.clouds_file.read_text())["clouds"]
    own = clouds["devcloud"]
    path = tmp_path / "clouds.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.setenv("IMAGECYCLE_HOME", str(box.site.home))

    with ExitStack() as stack:

        def make(certificate: tuple[Path, Path], **more: Any) -> str:
            keystone, glance = (
                stack.enter_context(
                    proxy.running(identity.ports[service], certificate=certificate)
                ).url
                for service in ("keystone", "glance")
            )
            clouds["tls"] = {
                **own,
                "auth": {**own["auth"], "auth_url": f"{keystone}/v3"},
                "identity_endpoint_override": f"{keystone}/v3",
                "image_endpoint_override": glance,
                **more,
            }
            path.write_text(yaml.safe_dump({"clouds": clouds}))
            path.chmod(0o600)
            return "tls"

        yield make


@pytest.mark.parametrize("trust", ["cacert", "verify"])
def test_a_release_is_published_over_tls(
    box: Box, entry: Entry, tmp_path: Path, trust: str, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = self_signed(tmp_path / "tls")
    entry(certificate, **({"cacert": str(certificate[0])} if trust == "cacert" else {trust: False}))
    made = artifact(box.site.artifacts, "20261122", size=3 * 2**20)
    assert cli.main(["publish", SLUG, "--cloud", "tls"]) == 0
    (image,) = box.glance.images(imagecycle_family=SLUG)
    assert (image.status, image.visibility) == ("active", "public")
    assert image.size == made.disk.stat().st_size
    capsys.readouterr()
    assert cli.main(["status", "--cloud", "tls"]) == 0
    assert "20261122" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("certificate", "said", "hint"),
    [
        ({}, "self-signed certificate", "cacert"),
        ({"address": "127.0.0.2"}, "IP address mismatch", "an address that the certificate names"),
        ({"expired": True}, "certificate has expired", "renew"),
    ],
    ids=["unknown authority", "another host's", "expired"],
)
def test_a_certificate_that_is_not_trusted_ends_it_with_the_way_out(
    box: Box,
    entry: Entry,
    tmp_path: Path,
    certificate: dict[str, Any],
    said: str,
    hint: str,
) -> None:
    files = self_signed(tmp_path / "tls", **certificate)
    name = entry(files, **({"cacert": str(files[0])} if certificate else {}))
    with pytest.raises(Unreachable, match=f"its certificate is not trusted: {said}") as caught:
        open_cloud(name, box.site)
    assert "HTTPSConnectionPool" not in caught.value.message
    assert hint in caught.value.hint
    assert box.glance.images() == []


def test_http_spoken_to_a_service_behind_tls_is_an_error_in_words(
    box: Box, entry: Entry, tmp_path: Path
) -> None:
    certificate = self_signed(tmp_path / "tls")
    name = entry(certificate, cacert=str(certificate[0]))
    clouds = yaml.safe_load((tmp_path / "clouds.yaml").read_text())
    own = clouds["clouds"][name]
    own["auth"]["auth_url"] = own["auth"]["auth_url"].replace("https", "http")
    (tmp_path / "clouds.yaml").write_text(yaml.safe_dump(clouds))
    with pytest.raises(Unreachable) as caught:
        open_cloud(name, box.site)
    assert "object at 0x" not in caught.value.message
