"""Waiting for what Nova does to a server that imagecycle has made."""

from __future__ import annotations

import time
from typing import Any

from imagecycle.cloud.errors import Refused, explained
from imagecycle.cloud.session import CloudSession
from imagecycle.errors import ImagecycleError, Unreachable

DELETION_LIMIT = 120.0
"""In seconds"""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0
_HINT = "read the log of nova-compute and nova-scheduler"


def wait(
    cloud: CloudSession,
    nova: Any,
    server_id: str,
    status: str,
    doing: str,
    *,
    limit: float,
    or_flavour: str = "",
) -> Any:
    """Wait for a server to come to rest in a status, or in ACTIVE with a flavour.

    :param nova: see :func:`imagecycle.cloud.clients.nova`.
    :param doing: what Nova was asked to do to it, for messages: "resize".
    :param limit: seconds.
    :param or_flavour: the id of the flavour that it is to have when it is ACTIVE.
    :returns: the server as Nova tells it.
    :raises ImagecycleError: when it comes to rest otherwise.
    :raises Unreachable: when it does not come to rest.
    """
    deadline = time.monotonic() + limit
    pause = _FIRST_PAUSE
    while True:
        with explained(cloud.name, f"read server {server_id}"):
            server = nova.get_server(server_id)
        if server.task_state is None:
            is_active = server.status == "ACTIVE"
            has_flavour = not or_flavour or server.flavor.id == or_flavour
            if server.status == status and (status != "ACTIVE" or has_flavour):
                return server
            if is_active and or_flavour and has_flavour:
                return server
            if server.status == "ERROR" or is_active:
                raise ImagecycleError(
                    f"{cloud.name}: Nova did not {doing} server {server_id}: {_fault(server)}",
                    hint=_HINT,
                )
        if time.monotonic() >= deadline:
            raise Unreachable(
                f"{cloud.name}: Nova did not {doing} server {server_id} within {limit:.0f} s: "
                f"it is {server.status}",
                hint=_HINT,
            )
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def delete(cloud: CloudSession, nova: Any, server_id: str) -> None:
    """Delete a server and wait until Nova knows it no more; one that is gone already is no error.

    Nova may list it for a moment longer, when it had no host yet: its conductor sees late
    that the order was withdrawn, and ends it by itself.

    :param nova: see :func:`imagecycle.cloud.clients.nova`.
    :raises Refused: when Nova does not want to.
    :raises Unreachable: when it stays.
    """
    deadline = time.monotonic() + DELETION_LIMIT
    pause = _FIRST_PAUSE
    try:
        with explained(cloud.name, f"delete server {server_id}"):
            nova.delete_server(server_id, ignore_missing=False)
        while time.monotonic() < deadline:
            with explained(cloud.name, f"read server {server_id}"):
                nova.get_server(server_id)
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
    except Refused as refused:
        if refused.status == 404:
            return
        raise
    raise Unreachable(
        f"{cloud.name}: server {server_id} is still there after {DELETION_LIMIT:.0f} s",
        hint=f"openstack {cloud.options} server delete {server_id}",
    )


def _fault(server: Any) -> str:
    message = str((server.fault or {}).get("message", ""))
    return message or f"it is {server.status} with flavour {server.flavor.id}"
