"""The way into a cloud: a session that is logged in, and where its services are.

A cloud can have several regions under one Keystone, each with its own Glance, or with the one of
another region: many have one Glance, and Novas in several regions that start servers from it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from imagecycle.cloud import entries
from imagecycle.cloud.errors import explained
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.site import Site

ANSWER_LIMIT = 60.0
"""Seconds that a service may take for a short answer, unless clouds.yaml says api_timeout."""
_LOGIN_RETRIES = 2
_LOGIN_PAUSE = 0.5
_VERSIONS = {
    "image": "v2",
    "compute": "v2.1",
    "identity": "v3",
    "block-storage": "v3",
    "network": "v2.0",
}
_NAMES_VERSION = re.compile(r"/v\d(\.\d+)?(/[^/]+)?$")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NoImageService(ImagecycleError):
    """The catalog of a cloud has no Glance where it was looked for."""


@dataclass(frozen=True)
class Retries:
    """How often a request is sent again when the connection fails, or when the answer has one of
    these statuses; with pauses of 0.5, 1, 2 ... seconds."""

    count: int
    statuses: tuple[int, ...] = (503,)


@dataclass(frozen=True)
class CloudSession:
    """A cloud that answered and took our credentials."""

    name: str
    session: Any
    """keystoneauth's session"""
    project_id: str
    image_url: str
    """Glance's address up to and with ``/v2``"""
    region: Any
    """openstacksdk's view of the entry in clouds.yaml"""
    elsewhere: str = ""
    """The region whose services are meant, when it is not the entry's own"""

    @property
    def image_root(self) -> str:
        """Glance's address without ``/v2``."""
        return _bare(self.image_url)

    @property
    def options(self) -> str:
        """What tells the command ``openstack`` to use this cloud."""
        entry = self.region.name
        place = self.region.get_region_name() if self.name != entry else ""
        return f"--os-cloud {entry}" + (f" --os-region-name {place}" if place else "")

    def endpoint(self, service: str) -> str | None:
        """The address of a service up to and with its version; None when the cloud has none.

        :param service: ``compute``, ``identity``, ``network`` or ``block-storage``, as OpenStack's
            service-types authority spells them; a catalog may use an older spelling.
        """
        with explained(self.name, f"find its {service} service"):
            address = _endpoint(service, self.session, self.region, self.elsewhere)
        return _versioned(address, _VERSIONS[service]) if address else None

    def wherever(self, service: str) -> list[CloudSession]:
        """This cloud in each region that has a service whose images come from our Glance.

        Those are our own, and each whose Glance is the same by the service catalog, or that has
        none. Where the entry names a Glance that the catalog does not know, all are.

        :param service: as for :meth:`endpoint`.
        """
        with explained(self.name, f"find its {service} services"):
            glances = _by_region("image", self.session, self.region)
            places = _by_region(service, self.session, self.region)
        named = _bare(self.region.get_endpoint("image") or "")
        if named and named not in glances.values():
            glances = {}
        ours = named or glances.get(self.region.get_region_name("image") or next(iter(glances), ""))
        own = self.region.get_region_name(service) or next(iter(places), "")
        others = [place for place in places if place != own and glances.get(place, ours) == ours]
        entry = self.name.removesuffix(f"/{own}")
        return [
            *([self] if self.endpoint(service) else []),
            *(
                dataclasses.replace(self, name=f"{entry}/{place}", elsewhere=place)
                for place in others
            ),
        ]

    def call(
        self,
        doing: str,
        method: str,
        address: str,
        *,
        retries: int = 0,
        retry_on: Sequence[int] = (503,),
        **more: Any,
    ) -> Any:
        """Ask a service; returns its answer, a ``requests.Response``.

        :param doing: what is asked for, after the word "cannot": ``list images``.
        :param retries: how often it is asked again when the connection fails, or when it answers
            one of ``retry_on``; with pauses of 0.5, 1, 2 ... seconds.
        :param more: as keystoneauth's session takes it: ``json``, ``params``, ``headers`` and the
            like; without a ``timeout``, a short answer's.
        :raises Refused: for an answer of 4xx.
        :raises Unreachable: for an answer of 5xx, none, or none in time.
        """
        more.setdefault("timeout", self.session.timeout or ANSWER_LIMIT)
        with explained(self.name, doing):
            return self.session.request(
                address,
                method,
                connect_retries=retries,
                status_code_retries=retries,
                retriable_status_codes=list(retry_on),
                **more,
            )


def open_cloud(name: str, site: Site) -> CloudSession:
    """Log in to the cloud of an entry in ``clouds.yaml``.

    :param name: ``ENTRY``, or ``ENTRY/REGION`` for one region of it.
    :raises UnknownName: when there is no such entry.
    :raises UsageError: when it is broken, or leaves it open which of several Glances is meant.
    :raises NoImageService: when the cloud, or this region of it, has no Glance.
    :raises Refused: when the credentials are wrong.
    :raises Unreachable: when Keystone does not answer.
    """
    region = entries.find(name, site)
    gone = "Keystone does not know what that entry of clouds.yaml names; mend it"
    with entries.understood(name), explained(name, "log in", hints={404: gone}):
        session = _session(region)
        with entries.complaints("keystoneauth"):
            project_id = _log_in(session)
    with explained(name, "log in", hints={404: gone}), entries.complaints("keystoneauth"):
        if project_id is None:
            raise UsageError(
                f"{name}: its credentials belong to no project",
                hint="add project_name to that entry in clouds.yaml",
            )
        endpoint = _endpoint("image", session, region)
        glances = _by_region("image", session, region)
    if not endpoint:
        others = f" in this region, only in {', '.join(glances)}" if glances else ""
        raise NoImageService(
            f"{name}: its catalog has no image service{others}",
            hint="check region_name and interface of that entry in clouds.yaml",
        )
    is_chosen = region.get_endpoint("image") or region.get_region_name("image")
    if not is_chosen and len(set(glances.values())) > 1:
        raise UsageError(
            f"{name} has a Glance in each of several regions: {', '.join(glances)}",
            hint=f"say which one: {name}/{next(iter(glances))}",
        )
    return CloudSession(
        name, session, str(project_id), _versioned(endpoint, _VERSIONS["image"]), region
    )


def _endpoint(service: str, session: Any, region: Any, elsewhere: str = "") -> str | None:
    """A service's address as the entry or else the catalog gives it; elsewhere, the catalog."""
    from keystoneauth1 import exceptions

    address: str | None = None if elsewhere else region.get_endpoint(service)
    if address is None:
        with contextlib.suppress(exceptions.EndpointNotFound):
            address = session.get_endpoint(
                service_type=service,
                interface=region.get_interface(service),
                region_name=elsewhere or region.get_region_name(service),
            )
    return address


def _by_region(service: str, session: Any, region: Any) -> dict[str, str]:
    """The bare address of a service in each region of the catalog that has it."""
    found: dict[str, str] = {}
    if hasattr(session.auth, "get_access"):
        catalog = session.auth.get_access(session).service_catalog
        interface = region.get_interface(service)
        for one in catalog.get_endpoint_data_list(service_type=service, interface=interface):
            found.setdefault(one.region_name or "", _bare(one.url))
    return found


def _bare(address: str) -> str:
    """An address without the version that it may name, to compare it."""
    return _NAMES_VERSION.sub("", address.rstrip("/"))


def _session(region: Any) -> Any:
    session = region.get_session()
    if session.timeout is None:
        session.timeout = ANSWER_LIMIT
    if urlsplit(str(region.config.get("auth", {}).get("auth_url", ""))).hostname in _LOOPBACK:
        session.session.trust_env = False  # no proxy stands between a machine and itself
    if hasattr(session.auth, "_lock"):
        session.auth._lock = _LoginLock()
    return session


class _LoginLock:
    """A lock that is an error, not a deadlock, for a thread that holds it already.

    When Keystone answers 401 to the question for its versions, keystoneauth (5.18) asks again with
    a token, for which it has to log in, which is what it is doing: it would wait for itself for
    ever. Told so, it takes the version from the address instead.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None

    def __enter__(self) -> None:
        from keystoneauth1.exceptions import Unauthorized

        if self._holder == threading.get_ident():
            raise Unauthorized("Keystone asks for a token before it says its versions")
        self._lock.acquire()
        self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._holder = None
        self._lock.release()


def _log_in(session: Any) -> str | None:
    """The project's id; asking for it makes the session log in."""
    from keystoneauth1 import exceptions

    project: str | None
    for _ in range(_LOGIN_RETRIES):
        try:
            project = session.get_project_id()
            return project
        except (exceptions.ConnectFailure, exceptions.ServiceUnavailable):
            time.sleep(_LOGIN_PAUSE)
    project = session.get_project_id()
    return project


def _versioned(endpoint: str, version: str) -> str:
    """A catalog may name the version or not, and the project after it (Cinder, older Novas)."""
    address = endpoint.rstrip("/")
    return address if _NAMES_VERSION.search(address) else f"{address}/{version}"
