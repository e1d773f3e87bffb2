import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from openstack.config import loader

from bench.large_cloud import ADMIN, Answer, LargeCloud, Query, Sizes
from bench.large_cloud_server import clouds_file, serving
from imagecycle.cloud import paging
from imagecycle.cloud.errors import Incomplete
from imagecycle.cloud.projects import contacts
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.cloud.usage import collect
from imagecycle.site import Site

SERVERS = "/compute/v2.1/servers/detail"
SERVICES = "/compute/v2.1/os-services"
VOLUMES = "/volume/v3/volumes/detail"
SIZES = Sizes(images=20, servers=250, projects=7, volumes=60, page=25)


@pytest.fixture
def large() -> Iterator[LargeCloud]:
    with serving(SIZES) as cloud:
        yield cloud


@pytest.fixture
def session(large: LargeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudSession:
    monkeypatch.setattr(loader, "CONFIG_FILES", [])
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    (tmp_path / "clouds.yaml").write_text(clouds_file(large.url))
    opened = open_cloud("large", Site(home=tmp_path))
    large.requests.clear()
    return opened


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []
    monkeypatch.setattr(paging, "sleep", made.append)
    return made


def expected(large: LargeCloud) -> dict[tuple[str, str], Counter[str]]:
    """By image and project: the statuses of servers, and volumes as ``volume``."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for number in range(large.sizes.servers):
        image = large.image_id(large.image_of(number))
        project = large.project_id(large.project_of(number))
        found.setdefault((image, project), Counter())[large.status_of(number)] += 1
    for number in range(large.sizes.volumes):
        image = large.image_id(large.image_of(number))
        project = large.project_id(large.project_of(number))
        found.setdefault((image, project), Counter())["volume"] += 1
    return found


def listed(session: CloudSession, images: list[str] | None = None) -> dict[object, Counter[str]]:
    usage = collect(session, images=images)
    return {
        (image, project): Counter(use.servers)
        + Counter({"volume": use.volumes} if use.volumes else {})
        for image, projects in usage.by_image.items()
        for project, use in projects.items()
    }


def fail(path: str, *answers: Answer, marker: bool = True) -> object:
    """Give these answers to the first requests of a page after the first."""
    left = list(answers)

    def fault(asked: str, query: Query) -> Answer | None:
        if asked == path and ("marker" in query) == marker and left:
            return left.pop(0)
        return None

    return fault


def answer(status: int, **headers: str) -> Answer:
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}"


def test_every_server_and_volume_is_counted_once(large: LargeCloud, session: CloudSession) -> None:
    assert listed(session) == expected(large)


def test_what_the_clients_warn_of_is_shown_to_nobody(
    session: CloudSession, recwarn: pytest.WarningsRecorder
) -> None:
    """Python shows what is neither pending nor a deprecation."""
    collect(session)
    contacts(session, ["p"])
    kinds = {warning.category for warning in recwarn}
    assert {kind for kind in kinds if not issubclass(kind, PendingDeprecationWarning)} == set()


def test_the_number_of_requests_is_that_of_the_pages_and_a_constant(
    large: LargeCloud, session: CloudSession
) -> None:
    collect(session)
    assert large.requests == {
        SERVERS: SIZES.servers // SIZES.page + 1,
        VOLUMES: -(-SIZES.volumes // SIZES.page) + 1,
        SERVICES: 2,
        "/volume/v3/os-services": 1,
    }


def test_only_the_wanted_images_are_counted(large: LargeCloud, session: CloudSession) -> None:
    wanted = [large.image_id(number) for number in range(10)]
    found = listed(session, wanted)
    assert found == {key: use for key, use in expected(large).items() if key[0] in wanted}
    assert listed(session, []) == {}


def test_a_cloud_without_volumes_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with serving(Sizes()) as large:
        (tmp_path / "clouds.yaml").write_text(clouds_file(large.url))
        usage = collect(open_cloud("large", Site(home=tmp_path)))
    assert not usage.with_volumes
    assert usage.by_image


@pytest.mark.parametrize("path", [SERVERS, VOLUMES])
@pytest.mark.parametrize("status", [413, 429, 500, 502, 503, 504])
def test_a_page_that_fails_is_asked_for_again_from_its_marker(
    large: LargeCloud, session: CloudSession, waits: list[float], path: str, status: int
) -> None:
    large.fault = fail(path, *[answer(status)] * 3)  # type: ignore[assignment]
    assert listed(session) == expected(large)
    assert waits == [0.5, 1, 2]


def test_a_service_that_asks_for_patience_gets_it(
    large: LargeCloud, session: CloudSession, waits: list[float]
) -> None:
    large.fault = fail(SERVERS, answer(429, Retry_After="17"))  # type: ignore[assignment]
    assert listed(session) == expected(large)
    assert waits == [17]


def test_a_page_that_keeps_failing_makes_the_listing_incomplete(
    large: LargeCloud, session: CloudSession, waits: list[float]
) -> None:
    large.fault = fail(SERVERS, *[answer(503)] * 99)  # type: ignore[assignment]
    with pytest.raises(Incomplete, match=r"large: cannot list servers: 503 .*\(try 5\)"):
        collect(session)
    assert len(waits) == 4


def test_a_service_that_wants_an_hour_is_given_up_at_once(
    large: LargeCloud, session: CloudSession, waits: list[float]
) -> None:
    large.fault = fail(VOLUMES, answer(503, Retry_After="3600"))  # type: ignore[assignment]
    with pytest.raises(Incomplete, match="cannot list volumes"):
        collect(session)
    assert waits == []


def test_an_expired_token_is_renewed(large: LargeCloud, session: CloudSession) -> None:
    large.fault = fail(SERVERS, answer(401))  # type: ignore[assignment]
    assert listed(session) == expected(large)
    assert large.requests["/identity/v3/auth/tokens"] == 1


def test_half_an_answer_is_asked_for_again(
    large: LargeCloud, session: CloudSession, waits: list[float]
) -> None:
    large.fault = fail(SERVERS, (200, {}, b'{"servers": [{"id":'))  # type: ignore[assignment]
    assert listed(session) == expected(large)
    assert len(waits) == 1


@pytest.mark.parametrize("path", [SERVERS, SERVICES])
def test_who_may_not_list_all_projects_is_told_so(
    large: LargeCloud, session: CloudSession, path: str
) -> None:
    large.fault = fail(path, answer(403), marker=False)  # type: ignore[assignment]
    with pytest.raises(Incomplete, match="403") as caught:
        collect(session)
    assert "administrator's entry" in caught.value.hint


def test_a_cinder_that_would_hide_other_projects_volumes_is_noticed(
    large: LargeCloud, session: CloudSession
) -> None:
    forbidden = fail("/volume/v3/os-services", answer(403), marker=False)
    large.fault = forbidden  # type: ignore[assignment]
    with pytest.raises(Incomplete, match="403") as caught:
        collect(session)
    assert "administrators only" in caught.value.hint


@pytest.mark.parametrize("asked", [1, 2])
def test_a_cell_that_is_down_before_or_after_is_noticed(
    large: LargeCloud, session: CloudSession, asked: int
) -> None:
    def fault(path: str, _: Query) -> Answer | None:
        if path == SERVICES and large.requests[path] == asked:
            down = [
                {"host": f"c{n}", "binary": "nova-compute", "status": "UNKNOWN"} for n in "1234"
            ]
            return 200, {}, json.dumps({"services": down}).encode()
        return None

    large.fault = fault
    with pytest.raises(Incomplete, match="cell of Nova does not answer: that of c1, c2, c3 and 1"):
        collect(session)


def test_an_old_nova_that_cannot_tell_of_cells_is_fine(
    large: LargeCloud, session: CloudSession
) -> None:
    large.fault = fail(SERVICES, answer(406), answer(406), marker=False)  # type: ignore[assignment]
    assert listed(session) == expected(large)


def test_a_record_from_a_cell_that_is_down_is_noticed(
    large: LargeCloud, session: CloudSession
) -> None:
    part = {"id": "x", "tenant_id": ADMIN, "status": "UNKNOWN", "links": []}
    body = json.dumps({"servers": [part]}).encode()
    large.fault = fail(SERVERS, (200, {}, body))  # type: ignore[assignment]
    with pytest.raises(Incomplete, match="only part of server x"):
        collect(session)


def test_a_listing_that_goes_in_circles_is_an_error(
    large: LargeCloud, session: CloudSession, waits: list[float]
) -> None:
    first = large.answer("GET", SERVERS, {})
    large.fault = fail(SERVERS, *[first] * 9)  # type: ignore[assignment]
    with pytest.raises(Incomplete, match="leads back"):
        collect(session)
    assert waits == list(paging.PAUSES)


def test_a_page_that_leads_back_for_a_moment_does_no_harm(
    large: LargeCloud, session: CloudSession, waits: list[float]
) -> None:
    """As when the only server of a page is being made and gets its host meanwhile."""
    first = large.answer("GET", SERVERS, {})
    large.fault = fail(SERVERS, *[first] * 4)  # type: ignore[assignment]
    assert listed(session) == expected(large)
    assert waits == list(paging.PAUSES)


def test_a_listing_that_lost_all_its_markers_begins_anew(
    large: LargeCloud, session: CloudSession, waits: list[float]
) -> None:
    """As when the only server of a page was deleted before the next."""
    gone = [answer(400)] * 5
    large.fault = fail(SERVERS, *gone, *gone)  # type: ignore[assignment]
    assert listed(session) == expected(large)
    assert waits == list(paging.PAUSES)[:2]
    large.fault = fail(SERVERS, *gone * 5)  # type: ignore[assignment]
    with pytest.raises(Incomplete, match="removed meanwhile"):
        collect(session)


def test_records_that_shift_between_pages_count_once(
    large: LargeCloud, session: CloudSession
) -> None:
    """A server that was being built comes again once it has a host."""
    marker = {"marker": large.server_id(10)}
    overlapping = large.answer("GET", SERVERS, marker)
    large.fault = fail(SERVERS, overlapping)  # type: ignore[assignment]
    assert listed(session) == expected(large)


def test_a_marker_that_was_removed_meanwhile_is_replaced(
    large: LargeCloud, session: CloudSession
) -> None:
    def fault(path: str, query: Query) -> Answer | None:
        gone = (large.server_id(24), large.server_id(23))
        return answer(400) if path == SERVERS and query.get("marker") in gone else None

    large.fault = fault
    assert listed(session) == expected(large)


def test_few_images_are_asked_for_one_by_one(large: LargeCloud, session: CloudSession) -> None:
    image = large.image_id(3)
    asked: list[str | None] = []

    def fault(path: str, query: Query) -> Answer | None:
        if path == SERVERS:
            asked.append(query.get("image"))
        return None

    large.fault = fault
    found = listed(session, [image])
    assert set(asked) == {image}
    assert found == {key: use for key, use in expected(large).items() if key[0] == image}
