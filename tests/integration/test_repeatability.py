"""Two builds of the same inputs differ in what the documentation lists, and in nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from imagecycle import catalog, systems
from imagecycle.artifacts import Artifact
from imagecycle.build import stage
from imagecycle.model import Family
from imagecycle.site import CATALOG, Site
from imagecycle.verify import repeatability

pytestmark = [pytest.mark.integration, pytest.mark.machines]

Built = tuple[Family, Site, Artifact]


@pytest.mark.long
@pytest.mark.parametrize("flavour", ["base", "server"])
def test_a_second_installation_differs_only_in_what_is_listed(
    built_family: Built, tmp_path: Path, flavour: str
) -> None:
    _, site, _ = built_family
    family = catalog.find(CATALOG, f"debian-12-x86_64-{flavour}")
    first = stage.build(family, site)
    shutil.rmtree(site.cache / "installations")
    second = stage.build(family, site, force=True)
    assert first is not None
    assert second is not None
    assert first.folder != second.folder
    records = [artifact.record("build") or {} for artifact in (first, second)]
    assert records[0]["input_digest"] == records[1]["input_digest"]
    assert records[0]["disk"]["sha256"] != records[1]["disk"]["sha256"]
    found = repeatability.compare(first, second, systems.linux(family.distro), tmp_path)
    assert [str(one) for one in found if not one.reason] == []
    assert found, "file systems are made anew in each installation"
