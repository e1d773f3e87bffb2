"""A whole site, from images to files."""

import html.parser
import json
import subprocess
import sys
import tracemalloc
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import feedparser
import jsonschema
import pytest

from imagecycle.cloud.image import Image
from imagecycle.offering import stage
from imagecycle.offering.collection import Collection
from imagecycle.offering.place import Place
from imagecycle.offering.replacement import replaced
from imagecycle.site_sections import Retirement
from offering.releases import image, image_id, many

PLACE = Place("The <Cloud>", "RegionOne", "https://keystone.example/v3", "https://images.example")
HOSTILE = "<script>alert(1)</script>\"'&\u202e\u200f \u0645\u0631\u062d\u0628\u0627"
IMAGES = [
    *many(6, 3),
    image(101, version="13"),
    image(
        102,
        version="13",
        release="20261101",
        state="revoked",
        name=HOSTILE,
        description=f"{HOSTILE}: {HOSTILE}",
        imagecycle_revoked_at="2026-12-01T09:00:00Z",
        imagecycle_revoked_reason=HOSTILE,
        imagecycle_successor=image_id(101),
        l1_support_contact="javascript:alert(1)",
        hw_machine_type=HOSTILE,
    ),
    image(103, version="13", release="20261001", state="retired"),
    image(104, version="14", state="superseded", imagecycle_superseded_at="2026-11-22T12:00:00Z"),
    image(105, version="15", state="great"),
    image(106, imagecycle_family="../../etc"),
    image(107, imagecycle_image_id=image_id(101)),
]


def write(out: Path, images: Iterable[Image], place: Place = PLACE) -> Path:
    policy = Retirement.model_validate({})
    with replaced(out, stage.MARK) as tree, Collection() as collection:
        stage.collect(images, collection, lambda: ())
        stage.write_files(tree, collection, place, lambda _: policy)
    return out


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("offering") / "site", IMAGES)


class Page(html.parser.HTMLParser):
    """What a page links to, and which elements and attributes it is made of."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.handlers: list[str] = []
        self.scripts: list[str | None] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(path.read_text())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := found.get(name))]
        self.handlers += [name for name in found if name.startswith("on") or name == "style"]
        if found.get("id"):
            self.ids.add(str(found["id"]))
        if tag == "script":
            self.scripts.append(found.get("src"))
        if tag not in ("meta", "link", "input", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def document(site: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((site / "offering.json").read_text())
    return found


def test_every_link_leads_somewhere(site: Path) -> None:
    assert len(pages(site)) == 1 + 8 + 22
    for path in pages(site):
        page = Page(path)
        assert page.open == []
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https"
            elif parts.path:
                assert (path.parent / parts.path).is_file(), f"{path}: {link}"
            else:
                assert parts.fragment in page.ids


def test_nothing_of_an_image_is_executed(site: Path) -> None:
    for path in pages(site):
        page = Page(path)
        assert page.handlers == []
        assert [str(script).rpartition("/")[2] for script in page.scripts] == ["site.js"]
        assert not any(link.lower().startswith("javascript") for link in page.links)
        assert "\u202e" not in page.text
    revoked = Page(site / "families/debian-13-x86_64-server/20261101.html").text
    assert "Reason:  <script>alert(1)</script>" in revoked
    assert "javascript:alert(1)" in revoked


def test_nothing_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b" / "site", IMAGES)
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["site"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_same_cloud_gives_the_same_bytes(site: Path, tmp_path: Path) -> None:
    again = write(tmp_path / "site", reversed(IMAGES))
    for path in sorted(site.rglob("*")):
        if path.is_file():
            assert (again / path.relative_to(site)).read_bytes() == path.read_bytes()
    before = again.stat().st_ino
    write(again, IMAGES)
    assert again.stat().st_ino == before


def test_memory_does_not_grow_with_the_number_of_releases(tmp_path: Path) -> None:
    peaks = []
    for releases in (1, 4, 32):  # the first one reads the templates
        tracemalloc.start()
        try:
            write(tmp_path / str(releases), many(2, releases))
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[2] < 1.5 * peaks[1]


def test_the_document_keeps_to_its_schema(site: Path) -> None:
    schema = json.loads((site / "offering.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    families = document(site)["families"]
    assert len(families) == 8
    validator.validate(document(site))
    for family in families:
        alone = json.loads((site / f"families/{family['family']}.json").read_text())
        validator.validate(alone)
        assert alone["families"] == [family]


def test_the_schema_refuses_what_it_should(site: Path) -> None:
    schema = json.loads((site / "offering.schema.json").read_text())
    broken = document(site)
    broken["families"][0]["releases"][0]["state"] = "great"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def test_the_document_says_what_to_take_and_until_when(site: Path) -> None:
    families = {family["family"]: family for family in document(site)["families"]}
    server = families["debian-13-x86_64-server"]
    assert server["current"] == "20261122"
    assert [(one["release"], one["usable_by"]) for one in server["releases"]] == [
        ("20261122", "everyone"),
        ("20261101", "nobody"),
        ("20261001", "its users"),
    ]
    assert server["releases"][1]["successor"] == image_id(101)
    (superseded,) = families["debian-14-x86_64-server"]["releases"]
    assert families["debian-14-x86_64-server"]["current"] is None
    assert superseded["usable_until"] == "2027-02-20"


def test_the_feed_tells_of_releases_and_revocations(site: Path) -> None:
    feed = feedparser.parse(str(site / "feed.atom"))
    assert not feed.bozo, feed.get("bozo_exception")
    assert feed.feed.title == "Operating systems of The <Cloud>"
    newest = feed.entries[0]
    assert newest.title.startswith("Revoked: ")
    assert newest.updated == feed.feed.updated == "2026-12-01T09:00:00Z"
    assert newest.link == "https://images.example/families/debian-13-x86_64-server/20261101.html"
    assert image_id(101) in newest.summary
    assert len({entry.id for entry in feed.entries}) == len(feed.entries) == 22 + 1


def test_an_empty_cloud_gives_a_site_that_says_so(tmp_path: Path) -> None:
    site = write(tmp_path / "site", [])
    assert "There is none yet." in Page(site / "index.html").text
    assert document(site)["families"] == []
    assert feedparser.parse(str(site / "feed.atom")).entries == []
    assert json.loads((site / "streams/v1/images.json").read_text())["products"] == {}


def test_simplestreams_names_the_images_that_everyone_can_use(site: Path) -> None:
    index = json.loads((site / "streams/v1/index.json").read_text())
    (entry,) = index["index"].values()
    products = json.loads((site / entry["path"]).read_text())
    assert sorted(entry["products"]) == sorted(products["products"])
    assert entry["clouds"] == [{"region": "RegionOne", "endpoint": "https://keystone.example/v3"}]
    server = products["products"]["debian-13-x86_64-server"]
    assert (server["arch"], server["version"]) == ("amd64", "13")
    assert list(server["versions"]) == ["20261122"]
    (item,) = server["versions"]["20261122"]["items"].values()
    assert item["id"] == image_id(101)


def test_a_tool_of_the_field_finds_the_newest_release_and_its_checksum(site: Path) -> None:
    """Canonical's own, which comes with the library that the format's description names."""
    program = Path(sys.executable).with_name("sstream-query")
    index = site / "streams/v1/index.json"
    words = ["--json", "--max", "1", index, "version=13", "os=debian"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", program, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (found,) = json.loads(done.stdout)
    told = {name: found[name] for name in ("version_name", "id", "sha512", "size", "endpoint")}
    assert told == {
        "version_name": "20261122",
        "id": image_id(101),
        "sha512": "2f" * 64,
        "size": str(700 * 2**20),
        "endpoint": "https://keystone.example/v3",
    }


def test_a_release_says_what_changed_since_the_one_before(tmp_path: Path) -> None:
    older = image(1, release="20261101", state="superseded", imagecycle_checks="40")
    told = "20261101: packages: 1 added, 0 removed, 0 changed (+jq)"
    newer = image(2, hw_machine_type="q35", imagecycle_changes=told)
    site = write(tmp_path / "site", [older, newer])
    text = " ".join(Page(site / "families/debian-12-x86_64-server/20261122.html").text.split())
    assert "What changed since 20261101 packages: 1 added, 0 removed, 0 changed (+jq)" in text
    assert text.count("(+jq)") == 1
    assert "Checks passed 40 47" in text
    assert "hw_machine_type nothing q35" in text


def test_the_feed_is_xml_whatever_an_image_is_called(tmp_path: Path) -> None:
    site = write(
        tmp_path / "site",
        [image(1, description="a \x00\x1f\ufffe & <b>: x", imagecycle_revoked_reason="\x08")],
    )
    ElementTree.parse(site / "feed.atom")
