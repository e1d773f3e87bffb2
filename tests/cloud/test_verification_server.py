"""What a run makes in a cloud is removed, whatever happens."""

import contextlib
import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openstack.config import loader

from cloud.servers_standin import Answer, ServersCloud, clouds_file, serving
from imagecycle.cloud import server_network, server_states
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.image import Image
from imagecycle.cloud.limited_session import LimitedSession
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.cloud.verification_server import PREFIX, RunningServer, VerificationServers
from imagecycle.errors import ImagecycleError, UnknownName, Unreachable, UsageError
from imagecycle.site import Site
from imagecycle.site_sections import CloudVerification

IMAGE = Image.from_document(
    {"id": "i1", "status": "active", "visibility": "private", "min_disk": 3, "min_ram": 512}
)
WANTED = CloudVerification(network="internal")
FLOATING = CloudVerification(network="internal", floating_network="public", flavour="m1.medium")
LOST = ["servers", "os-keypairs", "security-groups", "floatingips"]


@pytest.fixture
def cloud() -> Iterator[ServersCloud]:
    with serving() as one:
        yield one


@pytest.fixture
def session(cloud: ServersCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudSession:
    monkeypatch.setattr(loader, "CONFIG_FILES", [])
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    (tmp_path / "clouds.yaml").write_text(clouds_file(cloud.url))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return open_cloud("cloud", Site(home=tmp_path))


@pytest.fixture
def servers(session: CloudSession, tmp_path: Path) -> VerificationServers:
    return VerificationServers(session, tmp_path)


@contextlib.contextmanager
def running(
    servers: VerificationServers, wanted: CloudVerification = WANTED, limit: float = 30
) -> Iterator[RunningServer]:
    place = servers.place(wanted, IMAGE)
    with servers.server(IMAGE, place, public_key="ssh-x", user_data="eA==", limit=limit) as one:
        yield one


def failing(method: str, path: str, status: int, message: str) -> Any:
    said = {"forbidden": {"code": status, "message": message}}

    def fault(asked: str, where: str) -> Answer | None:
        return (status, said) if asked == method and where.endswith(path) else None

    return fault


def test_a_server_is_as_the_site_says_and_is_gone_afterwards(
    cloud: ServersCloud, servers: VerificationServers
) -> None:
    with running(servers, FLOATING) as server:
        (made,) = cloud.servers
        assert made["flavorRef"] == "medium"
        assert made["networks"] == [{"uuid": "n1"}]
        assert made["key_name"] == cloud.keypairs[0]["name"] == server.name
        assert made["security_groups"] == [{"name": cloud.groups[0]["id"]}]
        assert made["user_data"] == "eA=="
        assert cloud.addresses[0]["floating_network_id"] == "n2"
        assert server.address == cloud.addresses[0]["floating_ip_address"]
        assert server.mac == "fa:16:3e:00:00:01"
        assert servers.status(server.id) == "ACTIVE"
        assert servers.console(server.id) == "debian login: "
    assert cloud.left == []


def test_the_smallest_flavour_and_the_fixed_address_are_taken_where_none_is_named(
    cloud: ServersCloud, servers: VerificationServers
) -> None:
    with running(servers) as server:
        assert cloud.servers[0]["flavorRef"] == "small"
        assert server.address.startswith("10.0.0.")
        assert cloud.addresses == []


def test_what_the_network_tells_is_known(servers: VerificationServers) -> None:
    network = servers.place(WANTED, IMAGE).network
    assert (network.mtu, network.resolvers) == (1442, ("10.9.9.9",))


def test_a_group_of_the_site_is_used_and_stays(
    cloud: ServersCloud, servers: VerificationServers
) -> None:
    cloud.groups.append({"id": "g", "name": "ssh"})
    with running(servers, CloudVerification(network="n1", security_group="ssh")):
        assert cloud.servers[0]["security_groups"] == [{"name": "g"}]
    assert cloud.left == [{"id": "g", "name": "ssh"}]


@pytest.mark.parametrize(
    ("wanted", "kind", "message", "hint"),
    [
        ({}, UsageError, "does not say in which network of cloud", "verify: {network: NAME}"),
        ({"network": "interal"}, UnknownName, "network in cloud: interal", "mean internal"),
        ({"network": "twice"}, UsageError, "2 networks of the name twice", "n3, n4"),
        ({"network": "n1", "flavour": "m1.smal"}, UnknownName, "flavour in cloud", "mean m1.small"),
        ({"network": "n1", "flavour": "tiny"}, UsageError, "m1.tiny .* is too small", "larger"),
        ({"network": "n1", "floating_network": "n1"}, UsageError, "not external", "floating_net"),
        ({"network": "n1", "security_group": "x"}, UnknownName, "security group in cloud", ""),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_made(
    cloud: ServersCloud,
    servers: VerificationServers,
    wanted: dict[str, str],
    kind: type[ImagecycleError],
    message: str,
    hint: str,
) -> None:
    with pytest.raises(kind, match=message) as caught:
        servers.place(CloudVerification(**wanted), IMAGE)
    assert hint in caught.value.hint
    assert {method for method, path in cloud.asked if "identity" not in path} <= {"GET"}


@pytest.mark.parametrize(
    ("method", "path", "status", "message", "hint"),
    [
        ("POST", "/servers", 403, "start a server .*Quota exceeded", "quota is used up"),
        ("POST", "/os-keypairs", 403, "keep a key: 403 Quota exceeded", "quota is used up"),
        ("POST", "/security-groups", 409, "make a security group: 409 Quota", "quota is used up"),
        ("POST", "/floatingips", 409, "a floating address: 409 Quota", "quota is used up"),
        ("POST", "/floatingips", 404, "a floating address: 404", "a router to public"),
    ],
)
def test_what_is_refused_is_said_and_nothing_is_left(
    cloud: ServersCloud,
    servers: VerificationServers,
    method: str,
    path: str,
    status: int,
    message: str,
    hint: str,
) -> None:
    cloud.fault = failing(method, path, status, "Quota exceeded for instances")
    with pytest.raises(Refused, match=message) as caught, running(servers, FLOATING):
        pass
    assert hint in caught.value.hint
    assert cloud.left == []


def test_a_server_in_error_is_said_with_novas_reason(
    cloud: ServersCloud, servers: VerificationServers
) -> None:
    cloud.outcome = "ERROR"
    with pytest.raises(ImagecycleError, match=r"did not start .* No valid host"), running(servers):
        pass
    assert cloud.left == []


def test_a_server_that_does_not_become_active_is_given_up(
    cloud: ServersCloud, servers: VerificationServers
) -> None:
    cloud.reads_until_active = 10**6
    with pytest.raises(Unreachable, match="within 0 s: it is BUILD"), running(servers, limit=0.05):
        pass
    assert cloud.left == []


@pytest.mark.parametrize("status", [400, 404, 409])
def test_a_console_that_nova_does_not_tell_is_said(
    cloud: ServersCloud, servers: VerificationServers, status: int
) -> None:
    cloud.console = (status, {"conflict": {"code": status, "message": "no console"}})
    with running(servers) as server, pytest.raises(Refused, match="read the console") as caught:
        servers.console(server.id)
    assert "console: false" in caught.value.hint


@pytest.mark.parametrize("path", LOST)
def test_what_was_made_and_not_told_of_is_removed(
    cloud: ServersCloud, servers: VerificationServers, path: str
) -> None:
    cloud.lost = lambda method, where: method == "POST" and where.endswith(path)
    with pytest.raises(Unreachable), running(servers, FLOATING):
        pass
    assert cloud.left == []


def test_a_group_that_is_in_use_for_a_moment_longer_is_removed(
    cloud: ServersCloud, servers: VerificationServers
) -> None:
    with running(servers):
        cloud.group_in_use = 3
    assert cloud.left == []


def test_what_cannot_be_removed_is_said_and_keeps_nothing_else(
    cloud: ServersCloud, servers: VerificationServers, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(servers) as server:
        cloud.fault = failing("DELETE", f"/os-keypairs/{server.name}", 403, "not allowed")
    assert cloud.left == cloud.keypairs
    assert "is left over" in capsys.readouterr().err
    cloud.fault = lambda *_: None
    servers.remove_leftovers()
    assert cloud.left == []


def test_an_interrupt_at_any_request_leaves_nothing(
    cloud: ServersCloud, servers: VerificationServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes when the cloud has done it, and the answer is not read any more."""
    ask = LimitedSession.request
    strike = 0

    def interrupted(self: LimitedSession, *args: Any, **more: Any) -> Any:
        nonlocal strike
        said = ask(self, *args, **more)
        strike -= 1
        if strike == 0:
            raise KeyboardInterrupt
        return said

    place = servers.place(FLOATING, IMAGE)
    monkeypatch.setattr(LimitedSession, "request", interrupted)
    for number in itertools.count(1):
        strike = number
        try:
            with servers.server(IMAGE, place, public_key="k", user_data="", limit=30):
                strike = 0
                break
        except KeyboardInterrupt:
            assert cloud.left == []
    assert cloud.left == []
    assert number > 6


def killed(servers: VerificationServers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that cannot clean up."""
    with monkeypatch.context() as patch:
        patch.setattr(VerificationServers, "_remove_or_say", lambda *_: None)
        with running(servers, FLOATING):
            pass


def test_the_next_run_removes_what_a_killed_one_left(
    cloud: ServersCloud, servers: VerificationServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(servers, monkeypatch)
    assert len(cloud.left) == 4
    with running(servers) as living:
        servers.remove_leftovers()
        assert [one["name"] for one in cloud.servers] == [living.name]
    assert cloud.left == []


def test_what_others_run_is_left_alone(
    cloud: ServersCloud,
    servers: VerificationServers,
    session: CloudSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of another site's home, of another machine, and what merely looks like it."""
    killed(VerificationServers(session, tmp_path / "other"), monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "gethostname", lambda: "other")
        killed(VerificationServers(session, tmp_path), monkeypatch)
    cloud.keypairs.append({"name": f"{PREFIX}mine"})
    before = list(cloud.left)
    servers.remove_leftovers()
    assert cloud.left == before


def test_a_server_that_stays_is_said(
    cloud: ServersCloud,
    servers: VerificationServers,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(server_states, "DELETION_LIMIT", 0.0)
    monkeypatch.setattr(server_network, "RELEASE_LIMIT", 0.0)
    with running(servers) as server:
        kept = list(cloud.servers)
        cloud.fault = lambda method, where: (
            (204, None) if method == "DELETE" and where.endswith(server.id) else None
        )
    assert cloud.servers == kept
    assert f"server {server.id} is still there" in " ".join(capsys.readouterr().err.split())
