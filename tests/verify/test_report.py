from pathlib import Path

import pytest

from imagecycle.verify import report
from imagecycle.verify.report import MachineReport, Span
from imagecycle.verify.verdict import CheckResult

RECORD = {
    "family": "debian-12-x86_64-base",
    "release": "20261122",
    "verdict": "failed",
    "started_at": "2026-11-22T12:00:00+00:00",
    "durations": {"total": 60.0},
}
RESULTS = [
    CheckResult("clock.is_right", "Clock: is right", "Logs lie.", "passed", 0.2, ""),
    CheckResult("keys.new", "Keys: new", "Impostors.", "failed", 0.1, "<b>/etc/key</b>", "code"),
    CheckResult("x.y", "X: y", "Nothing.", "left out", 0.0, "left out: nobody needs it"),
]


@pytest.fixture
def page(tmp_path: Path) -> str:
    picture = tmp_path / "screenshot.png"
    picture.write_bytes(b"\x89PNG")
    machines = [
        MachineReport("instance", "BIOS, pc", "bios", True, 31.5, "", "vm login: <x>", "", picture),
        MachineReport(
            "twin", "UEFI, pc", "uefi", False, 60.0, "the kernel panicked", "", "BdsDxe", None
        ),
    ]
    return report.render(
        record=RECORD,
        title="Debian 12 Base",
        results=RESULTS,
        machines=machines,
        spans=[Span("boot_instance", 1.0, 31.5)],
        facts={"Accelerator": "tcg: no KVM"},
    )


def test_page_needs_nothing_from_elsewhere(page: str) -> None:
    assert 'src="data:image/png;base64,iVBORw=="' in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<link" not in page
    assert "<script" not in page


def test_defect_is_shown_with_what_a_user_would_suffer(page: str) -> None:
    defects = page.split("What users would suffer")[1].split("<h2>")[0]
    assert "Impostors." in defects
    assert "&lt;b&gt;/etc/key&lt;/b&gt;" in defects
    assert "Logs lie." not in defects


def test_check_that_was_left_out_is_not_silent(page: str) -> None:
    assert "</code>: nobody needs it</li>" in page
    assert "3 checks: 1 passed, 1 failed, 1 left out" in page


def test_machine_that_did_not_come_up_says_why(page: str) -> None:
    assert "the kernel panicked" in page
    assert "login 31.5 s after power-on" in page
    assert "The serial console stayed empty." in page
    assert "BdsDxe" in page


def test_console_cannot_change_the_page(page: str) -> None:
    assert "vm login: &lt;x&gt;" in page


def test_page_of_a_good_image_has_no_list_of_sufferings() -> None:
    page = report.render(
        record={**RECORD, "verdict": "passed"},
        title="Debian 12 Base",
        results=RESULTS[:1],
        machines=[],
        spans=[],
        facts={},
    )
    assert "What users would suffer</h2>" not in page


def defect(name: str, outcome: str, message: str) -> CheckResult:
    return CheckResult(name, name, "", outcome, 0.0, message)


def test_checks_that_were_not_run_for_one_reason_are_one_line() -> None:
    dead = [defect(f"a.{number}", "not run", "not run: it is dead") for number in range(40)]
    found = [*dead, defect("b.x", "failed", "no login"), defect("b.y", "failed", "no login")]
    assert report.defect_lines(found) == [
        "failed: b.x: no login",
        "failed: b.y: no login",
        "not run: a.0 and 39 more: not run: it is dead",
    ]
    assert report.names(found).startswith("b.x, b.y, a.0, ")
    assert report.names(found).endswith(" and 30 more")
    assert report.names([]) == ""


def test_a_boot_that_failed_is_the_reason_before_all_others() -> None:
    found = [defect("a.b", "failed", "small"), defect("boot.x", "failed", "no login")]
    assert report.reason("failed", found, []) == "boot.x: no login, and 1 more check failed."
