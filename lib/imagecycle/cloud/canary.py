"""A server of an ordinary user that is made to see whether it can be: started from an image,
rebuilt, resized, and deleted again whatever happens.

Through openstacksdk, with microversion 2.37 of Nova's API: the first in which a server needs no
network (https://docs.openstack.org/api-ref/compute/).
"""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from imagecycle import log
from imagecycle.cloud import clients, flavours, server_states
from imagecycle.cloud.errors import Refused, explained
from imagecycle.cloud.flavours import Flavour
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession, Retries
from imagecycle.errors import ImagecycleError

PREFIX = "imagecycle-canary-"
MARK = "imagecycle_canary"
"""Metadata of the server: the host that made it."""
STATE_LIMIT = 300.0
"""Seconds that a server may take to start, to be rebuilt or to be resized."""
_VERSION = "2.37"
_PASSING = Retries(2, (500, 502, 503, 504))
"""For what Nova, or what stands before it, may answer once about a server that is being made"""


class Canaries:
    """Servers in the project of one user. Every call raises ``Refused`` or ``Unreachable``."""

    def __init__(self, cloud: CloudSession) -> None:
        self._cloud = cloud
        address = cloud.endpoint("compute")
        if address is None:
            raise ImagecycleError(
                f"{cloud.name}: its catalog has no compute service",
                hint="a canary needs Nova; for trying: `imagecycle devcloud start --with-compute`",
            )
        self._nova = clients.nova(cloud, address, _VERSION, {"GET": _PASSING, "DELETE": _PASSING})

    def flavours(self, image: Image) -> Sequence[Flavour]:
        """Those that an image fits into, the smallest first.

        :raises ImagecycleError: when there is none.
        """
        return flavours.fitting(self._nova, self._cloud.name, image)

    @contextlib.contextmanager
    def server(self, image_id: str, flavour: Flavour) -> Iterator[str]:
        """A running server for the length of a ``with`` block; yields its id.

        :raises ImagecycleError: when it does not start; nothing of it is left.
        """
        with self._created(image_id, flavour) as server_id:
            self._await(server_id, "ACTIVE", "start")
            yield server_id

    def is_refused(self, image_id: str, flavour: Flavour) -> bool:
        """Whether Nova refuses to start a server because of its image.

        :returns: False when it takes the order; the server is deleted again.
        :raises Refused: when it refuses for another reason, which tells nothing of the image.
        """
        try:
            with self._created(image_id, flavour):
                return False
        except Refused as refused:
            if refused.status in (400, 404) and "image" in refused.message.split(": ", 2)[-1]:
                return True
            raise

    def rebuild(self, server_id: str, image_id: str) -> None:
        """Make a server anew from an image."""
        with self._doing(f"rebuild server {server_id}"):
            self._nova.rebuild_server(server_id, image=image_id)
        self._await(server_id, "ACTIVE", "rebuild")

    def resize(self, server_id: str, flavour: Flavour) -> None:
        """Give a server another flavour, and confirm it."""
        with self._doing(f"resize server {server_id}"):
            self._nova.resize_server(server_id, flavour.id)
        server = self._await(server_id, "VERIFY_RESIZE", "resize", or_flavour=flavour.id)
        if server.status == "VERIFY_RESIZE":
            with self._doing(f"confirm the resize of server {server_id}"):
                self._nova.confirm_server_resize(server_id)
            self._await(server_id, "ACTIVE", "confirm the resize of", or_flavour=flavour.id)

    def remove_leftovers(self) -> None:
        """Delete what runs on this machine left that could not clean up; hold a lock meanwhile."""
        for found in self._named(f"^{PREFIX}"):
            if (found.metadata or {}).get(MARK) == socket.gethostname():
                log.say(f"deleting server {found.id}, left by an earlier run")
                self._delete(found.id)

    @contextlib.contextmanager
    def _created(self, image_id: str, flavour: Flavour) -> Iterator[str]:
        name = f"{PREFIX}{secrets.token_hex(4)}"
        server_id = ""
        try:
            with self._doing(f"start a server from image {image_id}"):
                server_id = self._nova.create_server(
                    name=name,
                    image_id=image_id,
                    flavor_id=flavour.id,
                    networks="none",
                    metadata={MARK: socket.gethostname()},
                ).id
            yield server_id
        except Refused:
            if server_id:
                self._delete_or_say(server_id)
            raise
        except BaseException:
            # its answer may be lost; its name tells it
            self._delete_or_say(server_id or name)
            raise
        else:
            self._delete(server_id)

    def _await(self, server_id: str, status: str, doing: str, *, or_flavour: str = "") -> Any:
        return server_states.wait(
            self._cloud,
            self._nova,
            server_id,
            status,
            doing,
            limit=STATE_LIMIT,
            or_flavour=or_flavour,
        )

    def _delete_or_say(self, server: str) -> None:
        try:
            if server.startswith(PREFIX):
                server = next((found.id for found in self._named(f"^{server}$")), "")
            if server:
                self._delete(server)
        except ImagecycleError as error:
            log.warn(f"server {server} is left over ({error.message}); the next proof deletes it")

    def _delete(self, server_id: str) -> None:
        server_states.delete(self._cloud, self._nova, server_id)

    def _named(self, pattern: str) -> Sequence[Any]:
        """The servers of this project whose name is like that."""
        with self._doing("list servers"):
            return list(self._nova.servers(name=pattern))

    def _doing(self, what: str) -> AbstractContextManager[None]:
        return explained(self._cloud.name, what)
