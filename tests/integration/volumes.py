"""What users do with volumes, as plain functions over Cinder's API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from imagecycle.cloud.session import CloudSession

LIMIT = 120.0
SIZE = 5
"""GiB; an image says how much it needs"""
_POLL = 0.1


def request(cloud: CloudSession, method: str, path: str, **body: Any) -> Any:
    """The answer of Cinder; None when it has no body.

    :raises keystoneauth1.exceptions.HttpError: when Cinder refuses.
    """
    url = f"{cloud.endpoint('block-storage')}{path}"
    answer = cloud.session.request(url, method, json=body or None)
    return answer.json() if answer.content else None


def make(cloud: CloudSession, image: str | None) -> str:
    """Make a volume, from an image or empty, and wait until it is available; returns its id."""
    return make_many(cloud, [image])[0]


def make_many(cloud: CloudSession, images: Iterable[str | None]) -> list[str]:
    """Make volumes at the same time and wait until all are available; returns their ids."""
    made = []
    for image in images:
        source = {"imageRef": image} if image else {}
        made.append(
            request(cloud, "POST", "/volumes", volume={"size": SIZE, **source})["volume"]["id"]
        )
    for volume in made:
        await_status(cloud, volume, "available")
    return made


def show(cloud: CloudSession, volume: str) -> dict[str, Any]:
    """Cinder's record of a volume."""
    record: dict[str, Any] = request(cloud, "GET", f"/volumes/{volume}")["volume"]
    return record


def delete(cloud: CloudSession, *volumes: str) -> None:
    """Delete volumes, and wait until they are gone."""
    for volume in volumes:
        request(cloud, "DELETE", f"/volumes/{volume}")
    await_gone(cloud, *volumes)


def await_gone(cloud: CloudSession, *volumes: str) -> None:
    """Wait until volumes are gone."""
    gone = set(volumes)
    _await(lambda: not gone & set(_ids(cloud)), lambda: f"still there: {gone & set(_ids(cloud))}")


def delete_all(administrator: CloudSession) -> None:
    """Delete the volumes of all projects, whatever their status."""
    everywhere = "/volumes?all_tenants=1"
    for volume in _ids(administrator, everywhere):
        request(administrator, "POST", f"/volumes/{volume}/action", **{"os-force_delete": {}})
    _await(lambda: not _ids(administrator, everywhere), lambda: "there are volumes left")


def await_status(cloud: CloudSession, volume: str, wanted: str) -> None:
    """Wait until a volume has a status."""

    def there() -> bool:
        record = show(cloud, volume)
        assert not record["status"].startswith("error") or wanted == record["status"], record
        return bool(record["status"] == wanted)

    _await(there, lambda: f"{volume} does not become {wanted}: {show(cloud, volume)}")


def _ids(cloud: CloudSession, path: str = "/volumes") -> list[str]:
    return [one["id"] for one in request(cloud, "GET", path)["volumes"]]


def _await(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, complaint()
        time.sleep(_POLL)
