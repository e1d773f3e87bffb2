"""Horizon in a real browser, as a person uses it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from chromium import DESK
from dashboard import other_horizon
from imagecycle import devcloud
from imagecycle.devcloud import dashboard
from imagecycle.devcloud.layout import Layout
from imagecycle.site import Site

SYSTEMS = "project/operating_systems/"
OPERATIONS = "admin/operating_systems/"
_LIMIT = 60_000.0


@dataclass
class Session:
    """One who is logged in, and what the scripts of the pages complained of."""

    context: BrowserContext
    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def see(self, path: str) -> Page:
        """Open a page of Horizon."""
        answer = self.page.goto(f"{self.address}{path}")
        assert answer is not None
        assert answer.status < 500, f"{path}: {answer.status}"
        return self.page

    def status(self, path: str) -> int:
        """What Horizon answers, redirections followed."""
        return self.context.request.get(f"{self.address}{path}").status


@contextlib.contextmanager
def started_in(site: Site, release: str, *, with_compute: bool = False) -> Iterator[None]:
    """The development cloud with Horizon, for the length of a ``with`` block.

    :param release: of Horizon, one before the development cloud's own; or nothing for that.
    """
    layout = Layout.of(site)
    with pytest.MonkeyPatch.context() as patch:
        if release:
            venv = other_horizon.ensure(layout, release).dashboard_venv
            patch.setattr(Layout, "dashboard_venv", venv)
        dashboard.stop(layout)
        devcloud.start(site, with_compute=with_compute, with_dashboard=True, protected=False)
        try:
            assert dashboard.DASHBOARD.version(layout).startswith(release)
            yield
        finally:
            dashboard.stop(layout)


@contextlib.contextmanager
def logged_in(
    started: Browser, site: Site, user: str, *, language: str = "en"
) -> Iterator[Session]:
    """A user of the development cloud in a browser of his own."""
    address = devcloud.dashboard_address(site)
    assert address is not None
    context = started.new_context(viewport=DESK, locale=language)  # type: ignore[arg-type]
    context.set_default_timeout(_LIMIT)
    try:
        page = context.new_page()
        session = Session(context, page, address)
        page.on("pageerror", lambda error: session.complaints.append(str(error)))
        page.on("dialog", lambda dialog: session.complaints.append(f"dialog {dialog.message}"))
        page.goto(f"{address}auth/login/")
        page.fill("#id_username", user)
        page.fill("#id_password", devcloud.password(site, user))
        page.click("#loginBtn")
        page.wait_for_selector("#content_body")
        yield session
    finally:
        context.close()


def text(page: Page) -> str:
    """What the page says, without Horizon's frame."""
    return page.inner_text("#content_body")


def launch(page: Page, name: str, flavor: str = "small") -> None:
    """Go through Horizon's wizard, which is open with an image chosen."""
    page.wait_for_selector(".ng-wizard")
    page.fill(".ng-wizard #name", name)

    def step(title: str) -> None:
        page.click(f".wizard-nav >> text={title}")

    step("Source")
    page.wait_for_selector(".ng-wizard .step:visible .transfer-allocated tbody tr")
    step("Flavor")
    row = page.locator(".ng-wizard .step:visible .transfer-available tbody tr", has_text=flavor)
    row.locator("button").last.click()
    page.wait_for_selector(".ng-wizard button.finish:not([disabled])")
    page.click(".ng-wizard button.finish")
    page.wait_for_selector(".ng-wizard", state="detached")


def defects(page: Page) -> list[str]:
    """What axe finds in our part of the page.

    The breadcrumbs are Horizon's own; so is the colour of their links, which its theme sets.
    """
    ours = {"include": [["#content_body"]]}
    of_horizon = [".page-breadcrumb a"]
    all_else = {"rules": {"color-contrast": {"enabled": False}}}
    found = (
        Axe().run(page, context=ours, options=all_else),
        Axe().run(
            page,
            context={**ours, "exclude": [of_horizon]},
            options={"runOnly": ["color-contrast"]},
        ),
    )
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for result in found
        for one in result.response["violations"]
        for node in one["nodes"]
    ]


def overflows(page: Page) -> bool:
    """Whether our part of the page is wider than its place."""
    script = "() => { const e = document.querySelector('#content_body');"
    script += " return e.scrollWidth > e.clientWidth + 1; }"
    return bool(page.evaluate(script))
