"""Horizon in a browser, as far as every run of the tests can take the time for it."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

import chromium
from dashboard import other_horizon
from families import FAMILY, artifact, family
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.lifecycle import publish as stage
from imagecycle.site import CATALOG
from integration import horizon
from integration.conftest import Box
from integration.horizon import SYSTEMS
from integration.proxy import Fault

pytestmark = pytest.mark.integration

RELEASE = "20261122"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture(
    params=["", *(pytest.param(one, marks=pytest.mark.long) for one in other_horizon.RELEASES)],
    ids=lambda release: release or "current",
)
def offered(request: pytest.FixtureRequest, box: Box, started_box: Box) -> Iterator[Box]:
    """The development cloud with Horizon, and one release in it."""
    site = box.site.model_copy(update={"catalog": CATALOG})
    artifact(site.artifacts, RELEASE, size=2**17)
    stage.publish(family(), site, cloud="devcloud", release=RELEASE, dry_run=False)
    with horizon.started_in(started_box.site, request.param):
        yield dataclasses.replace(box, site=started_box.site)


def test_a_user_logs_in_and_chooses_a_system(offered: Box, browser: Browser) -> None:
    with horizon.logged_in(browser, offered.site, "demo") as session:
        page = session.page
        page.click("#sidebar-accordion >> text=Operating systems")
        page.wait_for_selector(".imagecycle-families")
        assert "Debian 12" in horizon.text(page)
        assert horizon.defects(page) == []
        page.click(".imagecycle-families th a")
        page.wait_for_selector(".imagecycle-recipe")
        assert f"imagecycle_family={FAMILY.slug}" in horizon.text(page)
        page.click(f".imagecycle-releases >> text={RELEASE}")
        page.wait_for_selector(".imagecycle-facts")
        assert session.complaints == []


@contextlib.contextmanager
def glance_at(administrator: CloudSession, address: str) -> Iterator[None]:
    """Have Keystone's catalog name another address for Glance."""
    place = f"{administrator.endpoint('identity').rstrip('/')}/endpoints"
    session = administrator.session
    services = session.get(f"{place.removesuffix('endpoints')}services?type=image").json()
    (service,) = services["services"]
    found = session.get(f"{place}?service_id={service['id']}").json()["endpoints"]
    try:
        for one in found:
            session.patch(f"{place}/{one['id']}", json={"endpoint": {"url": address}})
        yield
    finally:
        for one in found:
            session.patch(f"{place}/{one['id']}", json={"endpoint": {"url": one["url"]}})


@pytest.mark.long
def test_a_page_says_what_is_missing_while_glance_has_a_bad_day(
    offered: Box, browser: Browser
) -> None:
    days = {
        "failed with status 503": Fault("", "/images", answer=503),
        "does not allow you to see this": Fault("", "/images", answer=403),
        "does not accept your session": Fault("", "/images", answer=401),
        "does not answer": Fault("", "/images", lose_answer=True),
        "has not answered in time": Fault("", "/images", silent_for=60),
    }
    proxy = offered.proxy
    administrator = open_cloud("devcloud", offered.site)
    with (
        glance_at(administrator, proxy.url),
        horizon.logged_in(browser, offered.site, "demo") as session,
    ):
        assert "Debian 12" in horizon.text(session.see(SYSTEMS))
        for said, fault in days.items():
            proxy.reset()
            proxy.faults.append(fault)
            began = time.monotonic()
            seen = horizon.text(session.see(SYSTEMS))
            assert said in seen
            assert "This page is not complete." in seen
            assert time.monotonic() - began < 45
            assert horizon.defects(session.page) == []
        proxy.reset()
        assert "Debian 12" in horizon.text(session.see(SYSTEMS)), "the session is still good"
        assert 1 <= len([path for _, path, _ in proxy.requests() if "/images" in path]) <= 3
        assert session.complaints == []
