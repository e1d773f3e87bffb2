import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.large_cloud import Answer, LargeCloud, Query, Sizes
from bench.large_cloud_server import clouds_file
from bench.large_cloud_server import serving as serving_cloud
from imagecycle.cli import main
from notices.mail_server import MailServer, serving

FAMILY = "debian-12-x86_64-site0"
RELEASE = "20250101"


@pytest.fixture
def large() -> Iterator[LargeCloud]:
    with serving_cloud(Sizes(images=10, servers=60, projects=7)) as cloud:
        yield cloud


@pytest.fixture
def server() -> Iterator[MailServer]:
    with serving() as state:
        yield state


@pytest.fixture(autouse=True)
def site(
    tmp_path: Path, large: LargeCloud, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clouds.yaml").write_text(clouds_file(large.url))
    smtp = {"host": "127.0.0.1", "port": server.port, "security": "none", "sender": "o@example.org"}
    (tmp_path / "site.yaml").write_text(json.dumps({"home": str(tmp_path), "smtp": smtp}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.setenv("IMAGECYCLE_SITE", str(tmp_path / "site.yaml"))
    monkeypatch.delenv("IMAGECYCLE_HOME", raising=False)


def notify(*words: str) -> int:
    return main(["notify", "--cloud", "large", FAMILY, RELEASE, *words])


def users(large: LargeCloud) -> set[int]:
    """The projects that use the release, but for its owner."""
    used = {
        large.project_of(number)
        for number in range(large.sizes.servers)
        if large.image_of(number) == 0
    }
    return used - {0}


def test_without_send_the_messages_are_printed_and_nothing_goes_out(
    large: LargeCloud, server: MailServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert notify() == 0
    out = capsys.readouterr().out
    reachable = {number for number in users(large) if number % 3}
    for number in reachable:
        assert f"To: owner-{number}@example.org" in out
    for number in users(large) - reachable:
        assert f"no address: project-{number} ({large.project_id(number)})" in out
    assert "to send with --send" in out.splitlines()[-1]
    assert server.taken == []


def test_a_second_run_sends_only_the_rest(
    large: LargeCloud, server: MailServer, capsys: pytest.CaptureFixture[str]
) -> None:
    reachable = sorted(number for number in users(large) if number % 3)
    assert len(reachable) > 1
    server.refused = {f"owner-{reachable[0]}@example.org"}
    assert notify("--send") == 1
    assert "the mail server refused 1 message:" in capsys.readouterr().err
    assert len(server.taken) == len(reachable) - 1
    server.refused = set()
    assert notify("--send") == 0
    assert server.taken[-1][0] == [f"owner-{reachable[0]}@example.org"]
    assert len(server.taken) == len(reachable)
    assert notify("--send") == 0
    assert len(server.taken) == len(reachable)
    assert f"{len(reachable)} told before" in capsys.readouterr().out


def test_what_was_sent_before_the_mail_server_went_away_is_not_sent_again(
    large: LargeCloud, server: MailServer
) -> None:
    reachable = [number for number in users(large) if number % 3]
    server.goes_away_after = 1
    assert notify("--send") == 1
    server.goes_away_after = None
    assert notify("--send") == 0
    assert len({tuple(to) for to, _ in server.taken}) == len(server.taken) == len(reachable)


def test_json_tells_every_message(large: LargeCloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert notify("--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert {entry["project"]["name"] for entry in document["messages"]} == {
        f"project-{number}" for number in users(large)
    }
    assert not any(entry["sent"] for entry in document["messages"])


def test_users_addresses_stand_in_for_a_projects_contact(
    large: LargeCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    lonely = next(number for number in users(large) if number % 3 == 0)

    def fault(path: str, query: Query) -> Answer | None:
        if path == "/identity/v3/users":
            found = [{"id": "u1", "email": "one@example.org"}, {"id": "u2", "email": None}]
            return 200, {}, json.dumps({"users": found, "links": {}}).encode()
        if path == "/identity/v3/role_assignments":
            mine = query["scope.project.id"] == large.project_id(lonely)
            roles = [{"user": {"id": "u1"}}, {"group": {"id": "g"}}, {"user": {"id": "u2"}}]
            answer = {"role_assignments": roles if mine else []}
            return 200, {}, json.dumps(answer).encode()
        return None

    large.fault = fault
    assert notify() == 0
    assert "To: one@example.org" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        ([], 2, "name a family and a release"),
        ([FAMILY], 2, "name a family and a release"),
        ([FAMILY, RELEASE, "--retired"], 2, "name a family and a release"),
        ([FAMILY, "20250102"], 2, "unknown release"),
        (["nothing", RELEASE], 2, "unknown family"),
        ([FAMILY, "20251001"], 2, "is current in large: there is nothing to tell"),
        ([FAMILY, RELEASE, "--template", "/nothing"], 2, "cannot read /nothing"),
        (["--retired"], 0, ""),
    ],
)
def test_bad_usage_is_named(
    words: list[str], code: int, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notify", "--cloud", "large", *words]) == code
    assert error in capsys.readouterr().err
