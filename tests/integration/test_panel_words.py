"""Every text that the panels show in a browser has passed through translation."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route

import chromium
import imagecycle_dashboard
from dashboard import horizon_pages, pseudo_locale
from dashboard.documents import document, image_id
from dashboard.horizon_pages import Pages
from dashboard.small_cloud import SmallCloud, serving
from imagecycle.devcloud.layout import Layout
from imagecycle.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.long]

PANEL = Path(imagecycle_dashboard.__file__).parent
ADDRESS = "http://horizon.example/"
SYSTEMS = "project/operating_systems/"
OPERATIONS = "admin/operating_systems/"
FAMILY = "debian-12-x86_64-server"
BAD = "20260822"
_MARKED = re.compile("\u27e6[^\u27e6\u27e7]*\u27e7")
_PART = re.compile("\u27e6[^\u27e7]*$|^[^\u27e6]*\u27e7")
"""Of a marked text with elements in it"""
_NO_WORDS = re.compile(
    r"Debian 12|openstack client|OpenTofu, Terraform|Ansible|UTC|[a-z0-9]+_[a-z0-9_]+|"
    r"[a-z]+-[0-9]+-x86_64-[a-z]+|[0-9.,]+\s?(Bytes|[KMGT]B)"
)
"""Names, and units that Horizon writes"""
SHOWN = """() => {
  const found = [];
  const root = document.querySelector('#content_body');
  const names = ['aria-label', 'title', 'placeholder', 'alt', 'data-label', 'data-copied'];
  const apart = 'code, pre, bdi, script, style, .page-breadcrumb';  // data, and Horizon's own
  for (const one of root.querySelectorAll('*')) {
    if (one.closest('.page-breadcrumb')) continue;
    for (const name of names) if (one.getAttribute(name)) found.push(one.getAttribute(name));
  }
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!parent.closest(apart)) found.push(walker.currentNode.textContent);
  }
  return found.map(text => text.trim()).filter(text => text);
}"""
"""All texts, those among them that only become visible later"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    layout = Layout.of(Site(home=tmp_path_factory.mktemp("panels")))
    with (
        horizon_pages.running(layout, tmp_path_factory.mktemp("horizon")) as started,
        serving(a_cloud()) as cloud,
    ):
        yield dataclasses.replace(started, services=cloud.services)


@pytest.fixture(scope="module")
def locale(pages: Pages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locale")
    python = str(pages.process.args[0])  # type: ignore[index]
    program, template = pseudo_locale.__file__, PANEL / "locale" / "django.pot"
    subprocess.run([python, program, template, folder], check=True, timeout=60)
    return folder


def a_cloud() -> SmallCloud:
    """With something for every part of the users' pages; its texts are digits."""
    of_today = {"image_description": "1: 2", "name": "3", "maintained_until": "2027-01-01"}
    older = {**of_today, "os_hidden": True, "hw_disk_bus": "scsi"}
    revoked = {"imagecycle_state": "revoked", "imagecycle_revoked_at": "2026-09-01T00:00:00Z"}
    images = [
        document(1, **of_today, imagecycle_flavour="2"),
        document(2, **older, imagecycle_release="20260522", imagecycle_state="superseded"),
        document(3, **older, imagecycle_release="20260222", imagecycle_state="retired"),
        document(4, **older, imagecycle_release=BAD, **revoked, imagecycle_revoked_reason="5"),
        document(5, of_nobody=True, name="6", visibility="shared"),
    ]
    server: dict[str, Any] = {
        "status": "ACTIVE",
        "flavor": {"id": "1"},
        "addresses": {},
        "links": [],
    }
    servers = [
        {**server, "id": image_id(100 + number), "name": "7", "image": {"id": image_id(number % 6)}}
        for number in range(1, 200)
    ]
    volume = {"id": image_id(300), "name": "8", "status": "in-use", "size": 1}
    volume["volume_image_metadata"] = {"image_id": image_id(1)}
    flavor = {"id": "1", "name": "9", "vcpus": 1, "ram": 512, "disk": 5}
    return SmallCloud(images, servers, [volume], [flavor])


def told(folder: Path) -> str:
    """What operators are shown; returns the file's name."""
    at = "2026-11-22T12:00:00Z"
    use = {"projects": 1, "servers": 2, "volumes": 3}
    project = {"id": "1", "name": "2", "contact": "3", "servers": {"ACTIVE": 2}, "volumes": 3}
    verification = {
        "verdict": "failed",
        "at": at,
        "reason": "4",
        "report": "https://reports.example",
    }
    change = {"at": at, "command": "5", "what": "6", "why": "7", "who": "8", "outcome": "failed"}
    releases = [
        {**use, "release": f"2026{month}22", "state": state, "since": at, "image_id": image_id(1)}
        | {"visibility": visibility, "remark": "9", "used_by": [project], "audit": [change]}
        | {"verification": verification}
        for month, state, visibility in (
            ("12", "candidate", "private"),
            ("11", "current", "public"),
            ("08", "revoked", "community"),
            ("05", "superseded", "public"),
            ("02", "retired", "shared"),
        )
    ]
    runs = [{"stage": stage, "verdict": "failed"} for stage in ("build", "verify", "publish")]
    family = {"family": FAMILY, "title": "1", "declared": False, "releases": releases, "runs": runs}
    family["unpublished"] = [{**verification, "release": "20261201"}]
    found = {"version": 1, "cloud": "1", "taken_at": "2026-11-01T00:00:00Z", "missing": ["1"]}
    found["families"] = [family, {"family": "other-1-x86_64-base"}]
    step = {"what": "1", "family": FAMILY, "release": "20261122"}
    found["plan"] = {"steps": [step], "notes": ["1"]}
    image = {
        "image_id": image_id(9),
        "name": "1",
        "visibility": "private",
        "what": "1",
        "advice": "1",
    }
    found |= {"copies": [image], "strays": [{**image, "status": "active", "created_at": at}]}
    path = folder / "operations.json"
    path.write_text(json.dumps(found))
    return str(path)


def unmarked(browser: Browser, pages: Pages, path: str, **settings: Any) -> list[str]:
    """Texts of a page, as far as they have words without a mark."""
    seen = pages.see(path, language=pseudo_locale.LANGUAGE, **settings)
    assert seen.status < 500, seen.raised

    def answer(route: Route) -> None:
        if route.request.url == f"{ADDRESS}{path}":
            route.fulfill(body=seen.body, content_type="text/html; charset=utf-8")
        else:
            route.abort()

    page = browser.new_page()
    try:
        page.route("**/*", answer)
        page.goto(f"{ADDRESS}{path}", wait_until="domcontentloaded")
        texts = page.evaluate(SHOWN)
    finally:
        page.close()
    assert any("\u27e6" in text for text in texts), "the translation is used at all"
    return [text for text in texts if re.search("[A-Za-z]", without_marked(text))]


def without_marked(text: str) -> str:
    before = ""
    while text != before:
        before, text = text, _MARKED.sub(" ", text)
    return _NO_WORDS.sub("", _PART.sub(" ", text))


USERS = {
    "systems": SYSTEMS,
    "search": f"{SYSTEMS}?q=1",
    "nothing": f"{SYSTEMS}?q=nothing",
    "family": f"{SYSTEMS}family/{FAMILY}",
    "release": f"{SYSTEMS}family/{FAMILY}/20261122",
    "superseded": f"{SYSTEMS}family/{FAMILY}/20260522",
    "retired": f"{SYSTEMS}family/{FAMILY}/20260222",
    "revoked": f"{SYSTEMS}family/{FAMILY}/{BAD}",
    "unknown": f"{SYSTEMS}family/{FAMILY}/20200101",
    "servers": f"{SYSTEMS}servers",
}


def test_every_text_for_users_is_translated(browser: Browser, pages: Pages, locale: Path) -> None:
    settings = {"LOCALE_PATHS": [str(locale)], "IMAGECYCLE_RETIRE_AFTER_DAYS": 90}
    found = {name: unmarked(browser, pages, path, **settings) for name, path in USERS.items()}
    bare = dataclasses.replace(pages, services={"identity": pages.services["identity"]})
    bare.services["image"] = "http://127.0.0.1:9"  # type: ignore[index]
    for path in (SYSTEMS, f"{SYSTEMS}servers"):
        found[f"without services, {path}"] = unmarked(browser, bare, path, **settings)
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_every_text_for_operators_is_translated(
    browser: Browser, pages: Pages, locale: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("{")
    other = tmp_path / "other"
    other.write_text('{"version": 9}')
    found: dict[str, list[str]] = {}
    every = ("", "next", "failures", "copies", f"family/{FAMILY}", "family/none-1-a-b")
    files = {told(tmp_path): every, None: ("",), "/nowhere": ("",)}
    files |= {str(broken): ("",), str(other): ("",)}
    for file, shown in files.items():
        for page in shown:
            found[f"{page}, {file}"] = unmarked(
                browser,
                pages,
                f"{OPERATIONS}{page}",
                roles=("admin",),
                LOCALE_PATHS=[str(locale)],
                IMAGECYCLE_OPERATIONS=file,
            )
    assert {name: texts for name, texts in found.items() if texts} == {}
