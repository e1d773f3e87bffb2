"""The whole way of a release through a stand-in for a cloud, to an address where nobody listens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openstack.config import loader

from cloud.servers_standin import ServersCloud, clouds_file, serving
from families import FAMILY, artifact
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import open_cloud
from imagecycle.site import Site
from imagecycle.verify import cloud_records, cloud_stage

ADDRESS = "127.77.0.9"
"""Of this machine, with nothing on the port of SSH: it refuses every connection"""
IMAGE = Image.from_document(
    {"id": "i1", "status": "active", "visibility": "private", "min_disk": 3, "min_ram": 512}
)


class AtHome(ServersCloud):
    """Whose servers have an address of this machine."""

    def _create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        server = super()._create(wanted)
        server["addresses"]["internal"][0]["addr"] = ADDRESS
        return server


def test_a_server_that_lets_nobody_in_is_recorded_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "CONFIG_FILES", [])
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    clouds = {"cloud": {"verify": {"network": "internal"}}}
    site = Site.model_validate({"home": tmp_path, "boot_timeout": 0.5, "clouds": clouds})
    made = artifact(site.artifacts, "20261122")
    with serving(AtHome()) as cloud:
        cloud.console = (200, {"output": "Booting <b>&"})
        (tmp_path / "clouds.yaml").write_text(clouds_file(cloud.url))
        session = open_cloud("cloud", site)
        found = cloud_stage.verify_image(
            FAMILY, site, made, session, IMAGE, size=2**30, sha256="a5", keep=False
        )
        assert cloud.left == []
    assert found.verdict == "failed"
    assert found.defects[0] == "boot.lets_the_injected_key_in[instance]"
    assert not list(site.work.iterdir())
    entry = cloud_records.entry_of(made, "cloud")
    assert (entry["disk_sha256"], entry["image_id"], entry["address"]) == ("a5", "i1", ADDRESS)
    assert entry["reason"].startswith("no login within the limit: SSH does not answer")
    assert not cloud_records.has_passed(made, "cloud", "a5")
    assert (made.folder / "cloud-console-cloud.log").read_text() == "Booting <b>&"
    assert "Booting &lt;b&gt;&amp;" in found.page.read_text()
