"""The accounts of the development cloud: Glance's own user, and a demo project with its user."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from imagecycle.devcloud.config import REGION
from imagecycle.devcloud.layout import Identity
from imagecycle.errors import Unreachable

PLAYERS = (
    ("alice", "alpha", "member"),
    ("bob", "beta", "member"),
    ("robot", "service", "member"),
)
"""Users of a development cloud with Nova: their project, and their role in it."""
FLAVORS = (("small", 1, 512, 5), ("medium", 1, 1024, 10), ("large", 2, 2048, 20))
"""Name, processors, MiB of memory, GiB of disk."""
NETWORK = "devcloud"
_ADDRESSES = "198.18.0.0/16"
"""Of the range for tests of networks (RFC 2544)"""
_LIMIT = 30.0
_RETRIES = 2
_DOMAIN = "default"


def ensure(identity: Identity) -> None:
    """Make what is missing of the accounts and of the service catalog; safe to repeat.

    :raises Unreachable: when Keystone does not carry it out.
    """
    with _told():
        keystone = _Keystone(identity)
        keystone.ensure("project", "service", domain=_DOMAIN)
        keystone.ensure_user("demo", identity, project="demo", role="member")
        _ensure_service(keystone, identity, "glance", "image", "glance")


def ensure_compute(identity: Identity) -> None:
    """Make what is missing of what Nova needs, and of the users to play with.

    :raises Unreachable: when Keystone does not carry it out.
    """
    with _told():
        keystone = _Keystone(identity)
        keystone.ensure("project", "service", domain=_DOMAIN)
        for user, kind, port in (
            ("nova", "compute", "nova-api"),
            ("placement", "placement", "placement"),
            ("neutron", "network", "neutron"),
            ("cinder", "block-storage", "cinder-api"),
        ):
            _ensure_service(keystone, identity, user, kind, port)
        for user, project, role in PLAYERS:
            keystone.ensure_user(user, identity, project=project, role=role)


def ensure_flavors(identity: Identity) -> None:
    """Make what is missing of the flavors.

    :raises Unreachable: when Nova does not carry it out.
    """
    from openstack.exceptions import SDKException

    with _told("Nova", SDKException):
        nova = _nova(identity)
        there = {flavor.name for flavor in nova.flavors(details=False)}
        for name, vcpus, ram, disk in FLAVORS:
            if name not in there:
                nova.create_flavor(id=name, name=name, vcpus=vcpus, ram=ram, disk=disk)


def ensure_network(identity: Identity) -> None:
    """Make the network that everybody may use, since Horizon starts no server without one.

    :raises Unreachable: when Neutron does not carry it out.
    """
    from openstack.exceptions import SDKException

    with _told("Neutron", SDKException):
        neutron = _neutron(identity)
        if next(neutron.networks(name=NETWORK), None) is None:
            made = neutron.create_network(name=NETWORK, is_shared=True)
            neutron.create_subnet(
                network_id=made.id, name=NETWORK, ip_version=4, cidr=_ADDRESSES, gateway_ip=None
            )


def _ensure_service(
    keystone: _Keystone, identity: Identity, user: str, kind: str, port: str
) -> None:
    keystone.ensure_user(user, identity, project="service", role="admin")
    # Without this role, requests that carry a service token are rejected with 401.
    keystone.grant("service", user, "service")
    keystone.ensure_endpoints(user, kind, identity.url(port))


@contextlib.contextmanager
def _told(who: str = "Keystone", *errors: type[Exception]) -> Iterator[None]:
    from keystoneauth1.exceptions import ClientException

    try:
        yield
    except (ClientException, *errors) as error:
        raise Unreachable(
            f"{who} of the development cloud does not take the accounts: {error}",
            hint="begin again with `imagecycle devcloud stop --purge`",
        ) from None


def _session(identity: Identity) -> Any:
    """The administrator's."""
    from keystoneauth1 import session
    from keystoneauth1.identity import v3

    auth = v3.Password(
        auth_url=identity.url("keystone"),
        username="admin",
        password=identity.passwords["admin"],
        project_name="admin",
        user_domain_id=_DOMAIN,
        project_domain_id=_DOMAIN,
    )
    return session.Session(auth, timeout=_LIMIT)


def _nova(identity: Identity) -> Any:
    """Nova as its administrator sees it, through openstacksdk."""
    return _connection(identity).compute


def _neutron(identity: Identity) -> Any:
    return _connection(identity).network


def _connection(identity: Identity) -> Any:
    from openstack.connection import Connection

    return Connection(
        session=_session(identity),
        compute_api_version="2.1",
        compute_endpoint_override=identity.url("nova-api"),
        network_endpoint_override=f"{identity.url('neutron')}/v2.0",
    )


class _Keystone:
    """Keystone as its administrator sees it, through python-keystoneclient."""

    def __init__(self, identity: Identity) -> None:
        from keystoneclient.v3.client import Client

        self._client = Client(
            session=_session(identity),
            endpoint_override=identity.url("keystone"),
            connect_retries=_RETRIES,
        )
        self._ids: dict[tuple[str, str], str] = {}

    def ensure(self, kind: str, name: str, **fields: str) -> str:
        """The id of a named thing, which is made when it is not there."""
        things = getattr(self._client, f"{kind}s")
        found = things.list(name=name)
        thing = found[0] if found else things.create(name, **fields)
        self._ids[kind, name] = str(thing.id)
        return self._ids[kind, name]

    def ensure_user(self, user: str, identity: Identity, *, project: str, role: str) -> None:
        """Make a user with a role in a project, and that project."""
        self.ensure("project", project, domain=_DOMAIN)
        self.ensure("user", user, domain=_DOMAIN, password=identity.passwords[user])
        self.grant(role, user, project)

    def grant(self, role: str, user: str, project: str) -> None:
        """Give a user a role in a project; both have been made sure of."""
        self._client.roles.grant(
            self.ensure("role", role),
            user=self._ids["user", user],
            project=self._ids["project", project],
        )

    def ensure_endpoints(self, service: str, kind: str, url: str) -> None:
        """Put a service into the catalog."""
        made = self.ensure("service", service, type=kind)
        endpoints = self._client.endpoints
        there = {found.interface for found in endpoints.list(service=made)}
        for interface in {"public", "internal", "admin"} - there:
            endpoints.create(made, url, interface=interface, region=REGION)
