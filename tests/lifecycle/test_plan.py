"""Plans in files, and the log of what became of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.lifecycle import plan as planning
from imagecycle.lifecycle.audit import AuditLog
from imagecycle.lifecycle.plan import Changed, Plan
from imagecycle.lifecycle.policies import Policies
from imagecycle.lifecycle.releases import Holding
from imagecycle.lifecycle.rules import retire
from imagecycle.lifecycle.rules.retire import RetireOptions
from imagecycle.site_sections import Retirement
from lifecycle.test_rules import CURRENT, FAMILY, NOW, ago, held

OLD = held("20260201", "superseded", users="ab", superseded_at=ago(200))
RETIRED = held("20260101", "retired", users="a", members="b", known=False)


def made(*releases: Holding) -> Plan:
    found = {FAMILY: list(releases)}
    policy = Policies(Retirement.model_validate({"keep": 0}))
    decision = retire.decide(found, policy, now=NOW, options=RetireOptions())
    return planning.make(
        decision,
        found,
        cloud="devcloud",
        project="owner",
        command="retire",
        why="retire by the policy",
        now=NOW,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    planning.write(made(RETIRED, OLD, CURRENT), path)
    return path


def test_a_plan_that_was_written_is_read_again_with_every_field(file: Path) -> None:
    plan = made(RETIRED, OLD, CURRENT)
    assert planning.read(file) == plan
    assert planning.read(file).as_document() == plan.as_document()
    assert len(plan.steps) == 3


@pytest.mark.parametrize(
    ("find", "put"),
    [("shared", "public"), ('"a"', '"c"'), ("devcloud", "other"), ("20260201", "x")],
)
def test_an_edited_plan_is_refused(file: Path, find: str, put: str) -> None:
    text = file.read_text()
    assert find in text
    file.write_text(text.replace(find, put, 1))
    with pytest.raises(UsageError, match="somebody edited it"):
        planning.read(file)


@pytest.mark.parametrize("text", ["", "{}", "[]", "no", '{"format": "imagecycle plan"}', "\x00"])
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"is not a plan|another version") as caught:
        planning.read(path)
    assert "--out FILE" in caught.value.hint


def test_a_plan_that_is_not_there_is_a_mistake_of_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        planning.read(tmp_path / "plan.json")


def test_an_unchanged_cloud_is_recognised() -> None:
    releases = [RETIRED, OLD, CURRENT]
    planning.compare(made(*releases), {FAMILY: releases})


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ([RETIRED, OLD], "20261101.* is gone"),
        ([RETIRED, OLD, CURRENT, held("20261102", "candidate")], "20261102.* is new"),
        ([RETIRED, held("20260201", "current", users="ab", superseded_at=ago(200)), CURRENT],
         "was superseded, public and is current, public"),
        ([RETIRED, held("20260201", "superseded", users="abc", superseded_at=ago(200)), CURRENT],
         "the users of .*20260201"),
        ([held("20260101", "retired", users="a", members="bc", known=False), OLD, CURRENT],
         "the members of .*20260101"),
    ],
)  # fmt: skip
def test_a_cloud_that_has_changed_is_told_with_the_difference(
    now: list[Holding], words: str
) -> None:
    with pytest.raises(Changed, match=words):
        planning.compare(made(RETIRED, OLD, CURRENT), {FAMILY: now})


def test_use_of_an_image_that_the_plan_does_not_weigh_is_no_matter() -> None:
    busier = held("20261101", "current", users="abcdef")
    planning.compare(made(RETIRED, OLD, CURRENT), {FAMILY: [RETIRED, OLD, busier]})


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


def test_the_audit_log_frames_a_change_with_who_when_why_before_and_after(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "devcloud.jsonl"
    log = AuditLog(path, "retire", "retire --all", {"cloud_user": "admin"}, "d1", lambda: NOW)
    with log.mutation("image i: becomes retired", "i", {"visibility": "public"}) as outcome:
        assert [line["event"] for line in lines(path)] == ["begun"]
        outcome.after = {"visibility": "shared"}
        outcome.facts["window_seconds"] = 0.25
    begun, done = lines(path)
    assert begun["before"] == {"visibility": "public"}
    assert done["after"] == {"visibility": "shared"}
    assert done["window_seconds"] == 0.25
    for line in (begun, done):
        assert line["at"] == "2026-11-22T12:00:00.000+00:00"
        assert line["why"] == "retire --all"
        assert line["plan"] == "d1"
        assert line["who"]["cloud_user"] == "admin"  # type: ignore[index]
        assert line["change"] == begun["change"]


def test_a_change_that_failed_says_so(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log.jsonl", "retire", "why")
    with pytest.raises(ImagecycleError), log.mutation("what", "i", None):
        raise ImagecycleError("409")
    assert [line["event"] for line in lines(log.path)] == ["begun", "failed"]
    assert lines(log.path)[1]["error"] == "409"


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log.jsonl", "retire", "why")
    log.path.write_text('"cut sho')
    with log.mutation("what", "i", None):
        pass
    assert [line["event"] for line in lines(log.path)] == ["begun", "done"]
