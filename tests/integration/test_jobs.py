"""Rendered jobs are run with the real scripts, from the quarter's job to the image in Glance."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from families import FAMILY, artifact
from imagecycle.artifacts import Artifact
from imagecycle.jobs.rendering import render
from imagecycle.model import Family
from imagecycle.site import Site
from integration.conftest import Box, ComputeBox
from joblibrary import library
from joblibrary.runner import Run, Runner

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("build", "verify", "publish")
PASSED_ON = ("PATH", "LIBGUESTFS_BACKEND", "LIBGUESTFS_BACKEND_SETTINGS", "IMAGECYCLE_ACCELERATOR")
Controller = Callable[[Family, Site], Runner]


@pytest.fixture
def controller(box: Box, tmp_path: Path) -> Controller:
    return of(box, tmp_path)


def of(box: Box, tmp_path: Path) -> Controller:
    """Makes a controller that builds one family; its agent is this machine."""

    def make(family: Family, site: Site) -> Runner:
        jobs = library.copy(tmp_path)
        library.with_checkout(jobs, ROOT)
        system = f"{family.distro}-{family.version}"
        library.with_systems(jobs, {system: {family.arch: [family.flavour]}})
        return Runner(
            render(jobs),
            tmp_path / "jenkins",
            credentials={
                "imagecycle-clouds": box.clouds_file,
                "imagecycle-controller": ("robot", "a token"),
            },
            environment={
                "JENKINS_URL": "http://127.0.0.1:9",
                "IMAGECYCLE_HOME": str(site.home),
                **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            },
        )

    return make


def today() -> str:
    return f"{datetime.datetime.now(datetime.UTC):%Y%m%d}"


def published(runs: list[Run], family: str, release: str, box: Box) -> None:
    """See that a family went the whole way, and that its records are where Jenkins looks."""
    assert [run.job for run in runs] == ["linux-quarter", *(f"{family}-{s}" for s in STAGES)]
    for run in runs:
        assert run.result == "SUCCESS", run.console
    for stage, run in zip(STAGES, runs[1:], strict=True):
        assert f"records/{stage}.json" in run.archived
        assert "records/disk.qcow2" not in run.archived
    verify, publish = runs[2:]
    assert verify.parameters["RELEASE"] == publish.parameters["RELEASE"] == release
    assert (verify.tests, verify.reports) == (["records/verify.xml"], ["records/verify.html"])
    (image,) = box.glance.images(imagecycle_family=family)
    assert image.properties["imagecycle_release"] == release
    assert (image.visibility, image.properties["imagecycle_state"]) == ("public", "current")


def begun(box: Box, release: str, **more: str) -> Artifact:
    """A release that was built and verified already, so that these stages find nothing to do."""
    made = artifact(box.site.artifacts, release)
    (made.folder / "verify.html").write_text("<html/>")
    (made.folder / "verify.xml").write_text("<testsuite><testcase name='x'/></testsuite>")
    for name, text in more.items():
        (made.folder / f"{name}.json").write_text(text)
    return made


def test_a_family_that_is_begun_is_taken_to_its_publication_once(
    box: Box, controller: Controller
) -> None:
    release = today()
    begun(box, release)
    runner = controller(FAMILY, box.site)
    published(runner.start("linux-quarter", CLOUD="devcloud"), FAMILY.slug, release, box)
    again = runner.start("linux-quarter", CLOUD="devcloud")
    assert [run.job for run in again] == ["linux-quarter"]
    assert f"{release} is published" in again[0].console


def test_the_job_of_the_operators_panel_writes_its_file(
    compute_box: ComputeBox, tmp_path: Path
) -> None:
    begun(compute_box, today())
    runner = of(compute_box, tmp_path)(FAMILY, compute_box.site)
    runner.start("linux-quarter", CLOUD="devcloud")
    out = compute_box.site.home / "panel" / "devcloud.json"
    (run,) = runner.start("devcloud-operations", OUT=str(out))
    assert run.result == "SUCCESS", run.console
    told = json.loads(out.read_text())
    (of_family,) = [one for one in told["families"] if one["family"] == FAMILY.slug]
    assert [one["release"] for one in of_family["releases"]] == [today()]
    assert any("Jenkins" in what for what in told["missing"]), "this one does not answer"


def test_a_release_with_defects_is_not_started_again(box: Box, controller: Controller) -> None:
    begun(box, today(), verify='{"verdict": "failed"}')
    runs = controller(FAMILY, box.site).start("linux-quarter", CLOUD="devcloud")
    assert [run.job for run in runs] == ["linux-quarter"]
    assert "has defects: mend it and build it" in runs[0].console


def test_a_cloud_that_does_not_answer_starts_nothing(box: Box, controller: Controller) -> None:
    begun(box, today())
    runs = controller(FAMILY, box.site).start("linux-quarter", CLOUD="silent")
    assert [(run.job, run.result) for run in runs] == [("linux-quarter", "FAILURE")]
    assert runs[0].mails == ["imagecycle@localhost"]


@pytest.mark.machines
@pytest.mark.rotating(2, 1)
def test_a_family_is_taken_from_the_quarter_to_its_publication(
    built_family: tuple[Family, Site, Artifact], box: Box, controller: Controller
) -> None:
    """With virtual machines: the family is built once for all tests, and verified here."""
    family, site, made = built_family
    runs = controller(family, site).start("linux-quarter", CLOUD="devcloud")
    published(runs, family.slug, str(made.release), box)
