"""``scripts/bench``: what it says and returns, whatever the subjects measure."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import __main__ as bench
from bench.table import Row
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site


def measurable(_site: Site, _scratch: Path) -> list[Row]:
    return [Row("a stage", 2.0, "s", 4.0, 0.5, "at most 1.00", "how it was taken")]


def unmeasurable(_site: Site, _scratch: Path) -> list[Row]:
    raise ImagecycleError("there is no release yet", hint="build one")


@pytest.fixture(autouse=True)
def _subjects(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path))
    monkeypatch.delenv("IMAGECYCLE_SITE", raising=False)
    monkeypatch.setattr(bench, "_accelerator", lambda _site: "none")
    modules = {
        "bench.build": SimpleNamespace(rows=measurable),
        "bench.verify": SimpleNamespace(rows=unmeasurable),
        "bench.publish": SimpleNamespace(rows=measurable),
    }
    monkeypatch.setattr(importlib, "import_module", modules.__getitem__)


def test_what_was_measured_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["build"]) == 0
    printed = capsys.readouterr().out
    assert "a stage" in printed
    assert "0.50" in printed
    assert "how it was taken" in printed


def test_a_subject_that_cannot_be_measured_takes_nothing_from_the_others(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert bench.main(["build", "verify", "publish"]) == 1
    printed = capsys.readouterr()
    assert printed.out.count("a stage") == 2
    assert "error: verify: there is no release yet\nhint: build one" in printed.err
    assert printed.err.endswith("not measured: verify\n")
    assert list((tmp_path / "work").iterdir()) == []


def test_an_unknown_subject_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["bulid"]) == 2
    assert "the subjects are build, verify" in capsys.readouterr().err


def test_help_names_the_subjects(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--help"]) == 0
    assert "build, verify" in capsys.readouterr().out
