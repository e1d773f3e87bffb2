import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.verify import verdict
from imagecycle.verify.verdict import CheckResult

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="0" failures="1" skipped="2" tests="5" time="9.9">
<testcase classname="imagecycle.verify.checks.test_clock" name="test_is_in_utc" time="0.25">
  <properties><property name="suffers" value="Logs do not agree." /></properties></testcase>
<testcase classname="imagecycle.verify.checks.test_host_keys" name="test_are_new" time="0.5">
  <failure message="AssertionError: assert there should be none:&#10;    /etc/ssh/key"
  >code</failure>
</testcase>
<testcase classname="x.test_boot" name="test_up[twin]" time="1">
  <failure message="AssertionError: no login&#10;assert False&#10; +  where">code</failure>
</testcase>
<testcase classname="x.test_clock" name="test_is_right" time="0">
  <skipped message="left out by the catalog" /></testcase>
<testcase classname="x.test_machine_id" name="test_differs" time="0">
  <skipped message="not run: the twin did not come up" /></testcase>
</testsuite></testsuites>
"""


@pytest.fixture
def results(tmp_path: Path) -> dict[str, CheckResult]:
    (tmp_path / "checks.xml").write_text(JUNIT)
    return {result.id: result for result in verdict.read(tmp_path / "checks.xml")}


def result(outcome: str) -> CheckResult:
    return CheckResult("clock.is_right", "Clock: is right", "", outcome, 0.1, "")


def test_passed_check_says_what_it_guards_against(results: dict[str, CheckResult]) -> None:
    check = results["clock.is_in_utc"]
    assert check.outcome == "passed"
    assert check.name == "Clock: is in utc"
    assert check.suffers == "Logs do not agree."
    assert check.seconds == 0.25


def test_failed_check_says_what_was_found(results: dict[str, CheckResult]) -> None:
    check = results["host_keys.are_new"]
    assert check.outcome == "failed"
    assert check.message == "there should be none:\n    /etc/ssh/key"
    assert check.detail == "code"


def test_own_words_of_a_check_are_not_followed_by_code(results: dict[str, CheckResult]) -> None:
    assert results["boot.up[twin]"].message == "no login"


def test_left_out_and_not_run_are_told_apart(results: dict[str, CheckResult]) -> None:
    assert results["clock.is_right"].outcome == "left out"
    assert results["machine_id.differs"].outcome == "not run"


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["passed"], "passed"),
        (["passed", "left out"], "passed"),
        (["passed", "failed"], "failed"),
        (["passed", "not run"], "failed"),
        (["left out"], "failed"),
        ([], "failed"),
    ],
)
def test_verdict_is_passed_only_when_checks_ran_and_passed(
    outcomes: list[str], expected: str
) -> None:
    assert verdict.verdict([result(outcome) for outcome in outcomes]) == expected


def test_missing_results_are_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(ImagecycleError):
        verdict.read(tmp_path / "checks.xml")


def test_error_of_a_passed_check_counts(tmp_path: Path) -> None:
    case = '<testcase classname="x.test_a" name="test_b" time="0">'
    both = f'<testsuite>{case}</testcase>{case}<error message="gone"/></testcase></testsuite>'
    (tmp_path / "checks.xml").write_text(both)
    (check,) = verdict.read(tmp_path / "checks.xml")
    assert check.outcome == "failed"


def test_jenkins_sees_family_subject_and_check(
    results: dict[str, CheckResult], tmp_path: Path
) -> None:
    verdict.write(tmp_path / "verify.xml", list(results.values()), "debian-12", "20261122")
    suite = ElementTree.parse(tmp_path / "verify.xml").getroot()
    assert suite.get("tests") == "5"
    assert suite.get("failures") == "2"
    assert suite.get("errors") == "1"
    assert suite.get("skipped") == "1"
    names = {(case.get("classname"), case.get("name")) for case in suite}
    assert ("debian-12.host_keys", "are_new") in names


def test_names_of_checks_are_those_of_their_files_and_functions() -> None:
    assert verdict.check_name("checks/test_boot.py::test_lets_in[twin]") == "boot.lets_in"
