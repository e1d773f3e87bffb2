"""The end of a server that imagecycle has made."""

from __future__ import annotations

import time
from typing import Any

from imagecycle.cloud.errors import Refused, explained
from imagecycle.cloud.session import CloudSession
from imagecycle.errors import Unreachable

LIMIT = 120.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0


def delete(cloud: CloudSession, nova: Any, server_id: str) -> None:
    """Delete a server and wait until Nova knows it no more; one that is gone already is no error.

    Nova may list it for a moment longer, when it had no host yet: its conductor sees late
    that the order was withdrawn, and ends it by itself.

    :param nova: see :func:`imagecycle.cloud.clients.nova`.
    :raises Refused: when Nova does not want to.
    :raises Unreachable: when it stays.
    """
    deadline = time.monotonic() + LIMIT
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
        f"{cloud.name}: server {server_id} is still there after {LIMIT:.0f} s",
        hint=f"openstack {cloud.options} server delete {server_id}",
    )
