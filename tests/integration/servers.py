"""What users do with servers, as plain functions over Nova's API.

Each returns when the server is where it was sent, and fails when it cannot get there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from imagecycle.cloud import canary
from imagecycle.cloud.session import CloudSession

LIMIT = 300.0
_CONDUCTOR_LIMIT = 15.0
_POLL = 0.1
_NO_NETWORK = {"OpenStack-API-Version": "compute 2.37"}


def request(cloud: CloudSession, method: str, path: str, **body: Any) -> Any:
    """The answer of Nova; None when it has no body.

    A question is asked again when Nova answers 500, as it may once about a server in the making.

    :raises keystoneauth1.exceptions.HttpError: when Nova refuses.
    """
    url = f"{cloud.endpoint('compute')}{path}"
    answer = cloud.session.request(
        url,
        method,
        headers=_NO_NETWORK,
        json=body or None,
        status_code_retries=2 if method == "GET" else 0,
        retriable_status_codes=[500, 503],
    )
    return answer.json() if answer.content else None


def boot(cloud: CloudSession, image: str, *, name: str = "server", flavor: str = "small") -> str:
    """Make a server and wait until it is ACTIVE; returns its id."""
    return boot_many(cloud, image, [name], flavor=flavor)[0]


def boot_many(
    cloud: CloudSession, image: str, names: Iterable[str], *, flavor: str = "small"
) -> list[str]:
    """Make servers at the same time and wait until all are ACTIVE; returns their ids."""
    made = []
    for name in names:
        server = {"name": name, "imageRef": image, "flavorRef": flavor, "networks": "none"}
        made.append(request(cloud, "POST", "/servers", server=server)["server"]["id"])
    for server_id in made:
        await_status(cloud, server_id, "ACTIVE")
    return made


def show(cloud: CloudSession, server: str) -> dict[str, Any]:
    """Nova's record of a server."""
    record: dict[str, Any] = request(cloud, "GET", f"/servers/{server}")["server"]
    return record


def stop(cloud: CloudSession, server: str) -> None:
    _act(cloud, server, "SHUTOFF", **{"os-stop": None})


def start(cloud: CloudSession, server: str) -> None:
    _act(cloud, server, "ACTIVE", **{"os-start": None})


def shelve(cloud: CloudSession, server: str) -> None:
    _act(cloud, server, "SHELVED_OFFLOADED", shelve=None)


def unshelve(cloud: CloudSession, server: str) -> None:
    _act(cloud, server, "ACTIVE", unshelve=None)


def rebuild(cloud: CloudSession, server: str, image: str) -> None:
    """Install a server anew from an image; a stopped one stays stopped."""
    before = show(cloud, server)["status"]
    _act(cloud, server, before, rebuild={"imageRef": image})


def resize(cloud: CloudSession, server: str, flavor: str) -> None:
    """Move a server to another flavor; :func:`confirm` or :func:`revert` ends it."""
    _act(cloud, server, "VERIFY_RESIZE", resize={"flavorRef": flavor})


def confirm(cloud: CloudSession, server: str) -> None:
    _act(cloud, server, "ACTIVE", "SHUTOFF", confirmResize=None)


def revert(cloud: CloudSession, server: str) -> None:
    _act(cloud, server, "ACTIVE", "SHUTOFF", revertResize=None)


def delete(cloud: CloudSession, *servers: str) -> None:
    """Delete servers, and wait until they are gone."""
    for server in servers:
        request(cloud, "DELETE", f"/servers/{server}")
    gone = set(servers)
    _await(lambda: not gone & set(_ids(cloud)), lambda: f"still there: {gone & set(_ids(cloud))}")


def delete_all(administrator: CloudSession) -> None:
    """Delete the servers of all projects."""
    delete(administrator, *_ids(administrator))


def canaries(administrator: CloudSession) -> list[str]:
    """The names of the canary servers of all projects."""
    found = request(administrator, "GET", "/servers?all_tenants=1")["servers"]
    return [one["name"] for one in found if one["name"].startswith(canary.PREFIX)]


def await_no_canary(administrator: CloudSession) -> None:
    """Fail when a canary stays, rather than when it is seen once more.

    Nova answers 404 for a server deleted before it had a host, and lists it again for the moment
    that the conductor needs to see that its order was withdrawn (``schedule_and_build_instances``
    in nova/conductor/manager.py).
    """
    deadline = time.monotonic() + _CONDUCTOR_LIMIT
    while found := canaries(administrator):
        assert time.monotonic() < deadline, f"left over: {found}"
        time.sleep(_POLL)


def await_status(cloud: CloudSession, server: str, *wanted: str) -> None:
    """Wait until a server has one of the statuses and nothing is being done to it."""

    def there() -> bool:
        record = show(cloud, server)
        assert record["status"] != "ERROR" or "ERROR" in wanted, record.get("fault", record)
        return record["status"] in wanted and record["OS-EXT-STS:task_state"] is None

    _await(there, lambda: f"{server} does not become {wanted}: {show(cloud, server)}")


def _act(cloud: CloudSession, server: str, *wanted: str, **action: Any) -> None:
    request(cloud, "POST", f"/servers/{server}/action", **action)
    await_status(cloud, server, *wanted)


def _ids(cloud: CloudSession) -> list[str]:
    """The first thousand servers that the asker may see, of all projects if he may."""
    project = cloud.session.auth.get_access(cloud.session)
    everywhere = "?all_tenants=1" if "admin" in project.role_names else ""
    return [one["id"] for one in request(cloud, "GET", f"/servers{everywhere}")["servers"]]


def _await(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, complaint()
        time.sleep(_POLL)
