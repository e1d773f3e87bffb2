"""The matrix of Windows as it comes along."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from imagecycle import catalog, site
from imagecycle.jobs import matrix, rendering
from imagecycle.site import JOBS


@pytest.fixture(scope="module")
def jobs() -> dict[str, ElementTree.Element]:
    rendered = rendering.render_all(Path(JOBS)).jobs
    return {
        name: ElementTree.fromstring(xml) for name, xml in rendered.items() if "windows" in name
    }


def test_the_matrix_has_every_family_of_windows_that_the_catalog_has() -> None:
    cells = {cell.family for cell in matrix.find(Path(JOBS), "windows").cells}
    families = {f.slug for f in catalog.load(site.CATALOG) if f.os_type == "windows"}
    assert cells == families


def test_every_family_has_a_job_for_each_stage(jobs: dict[str, ElementTree.Element]) -> None:
    families = {cell.family for cell in matrix.find(Path(JOBS), "windows").cells}
    wanted = {
        f"{family}-{stage}" for family in families for stage in ("build", "verify", "publish")
    }
    assert jobs.keys() == wanted | {"windows-quarter"}


def test_they_run_on_agents_of_their_own_and_may_take_longer(
    jobs: dict[str, ElementTree.Element],
) -> None:
    build, verify = (jobs[f"windows-2022-x86_64-server-{stage}"] for stage in ("build", "verify"))
    assert build.findtext("assignedNode") == "imagecycle && windows && x86_64 && kvm"
    assert build.findtext(".//timeoutMinutes") == "480"
    assert verify.findtext(".//timeoutMinutes") == "120"
    assert jobs["windows-quarter"].findtext("assignedNode") == "imagecycle && windows"
