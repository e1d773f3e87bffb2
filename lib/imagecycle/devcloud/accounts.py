"""The accounts of the development cloud: Glance's own user, and a demo project with its user."""

from __future__ import annotations

from typing import Any

from imagecycle.devcloud.config import REGION
from imagecycle.devcloud.layout import Identity
from imagecycle.errors import Unreachable

_LIMIT = 30.0


def ensure(identity: Identity) -> None:
    """Make what is missing of the accounts and of the service catalog; safe to repeat.

    :raises Unreachable: when Keystone does not carry it out.
    """
    from keystoneauth1 import exceptions

    try:
        keystone = _Keystone(identity)
        for project in ("service", "demo"):
            keystone.ensure("project", project, domain_id="default")
        for user in ("glance", "demo"):
            password = identity.passwords[user]
            keystone.ensure("user", user, domain_id="default", password=password)
        keystone.grant("admin", "glance", "service")
        # Without this role, requests that carry a service token are rejected with 401.
        keystone.grant("service", "glance", "service")
        keystone.grant("member", "demo", "demo")
        keystone.ensure_endpoints("glance", "image", identity.url("glance"))
    except exceptions.ClientException as error:
        raise Unreachable(
            f"Keystone of the development cloud does not take the accounts: {error}",
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
