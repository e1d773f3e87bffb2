"""The network of one server: found by the site's words, opened for SSH, and left as it was.

Through openstacksdk; what is made carries the server's name, by which it is found again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from imagecycle.cloud import clients
from imagecycle.cloud.errors import Refused, explained
from imagecycle.cloud.session import CloudSession, Retries
from imagecycle.errors import ImagecycleError, UnknownName, Unreachable, UsageError

SSH_PORT = 22
RELEASE_LIMIT = 60.0
"""Seconds that Neutron may take to let go of the security group of a server that is gone"""
_PASSING = Retries(2, (500, 502, 503, 504))
_PAUSE = 1.0
_SUGGESTED = 200
_QUOTA = (
    "the project's quota is used up: raise it, or delete what is not needed, then run this again"
)


@dataclass(frozen=True)
class Network:
    """A network that servers are in."""

    id: str
    name: str
    mtu: int = 0
    """0: not told"""
    resolvers: tuple[str, ...] = ()
    """Those that its subnets name; with none, Neutron's DHCP names its own"""
    external: bool = False


class Neutron:
    """The networks of a cloud, for one project. Calls raise ``Refused`` or ``Unreachable``."""

    def __init__(self, cloud: CloudSession) -> None:
        self._cloud = cloud
        address = cloud.endpoint("network")
        if address is None:
            raise ImagecycleError(
                f"{cloud.name}: its catalog has no network service",
                hint="a release is verified in clouds with Neutron",
            )
        self._neutron = clients.neutron(cloud, address, {"GET": _PASSING, "DELETE": _PASSING})

    def network(self, name: str) -> Network:
        """The network of a name or an id.

        :raises UnknownName: when there is none.
        :raises UsageError: when several have this name.
        """
        with self._doing(f"find network {name}"):
            found = list(self._neutron.networks(name=name)) or list(self._neutron.networks(id=name))
            if not found:
                known = [one.name for one in self._neutron.networks(limit=_SUGGESTED) if one.name]
                raise UnknownName(f"network in {self._cloud.name}", name, known)
            if len(found) > 1:
                raise UsageError(
                    f"{self._cloud.name} has {len(found)} networks of the name {name}",
                    hint=f"name one by its id: {', '.join(sorted(one.id for one in found))}",
                )
            subnets = list(self._neutron.subnets(network_id=found[0].id))
        resolvers = [str(one) for subnet in subnets for one in subnet.dns_nameservers or ()]
        return Network(
            found[0].id,
            found[0].name or found[0].id,
            int(found[0].mtu or 0),
            tuple(resolvers),
            bool(found[0].is_router_external),
        )

    def external(self, name: str) -> Network:
        """The network that floating addresses come from.

        :raises UsageError: when it gives none.
        """
        network = self.network(name)
        if not network.external:
            raise UsageError(
                f"{self._cloud.name}: network {name} gives no floating addresses: it is not "
                "external",
                hint="correct `floating_network`, or leave it out where the fixed address can be "
                "reached",
            )
        return network

    def security_group(self, name: str) -> str:
        """The id of one that the site names.

        :raises UnknownName: when there is none.
        """
        groups = self._groups()
        for one in groups:
            if name in (one.id, one.name):
                return str(one.id)
        raise UnknownName(
            f"security group in {self._cloud.name}", name, [str(one.name) for one in groups]
        )

    def open_for_ssh(self, name: str) -> str:
        """Make a security group that lets SSH in, and nothing else; returns its id."""
        with self._doing("make a security group", hints={409: _QUOTA}):
            group = self._neutron.create_security_group(
                name=name, description="a release is being verified; deleted at its end"
            )
            for family in ("IPv4", "IPv6"):
                self._neutron.create_security_group_rule(
                    security_group_id=group.id,
                    direction="ingress",
                    ether_type=family,
                    protocol="tcp",
                    port_range_min=SSH_PORT,
                    port_range_max=SSH_PORT,
                )
        return str(group.id)

    def float(self, name: str, server_id: str, external: Network) -> str:
        """Give a server a floating address; returns it.

        :raises Refused: when its network has no router to the external one, or none is left.
        """
        hints = {
            404: f"its network needs a router to {external.name}",
            400: f"its network needs a router to {external.name}",
            409: _QUOTA,
        }
        with self._doing("give the server a floating address", hints=hints):
            ports = list(self._neutron.ports(device_id=server_id))
            address = self._neutron.create_ip(
                floating_network_id=external.id,
                port_id=ports[0].id if ports else None,
                description=name,
            )
        return str(address.floating_ip_address)

    def names(self, prefix: str) -> Iterator[str]:
        """The names of runs that have left something here."""
        for one in self._addresses():
            if str(one.description or "").startswith(prefix):
                yield str(one.description)
        for group in self._groups():
            if str(group.name).startswith(prefix):
                yield str(group.name)

    def release_addresses(self, name: str) -> None:
        """Give back the floating addresses of a run."""
        for one in self._addresses():
            if one.description == name:
                with self._doing(f"give back {one.floating_ip_address}"), _gone():
                    self._neutron.delete_ip(one.id, ignore_missing=False)

    def remove_groups(self, name: str) -> None:
        """Delete the security groups of a run, once nothing uses them any more.

        :raises Refused: when they are in use after :data:`RELEASE_LIMIT`.
        """
        deadline = time.monotonic() + RELEASE_LIMIT
        for group in self._groups():
            while group.name == name:
                try:
                    with self._doing(f"delete security group {name}"), _gone():
                        self._neutron.delete_security_group(group.id, ignore_missing=False)
                    break
                except Refused as refused:
                    if refused.status != 409 or time.monotonic() > deadline:
                        raise
                time.sleep(_PAUSE)

    def _addresses(self) -> Sequence[Any]:
        with self._doing("list floating addresses"), _gone():  # or there never were any
            return list(self._neutron.ips(project_id=self._cloud.project_id))
        return []

    def _groups(self) -> Sequence[Any]:
        with self._doing("list security groups"):
            return list(self._neutron.security_groups(project_id=self._cloud.project_id))

    def _doing(
        self, what: str, hints: Mapping[int, str] | None = None
    ) -> AbstractContextManager[None]:
        return explained(self._cloud.name, what, hints=hints)


@contextlib.contextmanager
def _gone() -> Iterator[None]:
    """Nothing needs to be deleted that is not there."""
    from keystoneauth1.exceptions import NotFound

    with contextlib.suppress(NotFound):
        yield


def unreachable(cloud: str, address: str, why: str) -> Unreachable:
    """The error of an address that nothing answers at, though the server is up."""
    return Unreachable(
        f"{cloud}: the server is ACTIVE, but nothing answers at {address} from this machine: {why}",
        hint="look at routes, security groups and firewalls between this machine and that address, "
        "and at the server's console; `floating_network` in the site's settings gives it another",
    )
