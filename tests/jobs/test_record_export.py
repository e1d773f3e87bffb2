from pathlib import Path

import pytest

from families import FAMILY, artifact
from imagecycle.errors import DefectsFound, UsageError
from imagecycle.jobs import record_export
from imagecycle.site import Site


def test_records_are_handed_over_and_the_disk_is_not(tmp_path: Path) -> None:
    made = artifact(tmp_path / "artifacts", "20261122")
    (made.folder / "verify.xml").touch()
    (made.folder / "verify.html").touch()
    with record_export.export_to(tmp_path / "records", Site(home=tmp_path), FAMILY.slug) as work:
        work.artifact = made
    names = {path.name for path in (tmp_path / "records").iterdir()}
    assert names == {
        ".records",
        "build.json",
        "release.properties",
        "verify.html",
        "verify.json",
        "verify.xml",
    }
    text = (tmp_path / "records" / "release.properties").read_text()
    assert text == f"FAMILY={FAMILY.slug}\nRELEASE=20261122\n"


def test_records_of_a_release_with_defects_are_handed_over_too(tmp_path: Path) -> None:
    made = artifact(tmp_path / "artifacts", "20261122")
    with (
        pytest.raises(DefectsFound),
        record_export.export_to(tmp_path / "records", Site(home=tmp_path), FAMILY.slug) as work,
    ):
        work.artifact = made
        raise DefectsFound("it has defects")
    assert (tmp_path / "records" / "verify.json").exists()


def test_a_failed_build_hands_over_its_evidence_and_no_older_release(tmp_path: Path) -> None:
    artifact(tmp_path / "artifacts", "20260822")
    with (
        pytest.raises(DefectsFound),
        record_export.export_to(tmp_path / "records", Site(home=tmp_path), FAMILY.slug),
    ):
        evidence = tmp_path / "failures" / FAMILY.slug / "20261122" / "console.log"
        evidence.parent.mkdir(parents=True)
        evidence.write_text("panic")
        raise DefectsFound("it broke")
    found = tmp_path / "records"
    assert (found / "failure" / "console.log").read_text() == "panic"
    assert not (found / record_export.PROPERTIES).exists()
    assert not (found / "build.json").exists()


def test_what_an_earlier_run_left_is_gone(tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    with record_export.export_to(tmp_path / "records", site, FAMILY.slug) as work:
        work.artifact = artifact(tmp_path / "artifacts", "20261122")
    with record_export.export_to(tmp_path / "records", site, FAMILY.slug):
        pass
    assert [path.name for path in (tmp_path / "records").iterdir()] == [".records"]


def test_a_folder_of_somebody_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with (
        pytest.raises(UsageError, match="is not empty, and not of an earlier run"),
        record_export.export_to(tmp_path, Site(home=tmp_path), FAMILY.slug),
    ):
        pass
    assert (tmp_path / "mine").exists()


def test_without_a_folder_nothing_is_done(tmp_path: Path) -> None:
    with record_export.export_to(None, Site(home=tmp_path), FAMILY.slug):
        pass
    assert list(tmp_path.iterdir()) == []
