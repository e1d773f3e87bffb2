"""The panel's pages in a real Horizon, before services that do what services do on bad days.

Without a web server and a browser: what a browser sees is in ``test_horizon.py``.
"""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dashboard import horizon_pages, other_horizon
from dashboard.documents import document, image_id
from dashboard.horizon_pages import Answer, Pages
from dashboard.small_cloud import Fault, SmallCloud, serving
from imagecycle.devcloud.layout import Layout
from imagecycle.site import Site

pytestmark = pytest.mark.integration

FAMILY = "debian-12-x86_64-server"
SYSTEMS = "project/operating_systems/"
SERVERS = f"{SYSTEMS}servers"
OF_FAMILY = f"{SYSTEMS}family/{FAMILY}"
OF_RELEASE = f"{OF_FAMILY}/20261122"
PAGES = (SYSTEMS, SERVERS, OF_FAMILY, OF_RELEASE)
INCOMPLETE = "This page is not complete."
FAULTS = {
    "refuses the session": (Fault(401), "does not accept your session: log out and in again."),
    "forbids": (Fault(403), "does not allow you to see this."),
    "fails": (Fault(500), "failed with status 500."),
    "is down": (Fault(503), "failed with status 503."),
    "hangs up": (Fault(silent_for=0.01), "does not answer."),
    "is silent": (Fault(silent_for=30), "has not answered in time ("),
    "drips": (Fault(drips_for=30), "has not answered in time ("),
    "is cut": (Fault(cut=True), "does not answer."),
    "tells half": (Fault(body=b'{"images": [{"id": '), "gave an answer that makes no sense."),
    "tells HTML": (Fault(body=b"<h1>Welcome</h1>"), "gave an answer that makes no sense."),
    "tells a list": (Fault(body=b"[1, 2]"), "gave an answer that makes no sense."),
    "tells an object": (Fault(body=b'{"images": {}}'), "gave an answer that makes no sense."),
    "tells nothing": (Fault(body=b'{"images": null}'), "gave an answer that makes no sense."),
    "tells of no images": (Fault(body=b'{"images": ["x"]}'), "gave an answer that makes no sense."),
}
MARKUP = "<script>taken()</script><img src=x onerror=taken()>"
ANGULAR = "{$ constructor.constructor('taken()')() $}"
TURNED = "\u202egpj.exe\u2066\x1b[31m\x07\u0000"
HOSTILE = f"{MARKUP}{ANGULAR}{TURNED}'\"--><!--"


def server(number: int, image: int = 1, **changes: Any) -> dict[str, Any]:
    found = {"id": image_id(1000 + number), "name": f"s{number}", "status": "ACTIVE"}
    found |= {"image": {"id": image_id(image)}, "flavor": {"id": "1"}, "addresses": {}, "links": []}
    return {**found, **changes}


def volume(number: int, image: int = 1) -> dict[str, Any]:
    found = {"id": image_id(2000 + number), "name": f"v{number}", "status": "available"}
    return {**found, "size": 1, "volume_image_metadata": {"image_id": image_id(image)}}


@pytest.fixture(
    scope="module",
    params=["", *(pytest.param(one, marks=pytest.mark.long) for one in other_horizon.RELEASES)],
    ids=lambda release: release or "current",
)
def horizon(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pages]:
    """The release that the development cloud has, and those before it."""
    layout = Layout.of(Site(home=tmp_path_factory.mktemp("panels")))
    if request.param:
        layout = other_horizon.ensure(layout, request.param)
    with horizon_pages.running(layout, tmp_path_factory.mktemp("horizon")) as pages:
        with serving(SmallCloud()) as cloud:
            first = dataclasses.replace(pages, services=cloud.services)
            for path in PAGES:
                first.see(path)  # Horizon reads its templates at first
        yield pages


@pytest.fixture
def cloud() -> Iterator[SmallCloud]:
    """With one current release, a server and a volume of it, and another image."""
    flavor = {"id": "1", "name": "small", "vcpus": 1, "ram": 512, "disk": 5}
    images = [document(1), document(2, of_nobody=True, name="another")]
    found = SmallCloud(images, [server(1)], [volume(1)], [flavor])
    with serving(found) as served:
        yield served


@pytest.fixture
def pages(horizon: Pages, cloud: SmallCloud) -> Pages:
    return dataclasses.replace(horizon, services=cloud.services)


def see(pages: Pages, path: str, **settings: Any) -> Answer:
    seen = pages.see(path, **{"IMAGECYCLE_TIMEOUT": 1, **settings})
    assert seen.status < 500, seen.raised
    assert seen.status != 302
    return seen


@pytest.mark.rotating(3)
@pytest.mark.parametrize("name", FAULTS)
def test_a_page_says_what_glance_did_not_tell(pages: Pages, cloud: SmallCloud, name: str) -> None:
    fault, why = FAULTS[name]
    cloud.faults["image"] = fault
    for path in (SYSTEMS, SERVERS, OF_FAMILY):
        seen = see(pages, path)
        assert f"The image service {why}" in seen.text
        assert INCOMPLETE in seen.text
        assert seen.seconds < 20, "a silent one is not waited for"
        assert "There is no operating system" not in seen.text
        assert "has no server or volume" not in seen.text


def test_a_page_without_glance_says_so(pages: Pages) -> None:
    closed = dataclasses.replace(pages, services={**pages.services, "image": "http://127.0.0.1:9/"})
    for path in PAGES:
        assert f"The image service does not answer. {INCOMPLETE}" in see(closed, path).text


def test_what_glance_told_is_shown_although_the_next_answer_failed(
    pages: Pages, cloud: SmallCloud
) -> None:
    cloud.faults["image"] = Fault(500, after=1)
    for path in (SYSTEMS, OF_FAMILY):
        cloud.asked.clear()
        seen = see(pages, path).text
        assert INCOMPLETE in seen
        assert "The image service failed with status 500." in seen


def test_what_glance_does_not_tell_at_once_is_said_to_be_there(
    pages: Pages, cloud: SmallCloud
) -> None:
    cloud.page = 1
    assert "Next page" in see(pages, SYSTEMS).text
    assert "There are more systems than one page can show." in see(pages, f"{SYSTEMS}?q=a").text
    assert "The family has more images than one page can show." in see(pages, OF_FAMILY).text


@pytest.mark.rotating(3)
@pytest.mark.parametrize("name", ["forbids", "fails", "is silent", "is cut", "tells HTML"])
def test_a_page_says_what_nova_did_not_tell(pages: Pages, cloud: SmallCloud, name: str) -> None:
    cloud.faults["compute"] = FAULTS[name][0]
    for path in (SYSTEMS, OF_FAMILY, SERVERS):
        seen = see(pages, path).text
        assert "The compute service " in seen
        assert INCOMPLETE in seen
        assert "none fits" not in seen
    assert "v1" in see(pages, SERVERS).text, "volumes are told by another service"


def test_servers_of_the_first_page_are_shown_although_the_second_failed(
    pages: Pages, cloud: SmallCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.servers = [server(number) for number in range(1500)]
    assert "and 1480 more" in see(pages, SERVERS).text
    cloud.asked.clear()
    cloud.faults["compute"] = Fault(500, after=1)
    seen = see(pages, SERVERS).text
    assert "and 980 more" in seen
    assert f"The compute service failed with status 500. {INCOMPLETE}" in seen


def test_all_servers_of_a_nova_with_small_pages_are_shown(pages: Pages, cloud: SmallCloud) -> None:
    cloud.servers = [server(number) for number in range(1000)]
    cloud.page = 400
    seen = see(pages, SERVERS).text
    assert "and 980 more" in seen
    assert INCOMPLETE not in seen


def test_servers_and_volumes_that_make_no_sense_hide_no_other(
    pages: Pages, cloud: SmallCloud
) -> None:
    odd: list[dict[str, Any]] = [{"id": one} for one in ("a/b", "", " ", "<b>", None, "x" * 5000)]
    odd += [{"name": one} for one in (None, "", "\u3164", "%s {0} {{ 7 }}", {"a": 1}, "a" * 5000)]
    servers = [*odd, {"status": None}]
    servers += [{"image": one} for one in ("", [], "x", {"id": 5}, {"id": None}, None, 7)]
    cloud.servers = [server(1), *({**server(n), **one} for n, one in enumerate(servers, 10))]
    metadata = "volume_image_metadata"
    volumes = [*odd, {metadata: None}, {metadata: {"image_id": {"a": 1}}}, {"attachments": None}]
    cloud.volumes = [volume(1), *({**volume(n), **one} for n, one in enumerate(volumes, 10))]
    seen = see(pages, SERVERS)
    assert "s1 active" in seen.text
    assert "v1 available" in seen.text
    assert "None" not in seen.text
    ours = seen.body.partition('id="content_body"')[2]
    assert not re.search(r"<a[^>]*>\s*(<bdi>\s*</bdi>)?\s*</a>", ours), "a link without words"
    cloud.servers = [{**server(n), **one} for n, one in enumerate(odd, 10)]
    cloud.images = []
    assert "cannot be rebuilt" in see(pages, SERVERS).text


def test_the_smallest_of_thousands_of_flavors_is_found(pages: Pages, cloud: SmallCloud) -> None:
    sizes = range(5000, 0, -1)
    cloud.flavors = [
        {"id": str(ram), "name": f"f{ram}", "vcpus": 1, "ram": ram, "disk": 5} for ram in sizes
    ]
    assert "f512" in see(pages, SYSTEMS, IMAGECYCLE_TIMEOUT=20).text


@pytest.mark.rotating(3)
@pytest.mark.parametrize("name", ["forbids", "fails", "is silent", "is cut", "tells HTML"])
def test_a_page_says_what_cinder_did_not_tell(pages: Pages, cloud: SmallCloud, name: str) -> None:
    cloud.faults["volume"] = FAULTS[name][0]
    seen = see(pages, SERVERS).text
    assert "The volume service " in seen
    assert INCOMPLETE in seen
    assert "s1" in seen


def without(pages: Pages, kind: str) -> Pages:
    left = {name: address for name, address in pages.services.items() if name != kind}
    return dataclasses.replace(pages, services=left)


def test_a_cloud_without_nova_has_nothing_to_launch(pages: Pages) -> None:
    bare = without(pages, "compute")
    for path in PAGES:
        seen = see(bare, path)
        assert INCOMPLETE not in seen.text, "nothing is missing that this cloud could tell"
        assert "Launch" not in seen.text
    said = "This cloud has no compute service: nothing can be launched."
    assert said in see(bare, SYSTEMS).text
    assert "only volumes are shown" in see(bare, SERVERS).text


def test_a_cloud_without_cinder_shows_servers(pages: Pages) -> None:
    seen = see(without(pages, "volumev3"), SERVERS).text
    assert "This cloud has no volume service: only servers are shown." in seen
    assert "s1" in seen
    assert INCOMPLETE not in seen


def test_who_may_make_no_servers_by_horizons_policy_has_nothing_to_launch(pages: Pages) -> None:
    for path in (SYSTEMS, OF_FAMILY, OF_RELEASE):
        assert "Launch" in see(pages, path).text
        seen = see(pages, path, POLICY_CHECK_FUNCTION="__main__.all_but_compute")
        assert "20261122" in seen.text
        assert "Launch" not in seen.text


@pytest.mark.parametrize("horizon", [""], indirect=True, ids=["current"])
def test_who_may_only_read_has_nothing_to_launch(pages: Pages) -> None:
    """The policy of Horizons before lets readers make servers too, in their own pages as well."""
    for path in (SYSTEMS, OF_FAMILY, OF_RELEASE):
        seen = see(pages, path, roles=("reader",))
        assert "20261122" in seen.text
        assert "Launch" not in seen.text


def test_a_user_without_rights_sees_nothing(pages: Pages, cloud: SmallCloud) -> None:
    for path in ("", "next", "failures", "copies", f"family/{FAMILY}"):
        cloud.asked.clear()
        assert see(pages, f"admin/operating_systems/{path}").status == 403
        assert cloud.asked == []


def test_a_family_without_a_current_release_says_so(pages: Pages, cloud: SmallCloud) -> None:
    cloud.images = [document(1, imagecycle_state="superseded", os_hidden=True)]
    seen = see(pages, OF_FAMILY).text
    assert "There is no current release at the moment." in seen
    assert "Launch" not in seen
    assert "There is no operating system with releases here." in see(pages, SYSTEMS).text
    assert "There is no current release at the moment." in see(pages, SERVERS).text


def test_servers_tell_what_an_update_brings_and_until_when_they_can_be_rebuilt(
    pages: Pages, cloud: SmallCloud
) -> None:
    older = {"os_hidden": True, "hw_disk_bus": "scsi"}
    revoked = {"imagecycle_state": "revoked", "visibility": "shared"}
    cloud.images = [
        document(1),
        document(2, imagecycle_release="20260822", imagecycle_state="superseded", **older),
        document(3, imagecycle_release="20260522", **revoked, **older),
    ]
    cloud.servers = [server(number, image=number) for number in (2, 3)]
    cloud.servers += [server(number, image=99) for number in range(10, 35)]
    cloud.volumes = []
    seen = see(pages, SERVERS).text
    assert "Your servers can be rebuilt as long as they exist." in seen
    assert "Until then they can be rebuilt." in seen
    assert "hw_disk_bus scsi → virtio" in seen
    assert "These servers cannot be rebuilt: their images are gone" in seen
    assert "s10" in seen
    assert "and 5 more" in seen
    assert "made from another image" not in seen
    cloud.faults["image"] = Fault(500, after=2)
    assert "cannot be rebuilt" not in see(pages, SERVERS).text, "nobody said that they are gone"


def test_what_is_not_there_is_not_found(pages: Pages) -> None:
    for path in ("family/none-1-x86_64-base", "family/%00", f"family/{FAMILY}/20200101"):
        assert see(pages, f"{SYSTEMS}{path}").status == 404
    for path in ("family/%E2%80%AEevil", f"family/{FAMILY}/%E2%80%AE2020"):
        seen = see(pages, f"{SYSTEMS}{path}")
        assert seen.status == 404
        assert "\u202e" not in seen.body.partition('id="footer"')[0]


@pytest.mark.parametrize("query", ["q=%00%1b", "after=x", "after=%00", "architecture=%3C"])
def test_a_question_that_makes_no_sense_is_answered(pages: Pages, query: str) -> None:
    assert see(pages, f"{SYSTEMS}?{query}").status == 200


class Elements(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag, *(name for name, _value in attrs if name.startswith("on"))]


def of_markup(page: str) -> set[str]:
    """What can execute, and does not belong to Horizon."""
    ours = page.partition('id="content_body"')[2].partition('id="footer"')[0]
    return {"script", "img", "onerror"} & set(Elements(ours).found)


def test_what_images_and_servers_are_called_executes_nothing(
    pages: Pages, cloud: SmallCloud
) -> None:
    texts = {
        "name": HOSTILE,
        "image_description": f"{HOSTILE}: {HOSTILE}",
        "image_original_user": MARKUP.replace(" ", ""),
        "os_purpose": HOSTILE,
        "imagecycle_revoked_reason": HOSTILE,
    }
    flavor = {"id": "1", "name": HOSTILE, "vcpus": 1, "ram": 512, "disk": 5}
    cloud.flavors = [flavor]
    cloud.images = [
        document(1, **texts),
        document(2, of_nobody=True, name=HOSTILE, visibility="shared", owner=HOSTILE),
        document(3, imagecycle_state="revoked", imagecycle_release="20260822", **texts),
    ]
    cloud.servers = [server(1, 1, name=HOSTILE), server(2, 3, name=HOSTILE, status=HOSTILE)]
    seen = [see(pages, path) for path in (*PAGES, f"{OF_FAMILY}/20260822")]
    seen.append(see(pages, f"{SYSTEMS}?q=%3Cscript%3E{{$1$}}&architecture=%22%3E%3Cscript%3E"))
    for page in seen:
        assert page.status == 200
        assert of_markup(page.body) == set()
        ours = page.body.partition('id="content_body"')[2].partition('id="footer"')[0]
        for character in "\u202e\u2066\x1b\x07\x00":
            assert character not in ours
        assert "{$ constructor" not in ours, "Horizon's scripts would execute it"
    assert all("taken()" in page.text for page in seen[:5]), "the text itself is shown"


NONSENSE: list[dict[str, Any]] = [
    {"imagecycle_release": "20261399"},
    {"imagecycle_release": "20261122.999999999"},
    {"imagecycle_release": "٢٠٢٦١١٢٢"},
    {"imagecycle_family": "../../admin"},
    {"imagecycle_family": "a-" * 100},
    {"imagecycle_state": "gone"},
    {"imagecycle_image_id": image_id(99)},
    {"imagecycle_checks": "-1"},
    {"imagecycle_checks": "9" * 400},
    {"maintained_until": "0001-01-01"},
    {"maintained_until": "9999-12-31"},
    {"maintained_until": "soon"},
    {"imagecycle_build_date": "0001-01-01T00:00:00+14:00"},
    {"imagecycle_verified": "9999-12-31T23:59:59-14:00"},
    {"imagecycle_superseded_at": "9999-12-31T23:59:59Z", "imagecycle_state": "superseded"},
    {"imagecycle_release": "99991231"},
    {"imagecycle_release": "00010101"},
    {"size": None},
    {"size": -1},
    {"size": 2**80},
    {"size": "large"},
    {"min_disk": 2**61, "min_ram": 2**61},
    {"name": None},
    {"name": {"a": [1]}},
    {"name": "x" * 100_000},
    {"image_description": ": "},
    {"image_description": "\u200b" * 50},
    {"imagecycle_flavour": "\u202eevil", "os_distro": "a b", "os_version": "", "architecture": "<"},
    {"imagecycle_successor": "javascript:alert(1)", "imagecycle_state": "revoked"},
    {"owner": None, "visibility": "anything"},
    {"created_at": 5, "tags": "no list", "os_hidden": "true"},
    {"id": "' || taken() || '"},
]


def test_images_that_make_no_sense_hide_no_other(pages: Pages, cloud: SmallCloud) -> None:
    good = document(5, imagecycle_family="alpine-3.20-x86_64-base", os_distro="alpine")
    wrong = []
    for number, nonsense in enumerate(NONSENSE, start=100):
        one = document(number, imagecycle_family=f"wrong-{number}-x86_64-base")
        one |= nonsense
        wrong.append(one)
    cloud.images = [*wrong, good]
    cloud.servers = [server(number, image=number) for number in range(100, 100 + len(wrong))]
    families = [f"{SYSTEMS}family/{one['imagecycle_family']}" for one in wrong]
    for path in (SYSTEMS, f"{SYSTEMS}?q=base", SERVERS, *families):
        seen = see(pages, path, IMAGECYCLE_RETIRE_AFTER_DAYS=10**9)
        assert "taken()" not in seen.body
    assert "alpine-3.20-x86_64-base" in see(pages, SYSTEMS).body


def test_nothing_of_another_project_is_shown(pages: Pages, cloud: SmallCloud) -> None:
    """What others share says of itself what it likes."""
    forged = {"visibility": "shared", "owner": "mallory", "imagecycle_release": "20990101"}
    cloud.images = [
        document(1),
        document(2, **forged),
        document(3, imagecycle_state="retired", **{**forged, "imagecycle_release": "20980101"}),
    ]
    cloud.servers = [server(1), server(2, image=3)]
    for path in (*PAGES, f"{OF_FAMILY}/20990101", f"{OF_FAMILY}/20980101"):
        shown = (
            see(pages, path).text.replace("release 20990101", "").replace("release 20980101", "")
        )
        assert "20990101" not in shown
        assert "20980101" not in shown
    assert see(pages, f"{OF_FAMILY}/20990101").status == 404


def test_a_page_asks_glance_three_times_at_most_and_shows_a_hundred_families(
    pages: Pages, cloud: SmallCloud
) -> None:
    families = [f"system{number // 5}-{number % 5}-x86_64-server" for number in range(400)]
    cloud.images = [
        document(
            number + 1,
            name=f"{family} 20261122",
            imagecycle_family=family,
            os_distro=family.split("-")[0],
            os_version=family.split("-")[1],
        )
        for number, family in enumerate(families)
    ]
    cloud.images += [document(9000 + number, of_nobody=True) for number in range(600)]
    cloud.servers = [server(number, image=number + 1) for number in range(300)]
    path, seen = SYSTEMS, set()
    for _page in range(4):
        cloud.asked.clear()
        page = see(pages, path).body
        assert len([path for path in cloud.asked if path.startswith("/image/")]) <= 3
        found = {family for family in families if f'/family/{family}"' in page}
        assert len(found) == 100
        seen |= found
        path = SYSTEMS + html.unescape(
            "".join(re.findall(r'"[^"]*(\?after=[^"]*)" rel="next"', page))
        )
    assert seen == set(families)
    assert path == SYSTEMS, "the last page has no next one"
    cloud.asked.clear()
    found_by_words = see(pages, f"{SYSTEMS}?q=server").text
    assert "400 of 400" in found_by_words
    assert "Only the first 100 are shown" in found_by_words
    assert "180 images that are used least were not looked up." in see(pages, SERVERS).text
    assert len([path for path in cloud.asked if path.startswith("/image/")]) <= 2 + 3


def test_an_architecture_is_chosen_by_glance(pages: Pages, cloud: SmallCloud) -> None:
    arm = {"imagecycle_family": "debian-12-aarch64-server", "architecture": "aarch64"}
    cloud.images = [document(1), document(2, **arm)]
    seen = see(pages, f"{SYSTEMS}?architecture=aarch64").body
    assert "debian-12-aarch64-server" in seen
    assert FAMILY not in seen
    assert any("architecture=aarch64" in path for path in cloud.asked)


OPERATIONS = "admin/operating_systems/"


def test_a_failure_links_to_jenkins_and_to_the_report(pages: Pages, tmp_path: Path) -> None:
    job, report = "https://jenkins.example/job/v/7/", "https://reports.example/verify.html"
    run = {"stage": "verify", "verdict": "defects", "url": job}
    verdict = {"release": "20261201", "verdict": "failed", "report": report, "reason": "no room"}
    family = {"family": FAMILY, "title": "Debian", "runs": [run], "unpublished": [verdict]}
    path = tmp_path / "operations.json"
    path.write_text(json.dumps({"version": 1, "families": [family]}))
    for page in ("failures", f"family/{FAMILY}"):
        seen = see(pages, f"{OPERATIONS}{page}", roles=("admin",), IMAGECYCLE_OPERATIONS=str(path))
        for address in (job, report):
            assert f'href="{address}"' in seen.body
        assert "no room" in seen.text


@pytest.mark.rotating(2)
@pytest.mark.parametrize("family", ["a/b", "", "..", HOSTILE, "a" * 500, "%2e%2e%2f"])
def test_the_operators_file_may_say_anything(pages: Pages, tmp_path: Path, family: str) -> None:
    release = {"release": HOSTILE, "state": HOSTILE, "image_id": "../x", "name": HOSTILE}
    release |= {"audit": [{"what": HOSTILE}], "used_by": [{"id": HOSTILE, "servers": {HOSTILE: 1}}]}
    of_family = {"family": family, "title": HOSTILE, "releases": [release]}
    of_family |= {"runs": [{"stage": HOSTILE, "verdict": "failed", "url": "javascript:taken()"}]}
    step = {"what": HOSTILE, "family": family, "release": HOSTILE}
    document = {
        "version": 1,
        "families": [of_family],
        "plan": {"steps": [step], "notes": [HOSTILE]},
    }
    document |= {
        "copies": [{"image_id": HOSTILE}],
        "strays": [{"image_id": HOSTILE}],
        "missing": [HOSTILE],
    }
    path = tmp_path / "operations.json"
    path.write_text(json.dumps(document))
    for page in ("", "next", "failures", "copies", f"family/{FAMILY}"):
        seen = see(pages, f"{OPERATIONS}{page}", roles=("admin",), IMAGECYCLE_OPERATIONS=str(path))
        assert seen.status == (404 if page.startswith("family") else 200)
        assert of_markup(seen.body) == set()
        assert "javascript:taken" not in seen.body
        assert "{$ constructor" not in seen.body
