"""The whole way of a family: installed by Oz, verified, published, taken from Glance, booted."""

from __future__ import annotations

import shutil

import pytest

from bench.verify import boot_to_login
from imagecycle.artifacts import Artifact, checksums
from imagecycle.lifecycle import publish
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify.work_folder import work_folder
from integration.conftest import Box

pytestmark = [pytest.mark.integration, pytest.mark.machines]


@pytest.mark.rotating(2, 0)
def test_what_a_user_downloads_is_what_was_built_and_verified_and_boots(
    verified_family: tuple[Family, Site, Artifact], box: Box
) -> None:
    family, build_site, artifact = verified_family
    here = Artifact(
        family.slug,
        artifact.release,
        box.site.artifacts / family.slug / str(artifact.release),
    )
    shutil.copytree(artifact.folder, here.folder)

    image = publish.publish(family, box.site, cloud="devcloud", release=None, dry_run=False)
    assert image is not None
    seen = box.demo.image(image.id)
    assert (seen.visibility, seen.properties["imagecycle_state"]) == ("public", "current")
    assert seen.properties["os_distro"] == family.distro

    here.disk.unlink()
    with here.disk.open("wb") as disk:
        for chunk in box.demo.download(image.id):
            disk.write(chunk)
    built = artifact.record("build")
    assert built is not None
    assert checksums(here.disk)["sha512"] == built["disk"]["sha512"]
    with work_folder(build_site.work, "downloaded", keep=False) as folder:
        boot_to_login(build_site, family, here.disk, folder / "machine")  # or it raises
