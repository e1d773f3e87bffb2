"""``imagecycle site`` before a real Glance."""

import json
import subprocess
import sys
from pathlib import Path

import feedparser
import jsonschema
import pytest

from imagecycle import cli
from integration.conftest import Box
from integration.proxy import Fault
from integration.publishing import SLUG, make, publish

pytestmark = pytest.mark.integration


@pytest.fixture
def site(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of two releases; the newer one brought a package."""
    monkeypatch.setenv("IMAGECYCLE_HOME", str(box.site.home))
    for release, packages in (("20260822", {"apt": "1"}), ("20261122", {"apt": "2", "jq": "1"})):
        make(box, release, 2**17, packages)
        publish(box, release=release)
    out = tmp_path / "www" / "site"
    assert write(out) == 0
    return out


def write(out: Path, cloud: str = "devcloud") -> int:
    return cli.main(
        ["site", "--cloud", cloud, "--out", str(out), "--address", "https://images.example"]
    )


def contents(site: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def test_people_and_programs_find_the_newest_release_and_what_is_new_in_it(
    box: Box, site: Path
) -> None:
    newest = box.glance.images(imagecycle_release="20261122")[0]
    changes = "packages: 1 added, 0 removed, 1 changed (+jq, apt)"
    assert newest.properties["imagecycle_changes"] == f"20260822: {changes}"
    assert changes in (site / f"families/{SLUG}/20261122.html").read_text()
    document = json.loads((site / "offering.json").read_text())
    jsonschema.validate(document, json.loads((site / "offering.schema.json").read_text()))
    (family,) = document["families"]
    assert (family["family"], family["current"]) == (SLUG, "20261122")
    feed = feedparser.parse(str(site / "feed.atom"))
    assert not feed.bozo
    assert feed.entries[0].link == f"https://images.example/families/{SLUG}/20261122.html"
    program = Path(sys.executable).with_name("sstream-query")
    form = "%(version_name)s %(id)s %(sha512)s"
    index = site / "streams/v1/index.json"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", program, "--max", "1", "-o", form, index],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert found.stdout.split() == ["20261122", newest.id, newest.hash_value]


def test_a_site_stays_as_it_is_while_nothing_changes_and_while_glance_has_a_bad_day(
    box: Box, site: Path
) -> None:
    before, number = contents(site), site.stat().st_ino
    assert write(site) == 0
    for fault in (
        Fault("GET", "/v2/images", answer=503),
        Fault("GET", "/v2/images", answer=403),
        Fault("GET", "/v2/images", lose_answer=True),
    ):
        box.proxy.reset()
        box.proxy.faults.append(fault)
        assert write(site, "faulty") == 1
    assert (contents(site), site.stat().st_ino) == (before, number)
    assert [path.name for path in site.parent.iterdir()] == ["site"]
    box.proxy.reset()
    box.glance.delete(box.glance.images(imagecycle_release="20260822")[0].id)
    assert write(site) == 0
    assert not (site / f"families/{SLUG}/20260822.html").exists(), "nothing stale is left"
