"""What several integration tests share: a development cloud, and releases that Oz has built."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from imagecycle import catalog, devcloud
from imagecycle.artifacts import Artifact, ArtifactStore
from imagecycle.build import disk, stage
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.devcloud import install
from imagecycle.devcloud.layout import Layout, load_identity
from imagecycle.model import Family
from imagecycle.site import CATALOG, Site
from imagecycle.verify import stage as verify
from integration import proxy, servers, volumes


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
        self.proxy.reset()


@pytest.fixture(scope="session")
def services_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What development clouds with Nova are installed from; where, :func:`started_box` says."""
    layout = Layout.of(Site(home=tmp_path_factory.mktemp("services")))
    install.ensure(layout, compute=True)
    return layout.venv


@pytest.fixture(scope="session")
def started_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Keystone and Glance in a temporary home.

    Their Python environment is made there too, which takes half a minute, unless
    IMAGECYCLE_DEVCLOUD_VENV names one that may be used (or made, and kept).
    """
    site = Site(home=tmp_path_factory.mktemp("home"))
    layout = Layout.of(site)
    devcloud.start(site, protected=False)  # tests write what only who publishes may
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


@dataclass(frozen=True)
class ComputeBox(Box):
    """A development cloud with Nova.

    Its entries beside those of :class:`Box`: ``devcloud-alice``, ``devcloud-bob``,
    ``devcloud-robot``; ``faulty-nova``, ``faulty-keystone`` and ``faulty-all`` are the
    administrator's with a proxy before that service, or before all three. ``faulty-cinder`` has one
    before Cinder.
    """

    admin: CloudSession
    alice: CloudSession
    bob: CloudSession
    robot: CloudSession
    """Without an administrator's role"""
    nova_proxy: proxy.Proxy
    keystone_proxy: proxy.Proxy
    cinder_proxy: proxy.Proxy

    def empty(self) -> None:
        servers.delete_all(self.admin)
        volumes.delete_all(self.admin)
        for player in (self.alice, self.bob, self.robot):
            glance = Glance(player)
            for image in glance.images():
                glance.delete(image.id)
        super().empty()
        for one in (self.nova_proxy, self.keystone_proxy, self.cinder_proxy):
            one.reset()


@pytest.fixture(scope="session")
def started_compute_box(started_box: Box) -> Iterator[ComputeBox]:
    """Nova added to the shared development cloud, with two fake hypervisors.

    What it is installed from is kept where :func:`started_box` keeps its environment.
    """
    site = started_box.site
    devcloud.start(site, with_compute=True, protected=False)
    identity = load_identity(started_box.layout)
    assert identity is not None
    with (
        proxy.running(identity.ports["nova-api"]) as before_nova,
        proxy.running(identity.ports["keystone"]) as before_keystone,
        proxy.running(identity.ports["cinder-api"]) as before_cinder,
    ):
        clouds = yaml.safe_load(started_box.layout.clouds_file.read_text())["clouds"]
        clouds = {**yaml.safe_load(started_box.clouds_file.read_text())["clouds"], **clouds}
        own = clouds["devcloud"]
        image = {"image_endpoint_override": started_box.proxy.url}
        compute = {"compute_endpoint_override": f"{before_nova.url}/v2.1"}
        identity_url = f"{before_keystone.url}/v3"
        keystone = {
            "identity_endpoint_override": identity_url,
            "auth": {**own["auth"], "auth_url": identity_url},
        }
        clouds["faulty-nova"] = {**own, **compute}
        volume = {"block_storage_endpoint_override": f"{before_cinder.url}/v3"}
        clouds["faulty-cinder"] = {**own, **volume}
        clouds["faulty-keystone"] = {**own, **keystone}
        clouds["faulty-all"] = {**own, **image, **compute, **keystone}
        path = site.home / "compute-clouds.yaml"
        path.write_text(yaml.safe_dump({"clouds": clouds}))
        path.chmod(0o600)
        of_box = {field.name: getattr(started_box, field.name) for field in dataclasses.fields(Box)}
        yield ComputeBox(
            **{**of_box, "clouds_file": path},
            **{
                name: open_cloud(entry, site)
                for name, entry in (
                    ("admin", "devcloud"),
                    ("alice", "devcloud-alice"),
                    ("bob", "devcloud-bob"),
                    ("robot", "devcloud-robot"),
                )
            },
            nova_proxy=before_nova,
            keystone_proxy=before_keystone,
            cinder_proxy=before_cinder,
        )


@pytest.fixture
def compute_box(
    started_compute_box: ComputeBox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> ComputeBox:
    """The development cloud with Nova, without images and servers, for a site of its own."""
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(started_compute_box.clouds_file))
    started_compute_box.empty()
    site = started_compute_box.site.model_copy(update={"home": tmp_path})
    return dataclasses.replace(started_compute_box, site=site)


OWN_CHECKS = Path(__file__).parents[2] / "docs/examples"
"""Checks of a site's own, as the documentation shows them"""
BUILD_HOME = Path("/var/tmp/imagecycle-tests")
"""Kept between runs for its install tree, which takes a minute to make; QEMU's user can enter it,
which it could not below a temporary folder of pytest."""


@pytest.fixture(scope="session")
def build_site() -> Site:
    """The site of all real builds; IMAGECYCLE_TEST_HOME names another home for it."""
    site = Site(home=Path(os.environ.get("IMAGECYCLE_TEST_HOME") or BUILD_HOME))
    site.home.mkdir(parents=True, exist_ok=True, mode=0o755)
    # what an earlier run has built would hide that this one cannot
    shutil.rmtree(site.cache / "installations", ignore_errors=True)
    shutil.rmtree(site.artifacts, ignore_errors=True)
    return site


@pytest.fixture(scope="session")
def built_family(build_site: Site) -> tuple[Family, Site, Artifact]:
    """``debian-12-x86_64-base``, installed by Oz in this run.

    For tests that are run one by one: IMAGECYCLE_TEST_IMAGES names a home whose release is copied.
    """
    family = catalog.find(CATALOG, "debian-12-x86_64-base")
    if home := os.environ.get("IMAGECYCLE_TEST_IMAGES"):
        kept = ArtifactStore(Site(home=Path(home)).artifacts).find(family.slug, None)
        folder = build_site.artifacts / family.slug / str(kept.release)
        folder.mkdir(parents=True)
        for name in (kept.disk.name, "build.json", "packages.json"):
            disk.copy_sparse(kept.folder / name, folder / name)
        return family, build_site, ArtifactStore(build_site.artifacts).find(family.slug, None)
    artifact = stage.build(family, build_site)
    assert artifact is not None
    assert artifact in ArtifactStore(build_site.artifacts).releases(family.slug)
    return family, build_site, artifact


@pytest.fixture(scope="session")
def verified_family(
    built_family: tuple[Family, Site, Artifact],
) -> tuple[Family, Site, Artifact]:
    """The same, verified in this run."""
    family, site, _ = built_family
    with_own = site.model_copy(update={"checks": OWN_CHECKS})
    verify.verify(family, with_own, release=None, force=False, keep=False)
    return built_family


@pytest.fixture(scope="session")
def good_images(request: pytest.FixtureRequest) -> dict[str, tuple[Family, Artifact]]:
    """A release of each flavour that checks must find nothing in.

    Built in this run, unless IMAGECYCLE_TEST_IMAGES names the home of a site that has them.
    """
    families = {
        flavour: catalog.find(CATALOG, f"debian-12-x86_64-{flavour}")
        for flavour in ("base", "server")
    }
    if home := os.environ.get("IMAGECYCLE_TEST_IMAGES"):
        store = ArtifactStore(Site(home=Path(home)).artifacts)
        return {name: (one, store.find(one.slug, None)) for name, one in families.items()}
    _, site, _ = request.getfixturevalue("built_family")
    made = {name: stage.build(family, site) for name, family in families.items()}
    return {name: (families[name], one) for name, one in made.items() if one is not None}
