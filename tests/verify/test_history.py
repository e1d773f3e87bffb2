import json
from pathlib import Path

import pytest

from families import artifact
from imagecycle import cli
from imagecycle.artifacts import ArtifactStore
from imagecycle.verify import history

VERIFIED = {
    "verdict": "passed",
    "ended_at": "2026-11-22T12:00:00+00:00",
    "checks": [{"outcome": "passed", "name": "Clock: is right"}],
    "machines": [{"pace": 31.5, "memory_mib": 64}],
}
FAILED = {
    **VERIFIED,
    "verdict": "failed",
    "checks": [
        {"outcome": "failed", "name": "Clock: <is> right"},
        {"outcome": "failed", "name": "Keys: new"},
    ],
}


def release(home: Path, name: str, said: object) -> Path:
    made = artifact(home / "artifacts", name)
    (made.folder / "verify.json").write_text(json.dumps(said))
    (made.folder / "verify.html").write_text("<p>")
    return made.folder


def page(home: Path) -> str:
    return history.write(ArtifactStore(home / "artifacts")).read_text()


def test_every_release_is_shown_with_its_verdict_and_a_link(tmp_path: Path) -> None:
    release(tmp_path, "20261122", VERIFIED)
    release(tmp_path, "20270222", FAILED)
    said = page(tmp_path)
    assert 'href="debian-12-x86_64-server/20261122/verify.html"' in said
    assert said.index("20270222") < said.index("20261122")
    assert "Clock: &lt;is&gt; right, and 1 more" in said
    assert "32 s" in said
    assert "<svg" in said


def test_links_lead_to_reports_from_elsewhere(tmp_path: Path) -> None:
    folder = release(tmp_path, "20261122", VERIFIED)
    store = ArtifactStore(tmp_path / "artifacts")
    target = history.write(store, tmp_path / "www" / "images.html")
    assert (folder / "verify.html").resolve().as_uri() in target.read_text()


def test_release_that_was_not_verified_is_shown(tmp_path: Path) -> None:
    folder = release(tmp_path, "20261122", VERIFIED)
    (folder / "verify.json").unlink()
    assert "not verified" in page(tmp_path)


def test_broken_record_hides_no_other(tmp_path: Path) -> None:
    release(tmp_path, "20261122", VERIFIED)
    release(tmp_path, "20270222", [1, 2])
    release(tmp_path, "20270522", {**VERIFIED, "machines": "none"})
    said = page(tmp_path)
    assert said.count("unreadable</span>") == 3  # twice below, and the newest above
    assert "passed</span>" in said


def test_page_of_nothing_says_so(tmp_path: Path) -> None:
    assert "Nothing has been built yet." in page(tmp_path)


def test_command_prints_where_the_page_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    release(tmp_path, "20261122", VERIFIED)
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path))
    assert cli.main(["report"]) == 0
    said = capsys.readouterr().out.strip()
    assert Path(said) == tmp_path / "artifacts" / "index.html"
    assert cli.main(["report", "--out", str(tmp_path / "x.html")]) == 0
    assert (tmp_path / "x.html").exists()
