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
_LIMIT = 30.0


def ensure(identity: Identity) -> None:
    """Make what is missing of the accounts and of the service catalog; safe to repeat.

    :raises Unreachable: when Keystone does not carry it out.
    """
    with _told():
        keystone = _Keystone(identity)
        keystone.ensure("project", "service", domain_id="default")
        keystone.ensure_user("demo", identity, project="demo", role="member")
        _ensure_service(keystone, identity, "glance", "image", "glance")


def ensure_compute(identity: Identity) -> None:
    """Make what is missing of what Nova needs, and of the users to play with.

    :raises Unreachable: when Keystone does not carry it out.
    """
    with _told():
        keystone = _Keystone(identity)
        keystone.ensure("project", "service", domain_id="default")
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
    with _told("Nova"):
        nova = _Keystone(identity).at(identity.url("nova-api"))
        there = {flavor["name"] for flavor in nova.get("/flavors").json()["flavors"]}
        for name, vcpus, ram, disk in FLAVORS:
            if name not in there:
                flavor = {"name": name, "id": name, "vcpus": vcpus, "ram": ram, "disk": disk}
                nova.post("/flavors", json={"flavor": flavor})


def _ensure_service(
    keystone: _Keystone, identity: Identity, user: str, kind: str, port: str
) -> None:
    keystone.ensure_user(user, identity, project="service", role="admin")
    # Without this role, requests that carry a service token are rejected with 401.
    keystone.grant("service", user, "service")
    keystone.ensure_endpoints(user, kind, identity.url(port))


@contextlib.contextmanager
def _told(who: str = "Keystone") -> Iterator[None]:
    from keystoneauth1 import exceptions

    try:
        yield
    except exceptions.ClientException as error:
        raise Unreachable(
            f"{who} of the development cloud does not take the accounts: {error}",
            hint="begin again with `imagecycle devcloud stop --purge`",
        ) from None


class _Keystone:
    """Keystone's API as its administrator sees it."""

    def __init__(self, identity: Identity) -> None:
        from keystoneauth1 import adapter, session
        from keystoneauth1.identity import v3

        url = identity.url("keystone")
        auth = v3.Password(
            auth_url=url,
            username="admin",
            password=identity.passwords["admin"],
            project_name="admin",
            user_domain_id="default",
            project_domain_id="default",
        )
        self._api = adapter.Adapter(
            session.Session(auth, timeout=_LIMIT), endpoint_override=url, connect_retries=2
        )
        self._ids: dict[tuple[str, str], str] = {}

    def ensure(self, kind: str, name: str, **fields: str) -> str:
        """The id of a named thing, which is made when it is not there."""
        found = self._find(kind, name=name)
        if not found:
            body = {kind: {"name": name, **fields}}
            found = [self._api.post(f"/{kind}s", json=body).json()[kind]]
        self._ids[kind, name] = str(found[0]["id"])
        return self._ids[kind, name]

    def ensure_user(self, user: str, identity: Identity, *, project: str, role: str) -> None:
        """Make a user with a role in a project, and that project."""
        self.ensure("project", project, domain_id="default")
        self.ensure("user", user, domain_id="default", password=identity.passwords[user])
        self.grant(role, user, project)

    def at(self, url: str) -> Any:
        """Another API, as its administrator sees it."""
        from keystoneauth1 import adapter

        return adapter.Adapter(self._api.session, endpoint_override=url)

    def grant(self, role: str, user: str, project: str) -> None:
        role_id = self.ensure("role", role)
        user_id, project_id = self._ids["user", user], self._ids["project", project]
        self._api.put(f"/projects/{project_id}/users/{user_id}/roles/{role_id}")

    def ensure_endpoints(self, service: str, kind: str, url: str) -> None:
        service_id = self.ensure("service", service, type=kind)
        there = {found["interface"] for found in self._find("endpoint", service_id=service_id)}
        for interface in {"public", "internal", "admin"} - there:
            endpoint = {"service_id": service_id, "interface": interface, "url": url}
            self._api.post("/endpoints", json={"endpoint": {**endpoint, "region_id": REGION}})

    def _find(self, kind: str, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._api.get(f"/{kind}s", params=query).json()[f"{kind}s"]
        return found
