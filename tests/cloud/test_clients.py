"""The field's clients keep our limits, tries and words."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keystoneauth1.exceptions import HttpError
from openstack.config import loader

from bench.large_cloud import Answer, LargeCloud, Query, Sizes
from bench.large_cloud_server import clouds_file, serving
from imagecycle.cloud import clients
from imagecycle.cloud.canary import Canaries
from imagecycle.cloud.errors import Refused, explained
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.namespace import Definitions
from imagecycle.cloud.session import CloudSession, Retries, open_cloud
from imagecycle.errors import ImagecycleError, Unreachable
from imagecycle.site import Site

LIB = Path(__file__).parents[2] / "lib"
Ask = Callable[[CloudSession], object]


def ask_glance(cloud: CloudSession) -> object:
    return Glance(cloud).image("1")


def ask_glance_for_definitions(cloud: CloudSession) -> object:
    return Definitions(cloud).read()


def ask_nova(cloud: CloudSession) -> object:
    return Canaries(cloud).flavours(Glance(cloud).images()[0])


def ask_cinder(cloud: CloudSession) -> object:
    with explained(cloud.name, "list volumes"):
        address = str(cloud.endpoint("block-storage"))
        return clients.cinder(cloud, address).get("/volumes/detail").json()


def ask_keystone(cloud: CloudSession) -> object:
    with explained(cloud.name, "list users"):
        address = str(cloud.endpoint("identity"))
        return clients.keystone(clients.limited(cloud), address).users.list()


ASKED: dict[Ask, str] = {
    ask_glance: "/image/v2/images/1",
    ask_glance_for_definitions: "/image/v2/metadefs/namespaces/imagecycle",
    ask_nova: "/compute/v2.1/flavors/detail",
    ask_cinder: "/volume/v3/volumes/detail",
    ask_keystone: "/identity/v3/users",
}


@pytest.fixture
def large() -> Iterator[LargeCloud]:
    with serving(Sizes(images=4, volumes=4)) as cloud:
        yield cloud


@pytest.fixture
def session(large: LargeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudSession:
    monkeypatch.setattr(loader, "CONFIG_FILES", [])
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    (tmp_path / "clouds.yaml").write_text(clouds_file(large.url))
    return open_cloud("large", Site(home=tmp_path))


def answer(large: LargeCloud, path: str, *answers: Answer) -> None:
    """Give these answers to the first requests, then the stand-in's own."""
    left = list(answers)

    def fault(asked: str, _: Query) -> Answer | None:
        return left.pop(0) if asked == path and left else None

    large.fault = fault


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
@pytest.mark.parametrize("status", [400, 403, 406, 409, 410, 413, 422, 429])
def test_an_answer_that_says_no_keeps_its_status_and_reason(
    large: LargeCloud, session: CloudSession, ask: Ask, status: int
) -> None:
    """Also those that a client has no exception for."""
    reason = json.dumps({"error": {"code": status, "message": "because"}}).encode()
    answer(large, ASKED[ask], *[(status, {}, reason)] * 9)
    with pytest.raises(Refused, match=rf"large: cannot .*: {status} because") as caught:
        ask(session)
    assert caught.value.status == status
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_service_that_is_broken_is_said(
    large: LargeCloud, session: CloudSession, ask: Ask, status: int
) -> None:
    answer(large, ASKED[ask], *[(status, {}, b"")] * 9)
    with pytest.raises(Unreachable, match=rf"large: cannot .*: {status}"):
        ask(session)


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_a_service_that_does_not_answer_in_time_is_given_up(
    large: LargeCloud, session: CloudSession, ask: Ask
) -> None:
    late = threading.Event()

    def fault(asked: str, _: Query) -> Answer | None:
        if asked == ASKED[ask]:
            late.wait(5)
        return None

    large.fault = fault
    session.session.timeout = 0.2
    with pytest.raises(Unreachable, match=r"large: cannot .*: no answer in time"):
        ask(session)
    late.set()


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_an_answer_that_breaks_off_is_no_defect(
    large: LargeCloud, session: CloudSession, ask: Ask
) -> None:
    whole = {"Content-Length": "500"}
    answer(large, ASKED[ask], *[(200, whole, b'{"images": [')] * 9)
    with pytest.raises(Unreachable, match="large: cannot "):
        ask(session)


@pytest.mark.parametrize("ask", [ask_glance, ask_glance_for_definitions, ask_nova])
def test_a_question_is_asked_again_when_the_service_is_away_for_a_moment(
    large: LargeCloud, session: CloudSession, ask: Ask
) -> None:
    answer(large, ASKED[ask], *[(503, {}, b"")] * 2, (409, {}, b"{}"))
    with pytest.raises(Refused, match="409"):
        ask(session)
    assert large.requests[ASKED[ask]] == 3


def test_a_listing_of_images_that_breaks_off_is_no_shorter_list(
    large: LargeCloud, session: CloudSession
) -> None:
    answer(large, "/image/v2/images", (200, {}, b'{"images": [{"id":'))
    with pytest.raises(Unreachable, match="cannot list images: an answer is no JSON document"):
        Glance(session).images()


def test_what_may_not_happen_twice_is_asked_for_once(
    large: LargeCloud, session: CloudSession
) -> None:
    answer(large, "/image/v2/images", *[(503, {}, b"")] * 9)
    large.requests.clear()
    with pytest.raises(Unreachable, match="cannot create an image: 503"):
        Glance(session).create({"name": "n"})
    assert large.requests["/image/v2/images"] == 1


def test_an_image_that_glance_would_refuse_is_refused_in_one_line(session: CloudSession) -> None:
    """glanceclient sees by itself that it does not fit Glance's schema."""
    with pytest.raises(Refused, match="400 Unable to set 'name'") as caught:
        Glance(session).create({"name": "n" * 256})
    assert "\n" not in caught.value.message


def test_a_service_is_never_asked_for_its_versions(
    large: LargeCloud, session: CloudSession
) -> None:
    """What a catalog says is used: versions may be hidden, or name addresses of the inside."""
    large.requests.clear()
    for ask in ASKED:
        with pytest.raises((ImagecycleError, HttpError)):
            ask(session)
            raise HttpError  # Cinder answers
    paths = {path.rstrip("/") for path in large.requests}
    assert paths.isdisjoint({"/image", "/image/v2", "/compute/v2.1", "/volume/v3", "/identity/v3"})


def test_retries_are_for_the_methods_that_were_named(
    large: LargeCloud, session: CloudSession
) -> None:
    answer(large, "/somewhere", *[(500, {}, b"")] * 3)
    patient = clients.limited(session, {"GET": Retries(2, (500,))})
    large.requests.clear()
    for method, asked in (("POST", 1), ("GET", 3)):
        with pytest.raises(HttpError):
            patient.request(f"{large.url}/somewhere", method)
        assert large.requests.pop("/somewhere") == asked


def test_only_the_client_that_is_needed_is_loaded(session: CloudSession, tmp_path: Path) -> None:
    """Each takes a tenth of a second."""
    program = (
        "import sys\n"
        "from imagecycle.cloud.glance import Glance\n"
        "from imagecycle.cloud.session import open_cloud\n"
        "from imagecycle.site import Site\n"
        f"cloud = open_cloud('large', Site(home={str(tmp_path)!r}))\n"
        "assert 'glanceclient' not in sys.modules\n"
        "Glance(cloud).images()\n"
        "assert 'glanceclient' in sys.modules\n"
        "assert 'keystoneclient' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(LIB), "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
