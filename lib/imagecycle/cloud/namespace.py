"""The metadata definition namespace ``imagecycle`` in Glance: how Horizon and other programs learn
what the properties of a release mean.

Through python-glanceclient; https://docs.openstack.org/api-ref/image/v2/metadefs-index.html has the
API. Only an administrator may write there; everybody may read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from imagecycle.cloud import clients
from imagecycle.cloud.errors import Refused, explained
from imagecycle.cloud.session import CloudSession, Retries
from imagecycle.errors import ImagecycleError

NAME = "imagecycle"
RESOURCE_TYPE = "OS::Glance::Image"
_DEFAULT = ("uniqueItems", False)
_RETRIES: Mapping[str, Retries] = dict.fromkeys(("GET", "PUT"), Retries(2))
"""What must not happen twice is refused by Glance the second time"""
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
class Request:
    """One call of glanceclient: ``create`` of its ``metadefs_property``, say."""

    things: str
    verb: str
    names: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Call:
    """What brings the definitions up to date, one step of it, and what it does in words."""

    what: str
    requests: tuple[Request, ...]

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
    if there is None:
        body = {
            **wanted.fields(),
            "resource_type_associations": [{"name": RESOURCE_TYPE}],
            "properties": dict(wanted.properties),
        }
        what = f"create namespace {NAME} with {len(wanted.properties)} properties"
        return [Call(what, (Request("namespace", "create", fields=body),))]
    owner = there.get("owner")
    calls = []
    fields = wanted.fields()
    differing = sorted(name for name, value in fields.items() if there.get(name) != value)
    if differing:
        what = f"change {', '.join(differing)} of namespace {NAME}"
        calls.append(Call(what, (Request("namespace", "update", (NAME,), fields),)))
    associated = [found["name"] for found in there.get("resource_type_associations") or ()]
    if RESOURCE_TYPE not in associated:
        what = f"associate namespace {NAME} with {RESOURCE_TYPE}"
        associate = Request("resource_type", "associate", (NAME,), {"name": RESOURCE_TYPE})
        calls.append(Call(what, (associate,)))
    calls += _properties(wanted, there.get("properties") or {}, tuple(ours))
    if calls and owner != project_id:
        raise ImagecycleError(
            f"the metadata definition namespace {NAME} is out of date and belongs to project "
            f"{owner}, not to ours",
            hint="log in to that project, or remove the namespace if nobody needs it",
        )
    return calls


def _properties(
    wanted: Namespace, known: Mapping[str, Mapping[str, Any]], ours: tuple[str, ...]
) -> Iterator[Call]:
    for name, definition in wanted.properties.items():
        body = {"name": name, **definition}
        create = Request("property", "create", (NAME,), body)
        if name not in known:
            yield Call(f"add property {name}", (create,))
        elif {"name": name, **_said(known[name])} != body:
            # glanceclient's update keeps what a definition no longer has
            yield Call(f"change property {name}", (_delete(name), create))
    for name in known:
        if name not in wanted.properties and name.startswith(ours):
            yield Call(f"remove property {name}", (_delete(name),))


def _delete(name: str) -> Request:
    return Request("property", "delete", (NAME, quote(name)))


def _said(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """A definition without what glanceclient adds to it: a default of Glance's schema."""
    return {key: value for key, value in definition.items() if (key, value) != _DEFAULT}


class Definitions:
    """The namespace in one cloud. Every call raises ``Refused`` or ``Unreachable`` on failure."""

    def __init__(self, cloud: CloudSession) -> None:
        self._cloud = cloud
        self._client = clients.glance(cloud, _RETRIES)

    def read(self) -> Mapping[str, Any] | None:
        """Glance's document of the namespace; None when there is none."""
        try:
            with explained(self._cloud.name, f"read namespace {NAME}"):
                return dict(self._client.metadefs_namespace.get(NAME))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def carry_out(self, calls: Sequence[Call]) -> None:
        """Make the requests, in their order; what was done before a failure stays, and the next
        run does the rest."""
        for call in calls:
            try:
                with explained(self._cloud.name, call.what):
                    for request in call.requests:
                        things = getattr(self._client, f"metadefs_{request.things}")
                        getattr(things, request.verb)(*request.names, **request.fields)
            except Refused as refused:
                if refused.status == 403:
                    raise Refused(refused.message, 403, hint=_ADMINISTRATOR) from None
                raise
