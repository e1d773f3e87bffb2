"""What several integration tests share: a development cloud of their own."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from imagecycle import devcloud
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import open_cloud
from imagecycle.devcloud.layout import Layout, load_identity
from imagecycle.site import Site
from integration import proxy


@dataclass(frozen=True)
class Box:
    """A running development cloud; ``site`` is the one that it belongs to."""

    site: Site
    layout: Layout
    proxy: proxy.Proxy
    """Stands before its Glance in the entries ``faulty`` and ``faulty-demo``"""
    clouds_file: Path
    glance: Glance
    """As the administrator, without the proxy"""
    demo: Glance
    """As an ordinary user"""

    def empty(self) -> None:
        for glance in (self.glance, self.demo):
            for image in glance.images():
                glance.delete(image.id)
        self.proxy.faults.clear()
        self.proxy.requests.clear()
        self.proxy.struck.clear()


@pytest.fixture(scope="session")
def started_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Keystone and Glance in a temporary home.

    Their Python environment is made there too, which takes half a minute, unless
    IMAGECYCLE_DEVCLOUD_VENV names one that may be used (or made, and kept).
    """
    site = Site(home=tmp_path_factory.mktemp("home"))
    layout = Layout.of(site)
    devcloud.start(site)
    try:
        identity = load_identity(layout)
        assert identity is not None
        with proxy.running(identity.ports["glance"]) as before_glance:
            clouds = yaml.safe_load(layout.clouds_file.read_text())["clouds"]
            for name, own in (("faulty", "devcloud"), ("faulty-demo", "devcloud-demo")):
                clouds[name] = {**clouds[own], "image_endpoint_override": before_glance.url}
            clouds["wrong-password"] = {
                **clouds["devcloud"],
                "auth": {**clouds["devcloud"]["auth"], "password": "wrong"},
            }
            clouds["silent"] = {
                **clouds["devcloud"],
                "auth": {**clouds["devcloud"]["auth"], "auth_url": "http://127.0.0.1:9/v3"},
            }
            path = site.home / "clouds.yaml"
            path.write_text(yaml.safe_dump({"clouds": clouds}))
            path.chmod(0o600)
            administrator, user = (
                Glance(open_cloud(name, site)) for name in ("devcloud", "devcloud-demo")
            )
            yield Box(site, layout, before_glance, path, administrator, user)
    finally:
        devcloud.stop(site, purge=False)


@pytest.fixture
def box(started_box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Box:
    """The development cloud, without images, for a site with an artifact folder of its own."""
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(started_box.clouds_file))
    started_box.empty()
    site = started_box.site.model_copy(update={"home": tmp_path})
    return dataclasses.replace(started_box, site=site)
