"""What Keystone tells of projects, and what it leaves out."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openstack.config import loader

from bench.large_cloud import Answer, LargeCloud, Query, Sizes
from bench.large_cloud_server import clouds_file, serving
from imagecycle.cloud import paging
from imagecycle.cloud.errors import Incomplete
from imagecycle.cloud.projects import contacts, member_addresses
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.site import Site

PROJECTS = "/identity/v3/projects"
USERS = "/identity/v3/users"
SIZES = Sizes(projects=25, page=10)


@pytest.fixture
def large() -> Iterator[LargeCloud]:
    with serving(SIZES) as cloud:
        yield cloud


@pytest.fixture
def session(large: LargeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudSession:
    monkeypatch.setattr(loader, "CONFIG_FILES", [])
    monkeypatch.setattr(paging, "PAUSES", ())
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    (tmp_path / "clouds.yaml").write_text(clouds_file(large.url))
    return open_cloud("large", Site(home=tmp_path))


def answering(path: str, document: object) -> object:
    def fault(asked: str, _: Query) -> Answer | None:
        return (200, {}, json.dumps(document).encode()) if asked == path else None

    return fault


def test_every_project_is_named_from_as_many_requests_as_there_are_pages(
    large: LargeCloud, session: CloudSession
) -> None:
    wanted = [large.project_id(number) for number in (1, 12, 24)]
    found = contacts(session, wanted)
    assert [found[one].name for one in wanted] == ["project-1", "project-12", "project-24"]
    assert found[wanted[0]].email == "owner-1@example.org"
    assert large.requests[PROJECTS] == 3


def test_a_keystone_without_pages_is_asked_once(large: LargeCloud, session: CloudSession) -> None:
    all_at_once = {"projects": [{"id": "p", "name": "n"}], "links": {"next": None}}
    large.fault = answering(PROJECTS, all_at_once)  # type: ignore[assignment]
    assert contacts(session, ["p"])["p"].name == "n"
    assert large.requests[PROJECTS] == 1


def test_a_listing_that_keystone_cuts_short_is_noticed(
    large: LargeCloud, session: CloudSession
) -> None:
    """As one from before 2025 does, whose list_limit is lower than the number of users."""
    part = {"users": [{"id": "u", "email": "a@example.org"}], "links": {}, "truncated": True}
    large.fault = answering(USERS, part)  # type: ignore[assignment]
    with pytest.raises(Incomplete, match="lists no more than 1 users") as caught:
        member_addresses(session, ["p"])
    assert "list_limit" in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"<html>", "no JSON document"), (b"[]", "no JSON document"), (b"{}", "has no users")],
)
def test_an_answer_that_is_no_listing_is_noticed(
    large: LargeCloud, session: CloudSession, answer: bytes, words: str
) -> None:
    large.fault = lambda path, _: (200, {}, answer) if path == USERS else None
    with pytest.raises(Incomplete, match=words):
        member_addresses(session, ["p"])
