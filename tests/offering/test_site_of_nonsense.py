"""A site whatever images say of themselves, and whatever a Glance answers."""

import dataclasses
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from keystoneauth1 import session, token_endpoint

from dashboard.documents import PUBLISHER, document
from dashboard.small_cloud import Fault, SmallCloud, serving
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession
from imagecycle.errors import ImagecycleError, Unreachable
from offering.releases import image
from offering.test_site import HOSTILE, Page, pages, write

OTHER = "debian-12-x86_64-server"
"""A family that is as it should be"""
FIELDS: list[dict[str, Any]] = [
    {"name": ""},
    {"name": HOSTILE * 50},
    {"name": "\u3164\u2800"},
    {"name": "\ud800"},
    {"name": "x" * 100_000},
    {"name": "a" + "\u0301" * 1000},
    {"name": ["a", "list"]},
    {"size": -1, "min_disk": -3, "min_ram": -5},
    {"size": 2**80},
    {"size": "large"},
    {"size": None},
    {"size": True, "min_disk": 1.5, "min_ram": [1]},
    {"created_at": ""},
    {"created_at": "soon"},
    {"created_at": 7},
    {"created_at": "0001-01-01T00:00:00Z"},
    {"created_at": "9999-12-31T23:59:59-14:00"},
    {"visibility": "anything", "owner": HOSTILE, "status": "great", "hash_algo": HOSTILE},
]
"""What Glance itself says"""
PROPERTIES: list[dict[str, str]] = [
    {"release": "00010101"},
    {"release": "99991231"},
    {"imagecycle_family": "index-1"},
    {"imagecycle_family": "a-" * 74 + "a"},
    {
        "imagecycle_build_date": "0001-01-01T00:00:00Z",
        "imagecycle_verified": "0000-01-01T00:00:00Z",
    },
    {"state": "superseded", "imagecycle_superseded_at": "0001-01-01T00:00:00Z"},
    {"state": "superseded", "imagecycle_superseded_at": "9999-12-31T00:00:00Z"},
    {"state": "revoked", "imagecycle_revoked_at": "0099-01-01T00:00:00Z"},
    {"state": "revoked", "imagecycle_successor": "javascript:alert(1)"},
    {"state": "revoked", "imagecycle_revoked_reason": HOSTILE * 50},
    {"maintained_until": "0001-01-01"},
    {"maintained_until": "20280630"},
    {"imagecycle_checks": "9" * 400},
    {"imagecycle_checks": "\u0664"},
    {"description": ": "},
    {"description": "\u200b" * 50},
    {"description": HOSTILE * 100},
    {"description": "{{ 7 * 7 }}: {% raw %}"},
    {"imagecycle_flavour": HOSTILE, "os_distro": "a b", "architecture": "<"},
    {"os_distro": HOSTILE, "os_version": "../..", "architecture": "x" * 500},
    {"image_source": "javascript:alert(1)"},
    {"image_source": 'https://a.example/"onmouseover=alert(1)'},
    {"l1_support_contact": 'http://x" onclick="alert(1)'},
    {"image_original_user": "<script>"},
    {"imagecycle_changes": f"20261101: {HOSTILE * 40}"},
    {"patchlevel": "\x00\x1b[31m"},
    {"hw_nonsense": HOSTILE},
]
LEFT_OUT = [
    {"release": "00000101"},
    {"release": "20260230"},
    {"release": "20261122.0"},
    {"release": f"20261122.{'9' * 300}"},
    {"release": f"20261122.{'9' * 5000}"},
    {"release": "\u0662\u0660\u0662\u0666\u0661\u0661\u0662\u0662"},
    {"release": ""},
    {"state": "great"},
    {"imagecycle_family": ".."},
    {"imagecycle_family": "debian-12-x86_64-server.html"},
    {"imagecycle_family": "debian-12-x86_64-server.json"},
    {"imagecycle_family": "a-" * 100 + "a"},
]
"""Their identity makes no sense, or cannot stand in a file's name"""


def nonsense() -> Iterator[Image]:
    for number, said in enumerate([*PROPERTIES, *LEFT_OUT], start=1000):
        yield image(number, **{"imagecycle_family": f"odd-{number}-x86_64-base", **said})
    for number, told in enumerate(FIELDS, start=2000):
        one = image(number, imagecycle_family=f"odd-{number}-x86_64-base")
        yield dataclasses.replace(one, **told)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("nonsense") / "site", [*nonsense(), image(1)])


def test_an_image_that_makes_no_sense_hides_no_other(site: Path) -> None:
    families = json.loads((site / "offering.json").read_text())["families"]
    assert OTHER in {family["family"] for family in families}
    assert len(families) == 1 + len(PROPERTIES) + len(FIELDS)
    assert not (site / "families/debian-12-x86_64-server.html").is_dir()


def test_what_programs_read_keeps_to_its_form_whatever_images_say(site: Path) -> None:
    schema = json.loads((site / "offering.schema.json").read_text())
    jsonschema.validate(json.loads((site / "offering.json").read_text()), schema)
    json.loads((site / "streams/v1/images.json").read_text())
    for moment in ElementTree.parse(site / "feed.atom").iter(
        "{http://www.w3.org/2005/Atom}updated"
    ):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(moment.text))


def test_a_page_executes_nothing_whatever_images_say(site: Path) -> None:
    for path in pages(site):
        page = Page(path)
        assert page.handlers == []
        assert page.open == []
        assert not any(link.lower().startswith("javascript") for link in page.links)
        assert not re.search("[\u202e\x00\x07\x1b]", page.text)


def listed(cloud: SmallCloud) -> list[Image]:
    """What the site reads of a cloud."""
    way = session.Session(auth=token_endpoint.Token(f"{cloud.url}/image", "token"), timeout=5)
    found = CloudSession("cloud", way, PUBLISHER, f"{cloud.url}/image/v2", None)
    return list(Glance(found).each_image())


ANSWERS = {
    "HTML": b"<h1>Welcome</h1>",
    "half": b'{"images": [{"id": ',
    "nothing": b"",
    "no images": b"{}",
    "a list": b"[1, 2]",
    "a number": b"7",
    "null": b'{"images": null}',
    "words": b'{"images": ["x"]}',
    "an object": b'{"images": {"a": 1}}',
    "not text": b"\xff\xfe{",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_none_is_said_to_be_none(name: str) -> None:
    with serving(SmallCloud()) as cloud:
        cloud.faults["image"] = Fault(body=ANSWERS[name])
        with pytest.raises(Unreachable, match=r"makes no sense|is no JSON document"):
            listed(cloud)


def test_a_listing_that_is_cut_short_is_no_shorter_listing(tmp_path: Path) -> None:
    old = write(tmp_path / "site", [image(1), image(2, flavour="base")])
    before = {path: path.read_bytes() for path in old.rglob("*.*")}
    documents = [
        document(number, imagecycle_release=f"202611{number:02d}") for number in range(1, 8)
    ]
    with serving(SmallCloud(documents, page=3)) as cloud:
        assert len(listed(cloud)) == 7
        for fault in (Fault(403, after=4), Fault(body=b"[]", after=4), Fault(cut=True, after=4)):
            cloud.asked.clear()
            cloud.faults["image"] = fault
            with pytest.raises(ImagecycleError):
                write(old, listed(cloud))
    assert {path: path.read_bytes() for path in old.rglob("*.*")} == before


def test_an_image_that_lacks_what_every_image_has_is_an_answer_that_makes_no_sense() -> None:
    documents = [document(1), document(2, status=None)]
    with (
        serving(SmallCloud(documents)) as cloud,
        pytest.raises(Unreachable, match="makes no sense"),
    ):
        listed(cloud)
