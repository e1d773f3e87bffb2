"""What operators look at, from a cloud in memory to what the panel reads of it."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from imagecycle.errors import ImagecycleError, Unreachable, UsageError
from imagecycle.jenkins.build import Build, Verdict
from imagecycle.jenkins.status import FamilyStatus, JobStatus, Status
from imagecycle.lifecycle.audit import AuditLog
from imagecycle.lifecycle.cloud_context import audit_path
from imagecycle.operations import audit_history, stage
from imagecycle.site import CATALOG, Site
from imagecycle_dashboard import operations_file as panel
from lifecycle.memory_cloud import Cloud
from lifecycle.random_life import quietly
from lifecycle.test_sharing import FAMILY, NOW, context, put


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """``old`` is superseded for long and used by alpha, ``new`` is current; a copy and a stray."""
    made = Cloud()
    put(made, "old", "20260101", "superseded", hidden=True)
    put(made, "new", "20260401", "current")
    made.boot("alpha", "old")
    made.copy("new", "copy", visibility="private")
    put(made, "stray", "20260101", "current", properties={}, visibility="private")
    with quietly():
        yield made


def gathered(cloud: Cloud, tmp_path: Path, **how: Any) -> dict[str, Any]:
    found, _ = context(cloud)
    site = found.site.model_copy(update={"home": tmp_path, "catalog": CATALOG})
    found = dataclasses.replace(found, site=site)
    return stage.gather_in(found, lambda _projects: {}, **how)


def family(document: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in document["families"] if one["family"] == FAMILY]
    return dict(found)


def test_nothing_is_changed_and_everything_is_told(cloud: Cloud, tmp_path: Path) -> None:
    before = dict(cloud.images)
    document = gathered(cloud, tmp_path)
    assert cloud.images == before
    found = family(document)
    assert [(one["release"], one["state"]) for one in found["releases"]] == [
        ("20260401", "current"),
        ("20260101", "superseded"),
    ]
    assert [one["id"] for one in found["releases"][1]["used_by"]] == ["alpha"]
    assert [step["image_id"] for step in document["plan"]["steps"]] == ["old"]
    assert [one["image_id"] for one in document["copies"]] == ["copy"]
    assert [one["image_id"] for one in document["strays"]] == ["stray"]
    assert document["missing"] == []


def test_families_of_the_catalog_are_there_before_their_first_release(
    cloud: Cloud, tmp_path: Path
) -> None:
    found = {one["family"]: one for one in gathered(cloud, tmp_path)["families"]}
    assert found["debian-12-x86_64-base"]["releases"] == []
    assert found["debian-12-x86_64-base"]["declared"]


def job(name: str, verdict: Verdict) -> JobStatus:
    ended = Build(
        number=7,
        url=f"https://jenkins.example/job/{name}/7/",
        verdict=verdict,
        began_at=NOW,
        seconds=60.0,
        estimate=0.0,
    )
    return JobStatus(name, f"https://jenkins.example/job/{name}/", False, True, None, ended, None)


def test_a_failed_job_is_told_with_its_link(cloud: Cloud, tmp_path: Path) -> None:
    def ask(families: Collection[str]) -> Status:
        assert FAMILY in families
        stages = {"build": job("b", Verdict.SUCCESS), "verify": job("v", Verdict.UNSTABLE)}
        return Status(NOW, NOW, (FamilyStatus(FAMILY, {**stages, "publish": None}),), ())

    document = gathered(cloud, tmp_path, jenkins=ask)
    read = panel.parse(json.loads(json.dumps(document))).family(FAMILY)
    assert read is not None
    assert [(run.stage, run.verdict) for run in read.runs] == [
        ("build", "passed"),
        ("verify", "defects"),
    ]
    assert [run.url for run in read.failed_runs] == ["https://jenkins.example/job/v/7/"]


def test_a_jenkins_that_does_not_answer_is_missing_and_the_rest_is_told(
    cloud: Cloud, tmp_path: Path
) -> None:
    def ask(_families: Collection[str]) -> Status:
        raise Unreachable("it does not answer", hint="start it")

    document = gathered(cloud, tmp_path, jenkins=ask)
    assert document["missing"] == ["Jenkins: it does not answer"]
    assert family(document)["releases"]


def test_an_address_that_is_none_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--reports"):
        stage.write(
            Site(home=tmp_path), cloud="none", out=tmp_path / "out", reports="javascript:alert(1)"
        )


@pytest.mark.parametrize(
    ("out", "error"),
    [
        ("pipe", "is no file"),
        ("notes", "holds something else"),
        ("notes/x", "cannot write"),
        ("x" * 300, "cannot write"),
    ],
)
def test_what_is_in_the_place_of_the_file_is_not_replaced(
    out: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "notes").write_text("precious")
    monkeypatch.setattr(stage, "gather", lambda *_, **__: {"version": 1})
    with pytest.raises(ImagecycleError, match=error):
        stage.write(Site(home=tmp_path), cloud="none", out=tmp_path / out)
    assert (tmp_path / "notes").read_text() == "precious"


def test_the_file_is_replaced_and_a_link_to_it_stays_one(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to("operations.json")
    document = gathered(cloud, tmp_path)
    monkeypatch.setattr(stage, "gather", lambda *_, **__: document)
    for _again in range(2):
        stage.write(Site(home=tmp_path), cloud="none", out=tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "operations.json").stat().st_mode & 0o777 == 0o640


def test_the_panel_reads_all_that_is_written(cloud: Cloud, tmp_path: Path) -> None:
    path = tmp_path / "operations.json"
    path.write_text(json.dumps(gathered(cloud, tmp_path)))
    found = panel.read(path)
    assert found.cloud == "memory"
    assert [step.family for step in found.steps] == [FAMILY]
    assert (found.copies[0].of, found.copies[0].image_id) == (f"{FAMILY} 20260401", "copy")
    assert found.strays[0].image_id == "stray"
    read = found.family(FAMILY)
    assert read is not None
    assert read.title == "Debian 12 Server"
    assert read.current is not None
    assert (read.projects, read.servers, read.older) == (1, 1, [("superseded", 1)])
    assert read.steps == found.steps
    assert panel.read(path) is found, "it is read once"


def changes(path: Path) -> list[tuple[str, str]]:
    found = audit_history.by_image(path, 2).get("image", [])
    return [(one["what"], one["outcome"]) for one in found]


def test_the_last_changes_of_an_image_are_told_with_what_came_of_them(tmp_path: Path) -> None:
    path = audit_path(Site(home=tmp_path), "cloud")
    assert changes(path) == []
    log = AuditLog(path, "retire", "retire --all")
    with log.mutation("first", "image", None), log.mutation("of another", "other", None):
        pass
    with log.mutation("second", "image", None):
        pass
    with pytest.raises(Unreachable), log.mutation("third", "image", None):
        raise Unreachable("gone", hint="wait")
    assert changes(path) == [("third", "failed"), ("second", "done")]
    begun = json.dumps({"change": "x", "event": "begun", "image": "image", "at": "", "what": "4th"})
    with path.open("a") as stream:
        stream.write(f'{begun}\n{{"half a line')
    assert changes(path) == [("4th", "unfinished"), ("third", "failed")]
