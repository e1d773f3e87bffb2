"""``imagecycle jenkins`` as a user meets it."""

import json
from pathlib import Path

import pytest

from imagecycle.cli import main
from imagecycle.jobs import plugins as needing
from standin.controller import StandIn

JOBS = """
- job: {name: debian-12-x86_64-base-build, description: builds}
- job: {name: extra, description: more}
- view: {name: all builds, view-type: list, regex: .*}
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "jobs.yaml").write_text(JOBS)
    return tmp_path / "jobs"


@pytest.fixture(autouse=True)
def _environment(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("IMAGECYCLE_SITE", raising=False)
    monkeypatch.setenv("JENKINS_URL", stand_in.url)
    monkeypatch.setenv("JENKINS_USER", stand_in.user)
    monkeypatch.setenv("JENKINS_TOKEN", stand_in.token)


def test_sync_says_what_it_would_do_and_did(
    stand_in: StandIn, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["jenkins", "sync", "--jobs", str(library)]
    assert main([*words, "--dry-run"]) == 0
    assert capsys.readouterr().out == (
        "would create job debian-12-x86_64-base-build\n"
        "would create job extra\n"
        "would create view all builds\n"
        "3 to create, 0 unchanged\n"
    )
    assert main(words) == 0
    assert capsys.readouterr().out == "3 created, 0 unchanged\n"
    assert main(words) == 0
    assert capsys.readouterr().out == "3 unchanged\n"
    (library / "jobs.yaml").write_text(JOBS.replace("- job: {name: extra, description: more}", ""))
    assert main(words) == 0
    assert capsys.readouterr().out == "1 deleted, 2 unchanged\n"


def test_a_refusal_is_named_with_the_way_out(
    stand_in: StandIn, library: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in.add("extra")
    assert main(["jenkins", "sync", "--jobs", str(library)]) == 1
    said = capfd.readouterr().err
    assert "error: not made by this library: job extra" in said
    assert "hint: rename or delete them in Jenkins, or replace them with --take-over" in said


def test_run_refuses_a_family_that_the_catalog_lacks(
    stand_in: StandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["jenkins", "run", "debian-12-x86_64-bsae"]) == 2
    assert "did you mean base?" in capfd.readouterr().err
    assert stand_in.requests == []


def test_run_starts_a_family(stand_in: StandIn, library: Path) -> None:
    main(["jenkins", "sync", "--jobs", str(library)])
    assert main(["jenkins", "run", "debian-12-x86_64-base", "--release", "20261122"]) == 0
    (build,) = stand_in.jobs()["debian-12-x86_64-base-build"].builds
    assert build.parameters == {"RELEASE": "20261122"}


def test_run_waits_no_longer_than_its_limit(
    stand_in: StandIn, library: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    main(["jenkins", "sync", "--jobs", str(library)])
    words = ["jenkins", "run", "debian-12-x86_64-base", "--wait", "--limit"]
    assert main([*words, "0.00001"]) == 1
    assert "1 job has not ended after 0 s: debian-12-x86_64-base-build, " in capfd.readouterr().err
    assert main([*words, "0"]) == 2


def test_status_shows_the_families_of_the_catalog(
    stand_in: StandIn, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["jenkins", "sync", "--jobs", str(library)])
    capsys.readouterr()
    assert main(["jenkins", "status"]) == 0
    out = capsys.readouterr().out
    assert "debian-12-x86_64-base" in out
    assert "no jobs" in out  # of debian-12-x86_64-server
    assert "extra" in out
    assert main(["jenkins", "status", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["families"]
    assert {"debian-12-x86_64-base": "due"}.items() <= {
        row["family"]: row["stands"] for row in rows
    }.items()


def test_plugins_exits_with_1_unless_all_fit(
    stand_in: StandIn, library: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["jenkins", "plugins", "--jobs", str(library)]
    assert main(words) == 1
    said = capfd.readouterr()
    assert "missing" in said.out
    assert "plugins.txt" in said.err
    stand_in.plugins = [
        {"shortName": name, "version": version, "enabled": True, "active": True}
        for name, version in needing.read().items()
    ]
    assert main(words) == 0


@pytest.mark.parametrize(
    "words", [["sync", "--dry-run"], ["status"], ["plugins"], ["run", "debian-12-x86_64-base"]]
)
def test_no_command_shows_a_token_that_is_refused(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JENKINS_TOKEN", "wr0ng-t0ken")
    assert main(["jenkins", *words]) == 1
    shown = "".join(capfd.readouterr())
    assert "401" in shown
    assert "check JENKINS_USER and JENKINS_TOKEN" in shown
    assert "wr0ng" not in shown


def test_without_a_controller_the_way_to_name_one_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("JENKINS_URL")
    assert main(["jenkins", "status"]) == 2
    assert "set JENKINS_URL, JENKINS_USER and JENKINS_TOKEN" in capfd.readouterr().err
