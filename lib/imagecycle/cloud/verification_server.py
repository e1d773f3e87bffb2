"""A server of a release that is being verified in a cloud, and all that it needs there.

Everything is made under one name, which says on which machine and in which home it was made: the
server itself, its key, its security group and its floating address. They are removed at the end,
whatever happens. What a run leaves that was killed, the next run finds by its name and removes,
once the lock of that name is free: a run holds it as long as it lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagecycle import log
from imagecycle.cloud import clients, flavours, server_states
from imagecycle.cloud.errors import Refused, explained
from imagecycle.cloud.flavours import Flavour
from imagecycle.cloud.image import Image
from imagecycle.cloud.server_network import Network, Neutron
from imagecycle.cloud.session import CloudSession, Retries
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.site_sections import CloudVerification

PREFIX = "imagecycle-verify-"
_VERSION = "2.37"
_PASSING = Retries(2, (500, 502, 503, 504))
_QUOTA = (
    "the project's quota is used up: raise it, or delete servers that are not needed, then run "
    "this again"
)


@dataclass(frozen=True)
class Place:
    """What the site's words stand for in a cloud."""

    flavour: Flavour
    network: Network
    external: Network | None
    security_group: str
    """The id of the site's own; empty: one is made"""


@dataclass(frozen=True)
class RunningServer:
    """A server that is ACTIVE."""

    id: str
    name: str
    address: str
    """Where it can be reached: floating, else fixed"""
    mac: str
    """Of the card in the site's network; empty where Nova does not tell"""
    has_ipv6: bool
    has_config_drive: bool
    active_at: float
    """``time.monotonic()`` when it was seen to be ACTIVE"""


class VerificationServers:
    """Such servers in one cloud. Calls raise ``Refused`` or ``Unreachable``.

    :param home: the folder of this site's files, which tells its runs from those of others.
    """

    def __init__(self, cloud: CloudSession, home: Path) -> None:
        self._cloud = cloud
        address = cloud.endpoint("compute")
        if address is None:
            raise ImagecycleError(
                f"{cloud.name}: its catalog has no compute service",
                hint="a release is verified in clouds with Nova; for trying: "
                "`imagecycle devcloud start --with-compute`",
            )
        self._nova = clients.nova(cloud, address, _VERSION, {"GET": _PASSING, "DELETE": _PASSING})
        self.networks = Neutron(cloud)
        self._locks = home / "locks" / "verification"
        origin = f"{socket.gethostname()} {home.resolve()}"
        self._prefix = f"{PREFIX}{hashlib.sha256(origin.encode()).hexdigest()[:8]}-"

    def place(self, wanted: CloudVerification, image: Image) -> Place:
        """Look up what the site names, before anything is made.

        :raises UsageError: when it is not there, or not what is needed.
        """
        if not wanted.network:
            raise UsageError(
                f"the site does not say in which network of {self._cloud.name} a release is "
                "verified",
                hint=f"set `clouds: {{{self._cloud.name}: {{verify: {{network: NAME}}}}}}` in the "
                "site's settings",
            )
        if wanted.flavour:
            flavour = flavours.named(self._nova, self._cloud.name, wanted.flavour, image)
        else:
            flavour = flavours.fitting(self._nova, self._cloud.name, image)[0]
        external = wanted.floating_network
        group = wanted.security_group
        return Place(
            flavour,
            self.networks.network(wanted.network),
            self.networks.external(external) if external else None,
            self.networks.security_group(group) if group else "",
        )

    def remove_leftovers(self) -> None:
        """Remove what runs of this site left that were killed."""
        names = {one.name for one in self._servers(f"^{self._prefix}")}
        names |= {one.name for one in self._keys() if one.name.startswith(self._prefix)}
        names |= set(self.networks.names(self._prefix))
        for name in sorted(names):
            with self._held(name) as free:
                if free:
                    log.say(f"{self._cloud.name}: removing {name}, left by a run that was killed")
                    self._remove(name)

    @contextlib.contextmanager
    def server(
        self,
        image: Image,
        place: Place,
        *,
        public_key: str,
        user_data: str,
        limit: float,
    ) -> Iterator[RunningServer]:
        """A server that is ACTIVE, for the length of a ``with`` block.

        :param user_data: what it is told, in base64.
        :param limit: seconds that it may take to become ACTIVE.
        :raises ImagecycleError: when it does not; nothing of it is left.
        """
        name = f"{self._prefix}{secrets.token_hex(4)}"
        with self._held(name):
            try:
                server_id = self._create(name, image, place, public_key, user_data)
                server = server_states.wait(
                    self._cloud, self._nova, server_id, "ACTIVE", "start", limit=limit
                )
                active_at = time.monotonic()
                fixed, mac, has_ipv6 = _address(server, place.network)
                address = fixed
                if place.external is not None:
                    address = self.networks.float(name, server_id, place.external)
                if not address:
                    raise ImagecycleError(
                        f"{self._cloud.name}: server {server_id} has no address in network "
                        f"{place.network.name}",
                        hint="give that network a subnet",
                    )
                yield RunningServer(
                    server_id,
                    name,
                    address,
                    mac,
                    has_ipv6,
                    bool(server.has_config_drive),
                    active_at,
                )
            finally:
                self._remove_or_say(name)

    def status(self, server_id: str) -> str:
        """Nova's word for how it is."""
        with self._doing(f"read server {server_id}"):
            return str(self._nova.get_server(server_id).status)

    def console(self, server_id: str) -> str:
        """What it has said on its console so far.

        :raises Refused: when Nova does not tell.
        """
        hints = dict.fromkeys(
            (400, 403, 404, 409),
            "let the cloud's hypervisors keep console logs, or set `console: false` below `verify` "
            "of that cloud in the site's settings",
        )
        with self._doing(f"read the console of server {server_id}", hints=hints):
            return str(self._nova.get_server_console_output(server_id).get("output") or "")

    def _create(
        self, name: str, image: Image, place: Place, public_key: str, user_data: str
    ) -> str:
        with self._doing("keep a key", hints={403: _QUOTA}):
            self._nova.create_keypair(name=name, public_key=public_key)
        group = place.security_group or self.networks.open_for_ssh(name)
        doing = f"start a server of flavour {place.flavour.name} from image {image.id}"
        with self._doing(doing, hints={403: _QUOTA}):
            server = self._nova.create_server(
                name=name,
                image_id=image.id,
                flavor_id=place.flavour.id,
                networks=[{"uuid": place.network.id}],
                key_name=name,
                security_groups=[{"name": group}],
                user_data=user_data,
            )
        log.say(f"{self._cloud.name}: server {server.id} starts, flavour {place.flavour.name}")
        return str(server.id)

    def _remove_or_say(self, name: str) -> None:
        try:
            self._remove(name)
        except ImagecycleError as error:
            log.warn(
                f"{self._cloud.name}: {name} is left over ({error.message}); the next run removes "
                "it"
            )

    def _remove(self, name: str) -> None:
        """Remove all that has this name, also what a lost answer did not tell of.

        Each kind is tried; what failed first is raised.
        """
        failed: list[ImagecycleError] = []
        for remove in (
            self.networks.release_addresses,
            self._remove_servers,
            self.networks.remove_groups,
            self._remove_key,
        ):
            try:
                remove(name)
            except ImagecycleError as error:
                failed.append(error)
        if failed:
            raise failed[0]
        with contextlib.suppress(OSError):
            self._lock(name).unlink()

    def _remove_servers(self, name: str) -> None:
        for server in self._servers(f"^{name}$"):
            server_states.delete(self._cloud, self._nova, server.id)

    def _remove_key(self, name: str) -> None:
        try:
            with self._doing("delete a key"):
                self._nova.delete_keypair(name, ignore_missing=False)
        except Refused as refused:
            if refused.status != 404:
                raise

    def _servers(self, pattern: str) -> Sequence[Any]:
        with self._doing("list servers"):
            return list(self._nova.servers(name=pattern))

    def _keys(self) -> Sequence[Any]:
        with self._doing("list keys"):
            return list(self._nova.keypairs())

    def _lock(self, name: str) -> Path:
        return self._locks / f"{name}.lock"

    @contextlib.contextmanager
    def _held(self, name: str) -> Iterator[bool]:
        """Hold a run's lock; yields False while another process does."""
        self._locks.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _doing(
        self, what: str, hints: Mapping[int, str] | None = None
    ) -> AbstractContextManager[None]:
        return explained(self._cloud.name, what, hints=hints)


def _address(server: Any, network: Network) -> tuple[str, str, bool]:
    """The fixed address in a network, IPv4 first; its card's MAC; whether it has IPv6 there."""
    found: list[Mapping[str, Any]] = (server.addresses or {}).get(network.name, [])
    fixed = [one for one in found if one.get("OS-EXT-IPS:type", "fixed") == "fixed"]
    fixed.sort(key=lambda one: int(one.get("version", 4)))
    if not fixed:
        return "", "", False
    has_ipv6 = any(one.get("version") == 6 for one in fixed)
    return str(fixed[0]["addr"]), str(fixed[0].get("OS-EXT-IPS-MAC:mac_addr", "")), has_ipv6
