"""The report in a real browser: readable by everybody, whatever a guest has written into it."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

import chromium
from chromium import DESK, PHONE
from imagecycle.verify import history, report
from imagecycle.verify.comparison import Comparison, Measure
from imagecycle.verify.film import Frame
from imagecycle.verify.history import Entry, FamilyHistory
from imagecycle.verify.report import MachineReport, Span
from imagecycle.verify.security_results import ProfileResult, Rule
from imagecycle.verify.verdict import CheckResult

HOSTILE = (
    "<script>document.title='taken'</script>"
    "<img src=x onerror=\"document.title='taken'\">\x1b[2J\x07'\"&"
)


def picture(path: Path) -> Path:
    """A picture of one grey dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        sum_ = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + sum_

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def profile() -> ProfileResult:
    """Of a guide that nobody should have trusted."""
    kinds = ("fail", ""), ("fail", HOSTILE), ("notchecked", ""), ("error", "")
    rules = [Rule(HOSTILE, HOSTILE, "high", result, why) for result, why in kinds]
    return ProfileResult(
        guide=HOSTILE,
        guide_version=HOSTILE,
        profile=HOSTILE,
        title=HOSTILE,
        score=62.5,
        least_score=60.0,
        severity="high",
        rules=(*rules, Rule("mild", HOSTILE, "low", "fail")),
        passed=(HOSTILE,),
        not_applicable=3,
        needless=(HOSTILE,),
    )


def page_of_everything(folder: Path) -> str:
    """A report in which every part is there, and every string comes from an enemy."""
    shot = picture(folder / "screen.png")
    results = [
        CheckResult(f"a.{HOSTILE}", f"A: {HOSTILE}", HOSTILE, "failed", 0.1, HOSTILE, HOSTILE),
        CheckResult("b.c", "B: c", HOSTILE, "not run", 0.1, HOSTILE),
        CheckResult("b.d", "B: d", HOSTILE, "left out", 0.1, HOSTILE),
        CheckResult("b.e", "B: e", HOSTILE, "passed", 0.1, ""),
    ]
    machine = MachineReport(
        role=f"instance{HOSTILE}",
        title=HOSTILE,
        firmware="bios",
        ready=False,
        seconds=31.5,
        reason=HOSTILE,
        console=f"line\nKernel panic {HOSTILE}\n" * 50,
        firmware_log=HOSTILE,
        screenshot_file=shot,
        picture=HOSTILE,
        evidence=(HOSTILE,),
        stages={"firmware": 0.0, f"kernel{HOSTILE}": 3.0},
        frames=tuple(Frame(float(n), shot) for n in range(12)),
    )
    comparison = Comparison(
        previous=HOSTILE,
        new_failures=[HOSTILE],
        mended=[HOSTILE],
        measures=[Measure("Size", "MiB", 100.0, 120.0), Measure("Memory", "MiB", None, 1.0)],
        added=[HOSTILE],
        removed=[HOSTILE],
        changed=[f"{HOSTILE} → {HOSTILE}"],
        newly_unmet=[HOSTILE],
        newly_met=[HOSTILE],
    )
    return report.render(
        record={
            "family": HOSTILE,
            "release": HOSTILE,
            "verdict": "failed",
            "started_at": HOSTILE,
            "durations": {"total": 60.0},
            "security_profile": profile().as_record(),
        },
        title=HOSTILE,
        results=results,
        machines=[machine],
        spans=[Span(f"boot_{HOSTILE}", 1.0, 31.5)],
        facts={HOSTILE: HOSTILE},
        comparison=comparison,
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "verify.html").write_text(page_of_everything(folder))
    return folder / "verify.html"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of all families, written by an enemy as well."""
    families = [
        FamilyHistory(
            f"family {HOSTILE}",
            [
                Entry("20270222", verdict, HOSTILE, HOSTILE, 30.0, 64.0, 210.0, "verify.html"),
                Entry("20261122", "passed", "", "", 33.0, 66.0, 220.0, ""),
            ],
        )
        for verdict in ("failed", "passed", "not verified", "unreadable")
    ]
    path = tmp_path_factory.mktemp("index") / "index.html"
    template = report.environment().get_template(history.TEMPLATE)
    path.write_text(template.render(families=families))
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing_in_the_index(
    browser: Browser, index: Path, size: dict[str, int], scheme: str
) -> None:
    page = opened(browser, index, size, scheme)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.close()


def opened(browser: Browser, file: Path, size: dict[str, int], scheme: str) -> Page:
    page = browser.new_page(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing(browser: Browser, file: Path, size: dict[str, int], scheme: str) -> None:
    page = opened(browser, file, size, scheme)
    for summary in page.query_selector_all("details:not([open]) > summary"):
        summary.click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_wider_than_the_screen(
    browser: Browser, file: Path, size: dict[str, int]
) -> None:
    page = opened(browser, file, size, "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.close()


def test_nothing_that_a_guest_writes_is_executed(browser: Browser, file: Path) -> None:
    page = opened(browser, file, DESK, "light")
    assert page.title().startswith("failed: <script>")
    assert page.evaluate("document.querySelectorAll('script, img:not([alt])').length") == 0
    page.close()


def test_nothing_is_fetched(browser: Browser, file: Path) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()


def test_reason_stands_first(browser: Browser, file: Path) -> None:
    page = opened(browser, file, PHONE, "light")
    box = page.locator(".reason").bounding_box()
    assert box is not None
    assert box["y"] < PHONE["height"]
    page.close()


def test_keyboard_reaches_consoles_and_film(browser: Browser, file: Path) -> None:
    page = opened(browser, file, DESK, "light")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('aria-label') || ''"))
    assert any(label.startswith("Screens of") for label in reached)
    assert any(label.startswith("Console of") for label in reached)
    page.close()


def test_pictures_are_shown(browser: Browser, file: Path) -> None:
    page = opened(browser, file, DESK, "light")
    widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert len(widths) == 13
    assert set(widths) == {1}
    page.close()


def test_picture_is_what_was_taken(tmp_path: Path) -> None:
    shot = picture(tmp_path / "screen.png")
    assert base64.b64encode(shot.read_bytes()).decode() in page_of_everything(tmp_path)
