"""The metadata definition namespace ``imagecycle`` in Glance: how Horizon and other programs learn
what the properties of a release mean.

Glance's API: https://docs.openstack.org/api-ref/image/v2/metadefs-index.html. Only an administrator
may write there; everybody may read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from imagecycle.cloud.errors import Refused
from imagecycle.cloud.session import CloudSession
from imagecycle.errors import ImagecycleError

NAME = "imagecycle"
RESOURCE_TYPE = "OS::Glance::Image"
_ROOT = "/metadefs/namespaces"
_RETRIES = 2
_ADMINISTRATOR = (
    "metadata definitions are for the cloud's administrator to install; images can be published "
    "without them"
)


@dataclass(frozen=True)
class Namespace:
    """The definitions as they should be; ``properties`` are JSON schemas by name."""

    title: str
    description: str
    properties: Mapping[str, Mapping[str, Any]]

    def fields(self) -> dict[str, Any]:
        """All but the properties, as Glance wants it."""
        return {
            "namespace": NAME,
            "display_name": self.title,
            "description": self.description,
            "visibility": "public",
            "protected": False,
        }


@dataclass(frozen=True)
class Call:
    """One request that brings the definitions up to date, and what it does in words."""

    what: str
    method: str
    path: str
    body: Mapping[str, Any] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.what


def decide(
    wanted: Namespace, there: Mapping[str, Any] | None, project_id: str, ours: Iterable[str] = ()
) -> list[Call]:
    """What has to be done so that a cloud has the definitions; nothing when it has them.

    :param there: Glance's document of the namespace; None when there is none.
    :param project_id: the project that we are logged in to.
    :param ours: beginnings of property names that are ours to remove.
    :raises ImagecycleError: when the namespace belongs to somebody else.
    """
    one = f"{_ROOT}/{NAME}"
    if there is None:
        body = {
            **wanted.fields(),
            "resource_type_associations": [{"name": RESOURCE_TYPE}],
            "properties": dict(wanted.properties),
        }
        count = len(wanted.properties)
        return [Call(f"create namespace {NAME} with {count} properties", "POST", _ROOT, body)]
    owner = there.get("owner")
    calls = []
    fields = wanted.fields()
    differing = sorted(name for name, value in fields.items() if there.get(name) != value)
    if differing:
        what = f"change {', '.join(differing)} of namespace {NAME}"
        calls.append(Call(what, "PUT", one, {**fields, "owner": owner}))
    associated = [found["name"] for found in there.get("resource_type_associations") or ()]
    if RESOURCE_TYPE not in associated:
        what = f"associate namespace {NAME} with {RESOURCE_TYPE}"
        calls.append(Call(what, "POST", f"{one}/resource_types", {"name": RESOURCE_TYPE}))
    known = there.get("properties") or {}
    for name, definition in wanted.properties.items():
        body = {"name": name, **definition}
        if name not in known:
            calls.append(Call(f"add property {name}", "POST", f"{one}/properties", body))
        elif {"name": name, **known[name]} != body:
            path = f"{one}/properties/{quote(name)}"
            calls.append(Call(f"change property {name}", "PUT", path, body))
    for name in known:
        if name not in wanted.properties and name.startswith(tuple(ours)):
            path = f"{one}/properties/{quote(name)}"
            calls.append(Call(f"remove property {name}", "DELETE", path))
    if calls and owner != project_id:
        raise ImagecycleError(
            f"the metadata definition namespace {NAME} is out of date and belongs to project "
            f"{owner}, not to ours",
            hint="log in to that project, or remove the namespace if nobody needs it",
        )
    return calls


class Definitions:
    """The namespace in one cloud. Every call raises ``Refused`` or ``Unreachable`` on failure."""

    def __init__(self, cloud: CloudSession) -> None:
        self._cloud = cloud

    def read(self) -> Mapping[str, Any] | None:
        """Glance's document of the namespace; None when there is none."""
        try:
            found: Mapping[str, Any] = self._request(
                f"read namespace {NAME}", "GET", f"{_ROOT}/{NAME}"
            ).json()
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return found

    def carry_out(self, calls: Sequence[Call]) -> None:
        """Make the requests, in their order; what was done before a failure stays, and the next
        run does the rest."""
        for call in calls:
            try:
                self._request(call.what, call.method, call.path, call.body)
            except Refused as refused:
                if refused.status == 403:
                    raise Refused(refused.message, 403, hint=_ADMINISTRATOR) from None
                raise

    def _request(
        self, doing: str, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Any:
        # what must not happen twice is refused by Glance the second time
        retries = _RETRIES if method in ("GET", "PUT") else 0
        address = f"{self._cloud.image_url}{path}"
        return self._cloud.call(doing, method, address, retries=retries, json=body)
