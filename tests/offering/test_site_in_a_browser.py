"""The site in a real browser, opened from a disk: readable by everybody, and searched without a
server."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

import chromium
from chromium import DESK, PHONE
from offering.test_site import IMAGES, write

INDEX = "index.html"
FAMILY = "families/debian-13-x86_64-server.html"
REVOKED = "families/debian-13-x86_64-server/20261101.html"
WITHOUT = "families/debian-14-x86_64-server.html"
PAGES = (INDEX, FAMILY, REVOKED, WITHOUT)
SEEN = "#families tr[data-search]:not([hidden]) a"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("offering") / "site", IMAGES)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """That remembers what it fetched and complained of."""
    made = browser.new_page()
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("dialog", lambda dialog: wrong.append(dialog.message))
    made.on("request", lambda request: wrong.append(request.url) if _is_away(request.url) else None)
    yield made
    made.close()
    assert wrong == []


def _is_away(url: str) -> bool:
    return not url.startswith("file:")


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone, light", "desk, dark"]
)
def test_every_page_fits_its_window_and_is_accessible(
    page: Page, site: Path, size: dict[str, int], scheme: str
) -> None:
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    backgrounds = set()
    for path in PAGES:
        page.goto((site / path).as_uri())
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        backgrounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert backgrounds == {"rgb(21, 25, 29)" if scheme == "dark" else "rgb(255, 255, 255)"}


def test_no_button_covers_the_lines_that_it_copies(page: Page, site: Path) -> None:
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    page.goto((site / FAMILY).as_uri())
    for frame in page.locator(".recipe").all():
        button, lines = (frame.locator(one).bounding_box() for one in ("button", "pre code"))
        assert button is not None
        assert lines is not None
        assert button["y"] + button["height"] <= lines["y"]


def test_families_are_found_by_words_without_a_server(page: Page, site: Path) -> None:
    page.goto((site / INDEX).as_uri())
    page.fill("#search", "13 SERVER")
    assert page.locator(SEEN).count() == 1
    assert page.inner_text("output") == "1 of 8"
    assert page.locator("#families section:visible").count() == 1
    page.reload()
    assert page.input_value("#search") == "13 SERVER", "the address can be passed on"
    assert page.inner_text("output") == "1 of 8"
    page.fill("#search", "<script>")
    assert page.locator(SEEN).count() == 0
    page.fill("#search", "")
    assert page.locator(SEEN).count() == 8


def test_one_gets_from_the_index_to_a_release_and_back(page: Page, site: Path) -> None:
    page.goto((site / INDEX).as_uri())
    page.click("a[href='families/debian-13-x86_64-server.html']")
    page.click("th a >> text=20261101")
    assert "was revoked" in page.inner_text(".banner.revoked")
    page.click(".banner.revoked a")
    assert "Release 20261122" in page.inner_text("h1")
    page.click("header a")
    assert page.inner_text("h1") == "Operating systems"


def test_ages_are_those_of_the_day_on_which_it_is_read(page: Page, site: Path) -> None:
    for today, age, support in (
        (datetime.datetime(2026, 11, 22, 12), "(today)", ""),
        (datetime.datetime(2028, 2, 1), "(14 months old)", "(in 4 months)"),
        (datetime.datetime(2029, 1, 1), "(2 years old)", "(over)"),
    ):
        page.clock.set_fixed_time(today)
        page.goto((site / FAMILY).as_uri())
        assert page.inner_text(".age") == age
        assert page.inner_text(".support").removeprefix("2028-06-30").strip() == support


def test_a_printed_page_is_dark_on_white_and_has_nothing_to_press(page: Page, site: Path) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    for path in PAGES:
        page.goto((site / path).as_uri())
        colours = "(({color, backgroundColor}) => [color, backgroundColor])"
        printed = page.evaluate(f"{colours}(getComputedStyle(document.body))")
        assert printed == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
        assert page.locator("form:visible, button:visible, nav:visible").count() == 0
    assert page.pdf().startswith(b"%PDF")


def test_a_keyboard_reaches_the_lines_to_copy(page: Page, site: Path) -> None:
    page.goto((site / FAMILY).as_uri())
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "PRE", "BUTTON"} <= reached


def test_without_scripts_a_page_still_tells_everything(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto((site / INDEX).as_uri())
        assert page.locator("form").is_hidden(), "nothing that does not work is shown"
        assert page.locator(SEEN).count() == 8
        page.goto((site / FAMILY).as_uri())
        assert "2028-06-30" in page.inner_text("main")
        assert "imagecycle_family=debian-13-x86_64-server" in page.inner_text("main")
    finally:
        context.close()


def test_nothing_that_an_image_says_is_executed(page: Page, site: Path) -> None:
    page.goto((site / REVOKED).as_uri())
    assert "<script>alert(1)</script>" in page.inner_text("main")
    assert page.evaluate("document.querySelectorAll('script:not([src])').length") == 0
    assert page.locator("a[href^='javascript']").count() == 0
