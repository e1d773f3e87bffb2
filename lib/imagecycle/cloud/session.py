"""The way into a cloud: an entry of ``clouds.yaml``, and a session that is logged in.

Entries are looked for in the development cloud's own file, then where every OpenStack client
looks (``OS_CLIENT_CONFIG_FILE``, the current folder, ``~/.config/openstack``,
``/etc/openstack``). So the name ``devcloud`` never leads to a cloud that only happens to be called
the same, once the development cloud has been started.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from imagecycle.cloud.errors import explained
from imagecycle.devcloud.layout import Layout
from imagecycle.errors import ImagecycleError, UnknownName, UsageError
from imagecycle.site import Site

ANSWER_LIMIT = 60.0
"""Seconds that a service may take for a short answer, unless clouds.yaml says api_timeout."""
_LOGIN_RETRIES = 2
_LOGIN_PAUSE = 0.5
_VERSIONS = {"image": "v2", "compute": "v2.1", "identity": "v3", "block-storage": "v3"}
_NAMES_VERSION = re.compile(r"/v\d(\.\d+)?(/[^/]+)?$")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class CloudSession:
    """A cloud that answered and took our credentials."""

    name: str
    session: Any
    """keystoneauth's session"""
    project_id: str
    image_url: str
    """Glance's address up to and with ``/v2``"""
    region: Any = None
    """openstacksdk's view of the entry in clouds.yaml"""

    def endpoint(self, service: str) -> str | None:
        """The address of a service up to and with its version; None when the cloud has none.

        :param service: ``compute``, ``identity`` or ``block-storage``, as OpenStack's
            service-types authority spells them; a catalog may use an older spelling.
        """
        with explained(self.name, f"find its {service} service"):
            address = _endpoint(service, self.session, self.region)
        return _versioned(address, _VERSIONS[service]) if address else None

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

    :raises UnknownName: when there is no such entry.
    :raises Refused: when the credentials are wrong.
    :raises Unreachable: when Keystone does not answer.
    """
    region = _entry(name, site)
    session = _session(name, region)
    with explained(name, "log in"), _complaints("keystoneauth"):
        project_id = _log_in(session)
        if project_id is None:
            raise UsageError(
                f"{name}: its credentials belong to no project",
                hint="add project_name to that entry in clouds.yaml",
            )
        endpoint = _endpoint("image", session, region)
    if not endpoint:
        raise ImagecycleError(
            f"{name}: its catalog has no image service",
            hint="check region_name and interface of that entry in clouds.yaml",
        )
    return CloudSession(
        name, session, str(project_id), _versioned(endpoint, _VERSIONS["image"]), region
    )


def _endpoint(service: str, session: Any, region: Any) -> str | None:
    """A service's address as the entry or else the catalog gives it."""
    from keystoneauth1 import exceptions

    address: str | None = region.get_endpoint(service)
    if address is None:
        with contextlib.suppress(exceptions.EndpointNotFound):
            address = session.get_endpoint(
                service_type=service,
                interface=region.get_interface(service),
                region_name=region.get_region_name(service),
            )
    return address


def _entry(name: str, site: Site) -> Any:
    import yaml
    from keystoneauth1.exceptions import ClientException
    from openstack import config
    from openstack.exceptions import ConfigException

    own = Layout.of(site).clouds_file
    known: list[str] = []
    try:
        with _complaints("openstack.config") as skipped:
            if own.exists():
                ours = config.OpenStackConfig(
                    config_files=[str(own)], secure_files=[], vendor_files=[], load_envvars=False
                )
                known += ours.get_cloud_names()
                if name in known:
                    return ours.get_one(cloud=name)
            standard = config.OpenStackConfig()
            known += standard.get_cloud_names()
            if name in known:
                return standard.get_one(cloud=name)
    except (ConfigException, ClientException, yaml.YAMLError, OSError, ValueError) as error:
        raise UsageError(
            f"clouds.yaml: cannot use {name}: {_one_line(error)}",
            hint="mend that entry; `openstack config show` reads it the same way",
        ) from None
    if skipped:
        raise UsageError(
            f"clouds.yaml: cannot use {name}: {_one_line(skipped[0])}", hint="mend that file"
        )
    where = "`imagecycle devcloud start` makes devcloud; other clouds belong in clouds.yaml"
    raise UnknownName("cloud", name, known, hint=where)


@contextlib.contextmanager
def _complaints(logger: str) -> Iterator[list[str]]:
    """What the client library only logs, such as a file that it skips because it is broken."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    collector = Collector(logging.WARNING)
    logging.getLogger(logger).addHandler(collector)
    try:
        yield found
    finally:
        logging.getLogger(logger).removeHandler(collector)


def _session(name: str, region: Any) -> Any:
    with explained(name, "log in"):
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


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
