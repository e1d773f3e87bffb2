"""The whole way of a Windows image on machines: installed from its medium by Oz, customised over
WinRM, sealed, verified with two clones, published, retired.

Setup and Windows are the stand-in's, see ``tests/standin/windows``; all else is real.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagecycle.artifacts import Artifact, write_json
from imagecycle.build import stage as build
from imagecycle.cloud.image import Image
from imagecycle.lifecycle import publish, transitions
from imagecycle.lifecycle.rules.retire import RetireOptions
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.site_sections import Retirement
from imagecycle.verify import cases
from imagecycle.verify import stage as verify
from integration import servers
from integration.conftest import ComputeBox
from integration.windows_site import DISK, MACHINES, SECURE, Operator, prepared

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]

HOME = Path("/var/tmp/imagecycle-windows")
"""QEMU's user can enter it, which it could not below a temporary folder of pytest"""
OLD, NEW = "20260828", "20261128"
FLAVOR = {"id": "windows", "name": "windows", "vcpus": 2, "ram": 4096, "disk": DISK}
AT_ONCE = Retirement.model_validate({"keep": 0, "after_days": 0, "grace_days": 0})


@pytest.fixture(scope="module", params=MACHINES)
def operator(request: pytest.FixtureRequest) -> Iterator[Operator]:
    shutil.rmtree(HOME, ignore_errors=True)
    yield prepared(HOME, **MACHINES[request.param])
    shutil.rmtree(HOME)


@pytest.fixture(scope="module")
def built(operator: Operator) -> Artifact:
    """A release that was built and verified in this run."""
    artifact = build.build(operator.family, operator.site)
    assert artifact is not None
    matrix = matrix_of(operator.family)
    verify.verify(
        operator.family, operator.site, release=None, force=False, keep=False, matrix=matrix
    )
    return artifact


def matrix_of(family: Family) -> str:
    """The plain machine with UEFI is led through all its lives, which takes minutes."""
    plain = family.firmware == ("uefi",) and "hw_tpm_version" not in family.properties
    return cases.FULL if plain else cases.CHEAPEST


def test_a_medium_becomes_a_release_whose_clones_pass_every_check(built: Artifact) -> None:
    made, verified = built.record("build"), built.record("verify")
    assert made is not None and verified is not None
    assert made["patchlevel"] in ("20348.2700", "26100.2700")
    restarts = {one["name"]: one["restarts"] for one in made["steps"] if one["restarts"]}
    assert restarts == {"software: cloudbase-init": 1}
    outcomes = {one["id"]: one["outcome"] for one in verified["checks"]}
    assert set(outcomes.values()) == {"passed"} and len(outcomes) > 70
    lives = {name for name in outcomes if name.startswith("lives.lets_the_user_in_again")}
    assert len(lives) == (5 if verified["matrix"] == cases.FULL else 0)


def test_it_is_published_and_retired_as_any_other(
    operator: Operator, built: Artifact, compute_box: ComputeBox
) -> None:
    box, family = compute_box, operator.family
    site = box.site.model_copy(update={"retirement": AT_ONCE, "windows": operator.site.windows})
    used = family.firmware == ("bios",)  # the fake hypervisors have no UEFI, Secure Boot and TPM
    for name in (OLD, NEW):
        release_of(built, site, name)
        image = publish.publish(family, site, cloud="devcloud", release=name, dry_run=False)
        assert image is not None
        if name == OLD and used:
            servers.request(box.admin, "POST", "/flavors", flavor=FLAVOR)
            server = servers.boot(box.alice, image.id, flavor=FLAVOR["id"])
    seen = published(box, family.slug)
    said = seen[NEW].properties
    assert (said["os_type"], said["imagecycle_license_channel"]) == ("windows", "kms")
    assert said["hw_firmware_type"] == family.firmware[0]
    assert {name: said.get(name) for name in SECURE} == {
        name: family.properties.get(name) for name in SECURE
    }
    retire(site, family.slug)
    retired = box.glance.image(seen[OLD].id)
    assert retired.properties["imagecycle_state"] == "retired"
    if used:
        assert box.glance.members(retired.id) == {box.alice.project_id: "pending"}
        servers.rebuild(box.alice, server, retired.id)
    else:
        retire(site, family.slug)
    assert set(published(box, family.slug)) == ({OLD, NEW} if used else {NEW})


def published(box: ComputeBox, slug: str) -> dict[str, Image]:
    """The family's images by their releases."""
    found = box.glance.images(imagecycle_family=slug)
    return {one.properties["imagecycle_release"]: one for one in found}


def retire(site: Site, slug: str) -> None:
    now = RetireOptions(now=True)
    done = transitions.retire_releases([slug], site, cloud="devcloud", options=now)
    assert done.result is not None


def release_of(built: Artifact, site: Site, name: str) -> None:
    """The same disk as a release of another day."""
    folder = site.artifacts / built.family / name
    shutil.copytree(built.folder, folder, symlinks=True)
    for path in (folder / "build.json", folder / "verify.json"):
        write_json(path, {**json.loads(path.read_text()), "release": name})
