"""What scanners write, in small."""

from pathlib import Path
from typing import Any

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.model import AcceptedRule, SecurityProfile
from imagecycle.verify import comparison, report, security_results
from imagecycle.verify.security_results import ProfileResult, Rule

HEAD = '<?xml version="1.0"?>\n'
PREFIX = "xccdf_org.example"


def written(
    folder: Path,
    results: str,
    *,
    score: str = "50.000000",
    maximum: str = "100.0",
    head: str = HEAD,
) -> Path:
    file = folder / "results.xml"
    file.write_text(
        f'{head}<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="b">'
        f'<Profile id="{PREFIX}_profile_p"><title>The <em>P</em></title></Profile>'
        f'<Group id="g"><Rule id="{PREFIX}_rule_a"><title>Rule A</title></Rule></Group>'
        f'<TestResult id="t" version="1.2">{results}'
        f'<score system="urn:xccdf:scoring:flat" maximum="7">1</score>'
        f'<score system="urn:xccdf:scoring:default" maximum="{maximum}">{score}</score>'
        "</TestResult></Benchmark>"
    )
    return file


def result(name: str, word: str, severity: str = "medium") -> str:
    return (
        f'<rule-result idref="{PREFIX}_rule_{name}" severity="{severity}">'
        f"<result>{word}</result></rule-result>"
    )


def read(
    folder: Path, results: str, asked: dict[str, Any] | None = None, **how: str
) -> ProfileResult:
    profile = SecurityProfile("guide.xml", "p", **(asked or {}))
    return security_results.read(written(folder, results, **how), profile, ["p", "q"], "system 1")


def test_every_word_of_xccdf_has_its_meaning(tmp_path: Path) -> None:
    words = ("pass", "fixed", "fail", "error", "unknown", "notchecked", "notapplicable")
    words = (*words, "informational", "notselected")
    found = read(tmp_path, "".join(result(word, word) for word in words))
    assert set(found.passed) == {"pass", "fixed"}
    assert {rule.name for rule in found.unmet} == {"fail", "error", "unknown"}
    assert [rule.name for rule in found.for_a_person] == ["notchecked"]
    assert found.not_applicable == 2


def test_what_the_scanner_could_not_judge_is_a_defect_of_any_severity(tmp_path: Path) -> None:
    results = result("a", "error", "low") + result("b", "fail", "low") + result("c", "fail", "high")
    found = read(tmp_path, results, {"severity": "medium"})
    assert [str(rule) for rule in found.defects] == [
        "c [high]: ",
        "a [low]: Rule A (the scanner could not judge it)",
    ]
    assert [rule.name for rule in found.tolerated] == ["b"]


@pytest.mark.parametrize(
    ("severity", "defects"), [("any", 4), ("low", 3), ("medium", 2), ("high", 1)]
)
def test_the_severity_says_which_rules_count(tmp_path: Path, severity: str, defects: int) -> None:
    kinds = ("unknown", "low", "medium", "high")
    results = "".join(result(kind, "fail", kind) for kind in kinds)
    assert len(read(tmp_path, results, {"severity": severity}).defects) == defects


def test_the_worst_of_several_results_of_a_rule_counts(tmp_path: Path) -> None:
    results = result("a", "pass") + result("a", "fail") + result("a", "notapplicable")
    found = read(tmp_path, results)
    assert ([rule.name for rule in found.unmet], found.passed) == (["a"], ())


def test_a_score_is_of_its_maximum(tmp_path: Path) -> None:
    assert read(tmp_path, result("a", "pass"), score="1.5", maximum="2").score == 75.0


def test_names_may_be_written_in_full(tmp_path: Path) -> None:
    accepted = (AcceptedRule(f"{PREFIX}_rule_a", "so"),)
    assert read(tmp_path, result("a", "fail"), {"accepted": accepted}).defects == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "cannot be read"),
        ("<Benchmark/>", "there is no TestResult in it"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "it has a document type"),
        ("<Benchmark", "cannot be read"),
    ],
)
def test_results_that_are_none_are_refused(tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "results.xml"
    file.write_text(content)
    with pytest.raises(ImagecycleError, match=why):
        security_results.read(file, SecurityProfile("g", "p"), [], "system 1")


def test_missing_results_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImagecycleError, match="cannot be read"):
        security_results.read(tmp_path / "none", SecurityProfile("g", "p"), [], "system 1")


FOUND = ProfileResult(
    guide="guide.xml",
    guide_version="1.2",
    profile="p",
    title="<i>P</i>",
    score=62.5,
    least_score=60.0,
    severity="medium",
    rules=(
        Rule("a", "Rule <b>A</b>", "high", "fail"),
        Rule("b", "Rule B", "high", "fail", "it is <u>so</u>"),
        Rule("c", "Rule C", "low", "fail"),
        Rule("d", "Rule D", "low", "notchecked"),
    ),
    passed=("e",),
    not_applicable=3,
    needless=("f",),
)
RECORD = {
    "family": "debian-12-x86_64-hardened",
    "release": "20261128",
    "verdict": "passed",
    "started_at": "2026-11-28T12:00:00+00:00",
    "durations": {"total": 60.0},
    "checks": [],
}


def page(record: dict[str, Any]) -> str:
    return report.render(record=record, title="x", results=[], machines=[], spans=[], facts={})


def test_the_report_shows_score_and_rules_and_escapes_them() -> None:
    shown = page({**RECORD, "security_profile": FOUND.as_record()})
    assert "score <strong>62.5</strong> of 100, asked for 60" in shown
    assert "Rule &lt;b&gt;A&lt;/b&gt;" in shown
    assert "it is &lt;u&gt;so&lt;/u&gt;" in shown
    assert "&lt;i&gt;P&lt;/i&gt;" in shown
    assert "Accepted, and met all the same: f." in shown
    for words in ("Rules that are not met (1)", "Not met and accepted (1)", "For a person"):
        assert words in shown


def test_the_report_says_nothing_where_no_profile_was_asked_for() -> None:
    assert "Security profile" not in page(RECORD)


def test_rules_are_compared_with_the_previous_release() -> None:
    before = ProfileResult.of_record(
        {**FOUND.as_record(), "rules": [], "passed": ["a", "b", "c"], "score": 90.0}
    )
    changed = comparison.of_rules(
        {"security_profile": before.as_record()}, {"security_profile": FOUND.as_record()}
    )
    assert changed["newly_unmet"] == [
        "a [high]: Rule <b>A</b>",
        "b [high]: Rule B",
        "c [low]: Rule C",
    ]
    back = comparison.of_rules(
        {"security_profile": FOUND.as_record()}, {"security_profile": before.as_record()}
    )
    assert back == {"newly_unmet": [], "newly_met": ["a", "b", "c"]}


def test_releases_of_different_profiles_are_not_compared() -> None:
    other = {**FOUND.as_record(), "profile": "q"}
    records = {"security_profile": other}, {"security_profile": FOUND.as_record()}
    assert comparison.of_rules(*records) == {}
    assert comparison.of_rules({}, records[1]) == {}
