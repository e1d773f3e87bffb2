"""What users and operators see in a real Horizon on the real development cloud."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

import chromium
from dashboard import other_horizon
from families import FAMILY, artifact, family
from imagecycle import devcloud
from imagecycle.cloud.glance import Glance
from imagecycle.devcloud import dashboard
from imagecycle.lifecycle import publish as stage
from imagecycle.lifecycle import transitions
from imagecycle.lifecycle.rules.retire import RetireOptions
from imagecycle.metadata import definitions, schema
from imagecycle.metadata.schema import Origin
from imagecycle.model import Release
from imagecycle.operations import stage as operations
from imagecycle.site import CATALOG, Site
from imagecycle.site_sections import Retirement
from integration import horizon, servers, volumes
from integration.conftest import ComputeBox
from integration.horizon import OPERATIONS, SYSTEMS, Session

pytestmark = [pytest.mark.integration, pytest.mark.long]

SLUG = FAMILY.slug
RETIRED, OLDER, BAD, NEW = "20260222", "20260522", "20260822", "20261122"
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
PICTURES = os.environ.get("IMAGECYCLE_TEST_PICTURES")
"""A folder that screenshots are kept in, for people to look at"""
USERS_PAGES = {
    "systems": SYSTEMS,
    "search": f"{SYSTEMS}?q=nothing+matches",
    "family": f"{SYSTEMS}family/{SLUG}",
    "release": f"{SYSTEMS}family/{SLUG}/{NEW}",
    "revoked": f"{SYSTEMS}family/{SLUG}/{BAD}",
    "unknown": f"{SYSTEMS}family/{SLUG}/20200101",
    "servers": f"{SYSTEMS}servers",
}
OPERATORS_PAGES = {
    "operations": OPERATIONS,
    "next": f"{OPERATIONS}next",
    "failures": f"{OPERATIONS}failures",
    "copies": f"{OPERATIONS}copies",
    "of-family": f"{OPERATIONS}family/{SLUG}",
}


@dataclass(frozen=True)
class Lived:
    """A development cloud with Horizon, in which a family has had four releases.

    alice has servers of all of them, one of the second that boots from a volume, and a volume of
    the second; bob has a server and a volume of the newest. The first is retired, the third was
    revoked. bob has shared an image with alice that says that it is a release.
    """

    box: ComputeBox
    site: Site
    ids: dict[str, str]
    browser: Browser

    def publish(self, release: str, *names: str) -> None:
        artifact(self.site.artifacts, release, size=2**17, packages={"apt": release})
        made = stage.publish(
            family(description=f"What an administrator expects {HOSTILE}"),
            self.site,
            cloud="devcloud",
            release=release,
            dry_run=False,
        )
        assert made is not None
        self.ids[release] = made.id
        servers.boot_many(self.box.alice, made.id, names)

    @property
    def hasty(self) -> Site:
        """With a policy that retires at once."""
        at_once = Retirement.model_validate({"keep": 0, "after_days": 0, "grace_days": 0})
        return self.site.model_copy(update={"retirement": at_once})

    def retire(self) -> None:
        options = RetireOptions(now=True)
        transitions.retire_releases([SLUG], self.hasty, cloud="devcloud", options=options)

    def leave_about(self) -> None:
        """A copy and another image of the publishing project."""
        glance = self.box.glance
        fields = {"disk_format": "raw", "container_format": "bare", "visibility": "private"}
        copy = glance.create({**fields, "name": f"a copy {HOSTILE}"})
        glance.change(copy.id, glance.image(self.ids[NEW]).properties)
        left = glance.create({**fields, "name": f"left about {HOSTILE}"})
        glance.upload(left.id, io.BytesIO(b"left"), 4, lambda _sent: None)

    def make_volumes(self) -> None:
        alice, older = self.box.alice, self.ids[OLDER]
        self.ids["volume"] = volumes.make(alice, older)
        self.ids["of bob"] = volumes.make(self.box.bob, self.ids[NEW])
        disk: dict[str, Any] = {
            **{"boot_index": 0, "source_type": "image", "uuid": older, "volume_size": volumes.SIZE},
            **{"destination_type": "volume", "delete_on_termination": True},
        }
        server = {"name": "diskless", "flavorRef": "small", "networks": "none"}
        server["block_device_mapping_v2"] = [disk]
        made = servers.request(alice, "POST", "/servers", server=server)["server"]["id"]
        servers.await_status(alice, made, "ACTIVE")

    def forge(self) -> None:
        """bob's, shared with alice, though it is no release."""
        bob = Glance(self.box.bob)
        fields = {"disk_format": "raw", "container_format": "bare", "visibility": "shared"}
        made = bob.create({**fields, "name": f"forged {HOSTILE}"})
        told = {
            "imagecycle_family": SLUG,
            "imagecycle_release": "20270101",
            "imagecycle_state": "retired",
            "imagecycle_image_id": made.id,
            "image_description": f"Forged {HOSTILE}",
        }
        bob.change(made.id, told)
        bob.upload(made.id, io.BytesIO(b"forged"), 6, lambda _sent: None)
        alpha = str(self.box.alice.session.get_project_id())
        bob.add_members(made.id, [alpha])
        Glance(self.box.alice).accept_members(made.id, [alpha])

    def as_(self, user: str, language: str = "en") -> contextlib.AbstractContextManager[Session]:
        return horizon.logged_in(self.browser, self.box.site, user, language=language)


@pytest.fixture(
    scope="module",
    params=["", *other_horizon.RELEASES],
    ids=lambda release: f"horizon-{release or 'current'}",
)
def horizon_box(
    request: pytest.FixtureRequest, started_compute_box: ComputeBox
) -> Iterator[ComputeBox]:
    """The development cloud with its dashboard, or with a Horizon before it."""
    box = started_compute_box
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("OS_")]:
            patch.delenv(name)
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(box.clouds_file))
        with horizon.started_in(box.site, request.param, with_compute=True):
            yield box


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture(scope="module")
def new_cloud(
    horizon_box: ComputeBox, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Lived:
    """With the newest release only."""
    horizon_box.empty()
    home = tmp_path_factory.mktemp("lived")
    site = horizon_box.site.model_copy(update={"home": home, "catalog": CATALOG})
    return Lived(horizon_box, site, {}, browser)


@pytest.fixture(scope="module")
def lived(new_cloud: Lived, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    new_cloud.box.empty()
    home = tmp_path_factory.mktemp("life")
    site = new_cloud.site.model_copy(update={"home": home})
    new_cloud = replace(new_cloud, site=site, ids={})
    new_cloud.publish(RETIRED, "oldest")
    new_cloud.publish(OLDER, "older")
    new_cloud.retire()
    new_cloud.publish(BAD, "bad")
    new_cloud.publish(NEW, "new", f"evil {HOSTILE}")
    servers.boot(new_cloud.box.bob, new_cloud.ids[NEW], name="of bob")
    transitions.revoke_release(
        SLUG,
        Release.parse(BAD),
        new_cloud.site,
        cloud="devcloud",
        reason=f"its keys were published {HOSTILE}",
    )
    new_cloud.make_volumes()
    new_cloud.forge()
    new_cloud.leave_about()
    operations.write(
        new_cloud.hasty,
        cloud="devcloud",
        out=devcloud.operations_file(new_cloud.box.site),
        reports="https://reports.example",
    )
    return new_cloud


def test_a_user_launches_a_server_of_a_system_and_sees_it_active(new_cloud: Lived) -> None:
    new_cloud.publish(NEW)
    with new_cloud.as_("alice") as session:
        page = session.see(SYSTEMS)
        assert "Debian 12" in horizon.text(page)
        page.click("text=Launch")
        horizon.launch(page, "launched")
        row = page.locator("tr", has_text="launched")
        row.locator("text=Active").first.wait_for()
        assert session.complaints == []
    found = servers.request(new_cloud.box.alice, "GET", "/servers/detail")["servers"]
    assert [(one["name"], one["image"]["id"]) for one in found] == [
        ("launched", new_cloud.ids[NEW])
    ]


def test_a_retired_release_is_seen_only_in_the_project_that_uses_it(lived: Lived) -> None:
    path = USERS_PAGES["family"]
    retired = f"{path}/{RETIRED}"
    with lived.as_("alice") as alice:
        assert RETIRED in horizon.text(alice.see(path))
        assert "Your project can use it, rebuild included" in horizon.text(alice.see(retired))
        seen = horizon.text(alice.see(USERS_PAGES["servers"]))
        assert "oldest" in seen
        assert "of bob" not in seen
    with lived.as_("bob") as bob:
        seen = horizon.text(bob.see(path))
        assert (NEW in seen, OLDER in seen, RETIRED in seen) == (True, True, False)
        assert bob.status(retired) == 404
        assert "of bob" in horizon.text(bob.see(USERS_PAGES["servers"]))


def test_volumes_are_told_with_the_servers_of_their_release(lived: Lived) -> None:
    with lived.as_("alice") as alice:
        page = alice.see(USERS_PAGES["servers"])
        row = page.locator(".imagecycle-holdings tr", has_text=OLDER).first.inner_text()
        assert "older" in row
        assert "diskless" in row, "it boots from a volume of that release"
        assert row.count("Volume ") == 2
        assert f"Volume {lived.ids['volume']} available" in row
        assert lived.ids["of bob"] not in horizon.text(page)


def test_users_are_told_what_changed_in_the_packages(lived: Lived) -> None:
    changes = "packages: 0 added, 0 removed, 1 changed (apt)"
    with lived.as_("alice") as alice:
        assert f"since {BAD}: {changes}" in horizon.text(alice.see(USERS_PAGES["servers"]))
        for name in ("family", "release"):
            seen = horizon.text(alice.see(USERS_PAGES[name]))
            assert f"What changed since {BAD} {changes}" in " ".join(seen.split()), name


def test_a_revoked_release_has_a_banner_with_its_reason_and_successor(lived: Lived) -> None:
    with lived.as_("alice") as alice:
        for path in (USERS_PAGES["servers"], USERS_PAGES["revoked"]):
            banner = alice.see(path).locator("#content_body .alert-danger")
            assert f"release {BAD}, was revoked on" in banner.inner_text()
            assert f"its keys were published {HOSTILE}" in banner.inner_text()
            assert f"Use release {NEW} instead." in banner.inner_text()


def test_what_somebody_shares_is_no_release_whatever_it_says(lived: Lived) -> None:
    with lived.as_("alice") as alice:
        for path in USERS_PAGES.values():
            assert "20270101" not in horizon.text(alice.see(path))
        assert alice.status(f"{USERS_PAGES['family']}/20270101") == 404


def test_operators_see_all_of_it_and_users_none(lived: Lived) -> None:
    with lived.as_("admin") as admin:
        seen = {name: horizon.text(admin.see(path)) for name, path in OPERATORS_PAGES.items()}
        assert "Debian 12 Server" in seen["operations"]
        assert "1 retired" in seen["operations"]
        assert "forged" not in seen["copies"], "it is another project's"
        for word in (f"a copy {HOSTILE}", f"{SLUG} {NEW}", f"left about {HOSTILE}"):
            assert word in seen["copies"]
        assert OLDER in seen["next"], "the policy would retire it"
        for word in (RETIRED, "alpha", "beta", "revoke debian-12-x86_64-server"):
            assert word in seen["of-family"]
        assert admin.page.locator("a[href$='/admin/operating_systems/']").count()
    with lived.as_("alice") as alice:
        alice.see("")
        assert not alice.page.locator("a[href*='/admin/']").count()
        for path in OPERATORS_PAGES.values():
            assert alice.status(path) in (403, 404)
            assert "audit" not in alice.see(path).content().lower()


def pictures(lived: Lived) -> Path | None:
    """Where those of this release of Horizon are kept."""
    if not PICTURES:
        return None
    folder = Path(PICTURES, dashboard.DASHBOARD.version(lived.box.layout))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def look(session: Session, pages: dict[str, str], folder: Path) -> list[str]:
    """See each page in both widths and keep pictures; returns what is wrong with them."""
    wrong = []
    for name, path in pages.items():
        page = session.see(path)
        for width, size in (("wide", chromium.DESK), ("phone", chromium.PHONE)):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.wait_for_timeout(300)
            page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
            wrong += [f"{name}, {width}: {one}" for one in horizon.defects(page)]
            if horizon.overflows(page):
                wrong.append(f"{name}, {width}: wider than the window")
        page.set_viewport_size(chromium.DESK)  # type: ignore[arg-type]
        if "taken" in page.title():
            wrong.append(f"{name}: executed what an image says")
    return wrong + session.complaints


def test_every_page_fits_its_window_and_is_accessible(lived: Lived, tmp_path: Path) -> None:
    folder = pictures(lived) or tmp_path
    with lived.as_("alice") as alice:
        assert look(alice, USERS_PAGES, folder) == []
    with lived.as_("admin") as admin:
        assert look(admin, OPERATORS_PAGES, folder) == []


def test_the_lines_to_copy_are_copied(lived: Lived) -> None:
    with lived.as_("alice") as alice:
        alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = alice.see(USERS_PAGES["family"])
        page.locator(".imagecycle-copy").first.click()
        page.locator("text=Copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert f"--property imagecycle_family={SLUG}" in copied


def test_update_metadata_explains_the_properties(lived: Lived) -> None:
    """By name, with help and the allowed values, in the order of their titles."""
    definitions.install(lived.site, cloud="devcloud", dry_run=False)
    set_here = Glance(lived.box.admin).image(lived.ids[NEW]).properties
    ours = [one for one in schema.PROPERTIES if one.origin is not Origin.OPENSTACK]
    assert len([one for one in ours if one.name in set_here]) > 15
    with lived.as_("admin") as admin:
        page = admin.see("admin/images/")
        row = page.locator("tr", has_text="2026-11-22").first
        row.locator(".dropdown-toggle").click()
        row.locator("text=Update Metadata").click()
        page.wait_for_selector("metadata-tree .metadata-list-group li.level-0")
        available, existing = (
            page.locator("metadata-tree .metadata-list-group").nth(number) for number in (0, 1)
        )
        available.locator("li", has_text=definitions.TITLE).click()
        if folder := pictures(lived):
            page.screenshot(path=folder / "update-metadata.png", full_page=True)
        offered = available.locator("li:has(.leaf)").all_inner_texts()
        assert [title.strip() for title in offered] == sorted(
            (one.title for one in ours if one.name not in set_here), key=str.casefold
        )
        for one in ours:
            if one.name not in set_here:
                continue
            mark = f".input-group-addon[title='{one.name}']"
            existing.locator(mark).click()
            help_ = " ".join(page.inner_text("metadata-tree .well").split())
            assert help_ == f"{one.title} ({one.name}) {one.meaning}"
            entry = existing.locator("li", has=page.locator(mark)).locator("input, select").first
            assert entry.is_disabled() is one.name.startswith(schema.PREFIX)
            if one.kind.allowed:
                values = entry.locator("option").all_inner_texts()
                assert [value for value in values if value] == list(one.kind.allowed)
        assert existing.locator(".label-danger:visible").count() == 0, "what is there is allowed"
        assert admin.complaints == []
