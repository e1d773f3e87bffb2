"""Keystone as its administrator sees it, and its service catalog changed for the length of a
``with`` block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from imagecycle.cloud.session import CloudSession


@contextlib.contextmanager
def with_region(administrator: CloudSession, region: str, **urls: str) -> Iterator[None]:
    """Another region, with these services by their type."""
    ids = {one["type"]: one["id"] for one in ask(administrator, "GET", "/services")["services"]}
    with contextlib.ExitStack() as stack:
        ask(administrator, "POST", "/regions", region={"id": region})
        stack.callback(ask, administrator, "DELETE", f"/regions/{region}")
        for kind, url in urls.items():
            endpoint = {"service_id": ids[kind], "region_id": region, "interface": "public"}
            made = ask(administrator, "POST", "/endpoints", endpoint={**endpoint, "url": url})
            path = f"/endpoints/{made['endpoint']['id']}"
            stack.callback(ask, administrator, "DELETE", path)
        yield


@contextlib.contextmanager
def without(administrator: CloudSession, kind: str) -> Iterator[None]:
    """No services of a type."""
    found = ask(administrator, "GET", f"/services?type={kind}")["services"]
    with contextlib.ExitStack() as stack:
        for path in [f"/services/{one['id']}" for one in found]:
            ask(administrator, "PATCH", path, service={"enabled": False})
            stack.callback(ask, administrator, "PATCH", path, service={"enabled": True})
        yield


def ask(administrator: CloudSession, method: str, path: str, **body: object) -> Any:
    """What Keystone answers; an empty dictionary when it says nothing."""
    address = f"{administrator.endpoint('identity')}{path}"
    answer = administrator.call("ask Keystone", method, address, json=body or None)
    return answer.json() if answer.content else {}
