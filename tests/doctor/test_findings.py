import dataclasses
import json
import threading

import pytest

from imagecycle import doctor
from imagecycle.doctor.finding import Check, Finding, Verdict, failed, ok, warning
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site


def gives(finding: Finding) -> Check:
    return lambda site, fresh: finding


def raises(error: Exception) -> Check:
    def check(site: Site, fresh: bool) -> Finding:
        raise error

    return check


GOOD = {"good": gives(ok("seen [x]"))}
WARNED = {"hindered": gives(warning("slow", "be patient"))}
BAD = {"bad": gives(failed("gone", "bring it back"))}


def run(
    capsys: pytest.CaptureFixture[str],
    checks: dict[str, Check],
    *,
    as_json: bool = False,
) -> tuple[int, str]:
    code = doctor.main(Site(), as_json=as_json, fresh=False, checks=checks)
    return code, capsys.readouterr().out


def test_a_finding_shows_what_was_seen_and_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, {**GOOD, **WARNED, **BAD})
    assert out.splitlines()[:5] == [
        "ok       good      seen [x]",
        "warning  hindered  slow",
        "                   -> be patient",
        "failed   bad       gone",
        "                   -> bring it back",
    ]
    assert "3 checks in " in out
    assert ": 1 failed, 1 warning\n" in out


@pytest.mark.parametrize(
    ("checks", "code"), [(GOOD, 0), ({**GOOD, **WARNED}, 0), ({**GOOD, **BAD}, 1)]
)
def test_only_what_building_needs_makes_it_fail(
    capsys: pytest.CaptureFixture[str],
    checks: dict[str, Check],
    code: int,
) -> None:
    assert run(capsys, checks)[0] == code


def test_programs_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, {**GOOD, **BAD}, as_json=True)
    assert code == 1
    assert json.loads(out) == {
        "ok": False,
        "findings": [
            {"name": "good", "verdict": "ok", "seen": "seen [x]", "way_out": ""},
            {"name": "bad", "verdict": "failed", "seen": "gone", "way_out": "bring it back"},
        ],
    }


def test_an_error_in_a_check_is_its_finding() -> None:
    checks = {"oz": raises(ImagecycleError("no oz", hint="install it")), **GOOD}
    first, second = doctor.examine(Site(), checks=checks)
    assert first == Finding(Verdict.FAILED, "no oz", "install it", "oz")
    assert second == dataclasses.replace(ok("seen [x]"), name="good")


def test_checks_run_side_by_side_and_are_reported_in_order() -> None:
    second_began = threading.Event()

    def first(site: Site, fresh: bool) -> Finding:
        return ok("met") if second_began.wait(10) else failed("waited in vain", "")

    def second(site: Site, fresh: bool) -> Finding:
        second_began.set()
        return ok("began")

    findings = doctor.examine(Site(), checks={"first": first, "second": second})
    assert [(f.name, f.seen) for f in findings] == [("first", "met"), ("second", "began")]
