"""What the embedded install tree makes besides Debian 12 for x86_64: the whole way of each."""

from __future__ import annotations

import shutil

import pytest

from imagecycle import catalog
from imagecycle.artifacts import Artifact
from imagecycle.build import stage
from imagecycle.lifecycle import publish
from imagecycle.site import CATALOG, Site
from imagecycle.verify import stage as verify
from integration.conftest import Box

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]

SLUGS = (
    "debian-12-aarch64-server",
    "debian-11-x86_64-server",
    "debian-13-x86_64-server",
    "debian-testing-x86_64-server",
)

INDEX_DAYS = 365
"""Testing's index is good for a week, and a mirror that is tested with may stand still"""


@pytest.mark.parametrize("slug", SLUGS)
def test_a_system_is_built_verified_and_published(slug: str, build_site: Site, box: Box) -> None:
    family = catalog.find(CATALOG, slug)
    site = build_site.model_copy(update={"index_days": INDEX_DAYS})
    built = stage.build(family, site)
    assert built is not None
    verify.verify(family, site, release=None, force=False, keep=False)  # or it raises
    here = Artifact(slug, built.release, box.site.artifacts / slug / str(built.release))
    shutil.copytree(built.folder, here.folder)
    image = publish.publish(family, box.site, cloud="devcloud", release=None, dry_run=False)
    assert image is not None
    seen = box.demo.image(image.id).properties
    assert seen["architecture"] == family.arch
    machine = (seen.get("hw_machine_type"), seen.get("hw_firmware_type"))
    assert machine == (("virt", "uefi") if family.arch == "aarch64" else (None, None))
