"""Where the development cloud keeps its things, below ``site.home/devcloud``.

The folder is for its owner alone: it holds passwords and signing keys.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imagecycle.artifacts import write_text
from imagecycle.errors import ImagecycleError
from imagecycle.site import DEFAULT_HOME, Site

HOST = "127.0.0.1"
VENV_VARIABLE = "IMAGECYCLE_DEVCLOUD_VENV"
"""Names an environment to use, or to make, instead of ``devcloud/venv``: for tests."""
FIRST_PORTS = {"keystone": 25000, "glance": 25292}
"""Outside the range that the kernel gives to outgoing connections."""
FIRST_COMPUTE_PORTS = {
    "epmd": 25369,
    "rabbitmq": 25671,
    "rabbitmq-nodes": 25673,
    "neutron": 25696,
    "nova-api": 25774,
    "placement": 25778,
    "cinder-api": 25777,
}
FIRST_DASHBOARD_PORTS = {"dashboard": 25085}
CLEAN = {"PYTHONPATH": "", "PYTHONWARNINGS": "ignore", "PYTHONDONTWRITEBYTECODE": ""}
"""Variables for every program of the development cloud: its environment is its own, and without
compiled modules all of them start twice as slowly."""
THREADS = {f"OS_{service}_DISABLE_EVENTLET_PATCHING": "1" for service in ("NOVA", "CINDER")}
"""Variables for every program of Nova and Cinder: threads of the system instead of eventlet's."""
USERS = ("admin", "demo", "glance")
COMPUTE_USERS = ("alice", "bob", "robot", "nova", "placement", "neutron", "cinder", "rabbitmq")
DASHBOARD_USERS = ("dashboard",)
"""Not a user: the key that Horizon signs with"""
_PATHS = {"keystone": "/v3", "nova-api": "/v2.1", "cinder-api": "/v3"}
_PORT_STEP = 10
_PORT_TRIES = 100


@dataclass(frozen=True)
class Layout:
    """The folders and files of one development cloud."""

    folder: Path
    venv: Path

    @classmethod
    def of(cls, site: Site) -> Layout:
        folder = site.home / "devcloud"
        named = os.environ.get(VENV_VARIABLE)
        return cls(folder, Path(named) if named else folder / "venv")

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def dashboard_venv(self) -> Path:
        """Horizon's own environment: it pins other versions than the services do."""
        return self.venv.with_name(f"{self.venv.name}-dashboard")

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def with_compute(self) -> Path:
        """Is there from ``start --with-compute`` to ``stop``: its services are meant to run."""
        return self.folder / "with-compute"

    @property
    def with_dashboard(self) -> Path:
        """Is there from ``start --with-dashboard`` to ``stop``."""
        return self.folder / "with-dashboard"

    @property
    def unprotected(self) -> Path:
        """Is there while users may copy imagecycle's properties, as in a cloud without settings
        against it."""
        return self.folder / "unprotected"

    @property
    def clouds_file(self) -> Path:
        """The ``clouds.yaml`` with the entries ``devcloud`` and ``devcloud-demo``."""
        return self.folder / "clouds.yaml"

    @property
    def operations_file(self) -> Path:
        """What the dashboard's panel for operators shows."""
        return self.folder / "operations.json"

    @property
    def lock(self) -> Path:
        return self.folder / ".lock"

    def make(self) -> None:
        """Make the folders; safe to repeat."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        for folder in (self.etc, self.logs, self.run, self.data):
            folder.mkdir(exist_ok=True)


@dataclass(frozen=True)
class Identity:
    """What one development cloud keeps for life: its ports and passwords."""

    ports: Mapping[str, int]
    passwords: Mapping[str, str]

    def url(self, service: str) -> str:
        path = _PATHS.get(service, "")
        return f"http://{HOST}:{self.ports[service]}{path}"


NOBODY = Identity(
    dict.fromkeys((*FIRST_PORTS, *FIRST_COMPUTE_PORTS, *FIRST_DASHBOARD_PORTS), 0),
    dict.fromkeys((*USERS, *COMPUTE_USERS, *DASHBOARD_USERS), "unused"),
)
"""For programs that read a configuration and call no service."""


def load_identity(layout: Layout) -> Identity | None:
    """The kept ports and passwords; None before the first start.

    :raises ImagecycleError: when the file cannot be read.
    """
    path = _identity_file(layout)
    try:
        kept = json.loads(path.read_text())
        return Identity(dict(kept["ports"]), dict(kept["passwords"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImagecycleError(
            f"cannot read {path}: {error}",
            hint="begin again with `imagecycle devcloud stop --purge`",
        ) from None


def ensure_identity(layout: Layout, *, compute: bool = False, dashboard: bool = False) -> Identity:
    """The kept ports and passwords, made up when they are needed for the first time."""
    kept = load_identity(layout) or Identity({}, {})
    ports, passwords = dict(kept.ports), dict(kept.passwords)
    for wanted, first, users in (
        (True, FIRST_PORTS, USERS),
        (compute, FIRST_COMPUTE_PORTS, COMPUTE_USERS),
        (dashboard, FIRST_DASHBOARD_PORTS, DASHBOARD_USERS),
    ):
        missing = {name: port for name, port in first.items() if wanted and name not in ports}
        if missing:
            ports |= _free_ports(missing, _beginning(layout))
        for user in users if wanted else ():
            passwords.setdefault(user, secrets.token_urlsafe(24))
    identity = Identity(ports, passwords)
    if identity != kept:
        text = json.dumps({"ports": ports, "passwords": passwords})
        write_text(_identity_file(layout), text + "\n", mode=0o600)
    return identity


def _identity_file(layout: Layout) -> Path:
    return layout.folder / "identity.json"


def port_is_free(port: int) -> bool:
    """Whether a service could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _beginning(layout: Layout) -> int:
    """Where to look for ports first: clouds that start at the same time look at different places,
    since between the choice of a port and its use another one could take it."""
    if layout.folder == DEFAULT_HOME / "devcloud":
        return 0
    return zlib.crc32(str(layout.folder).encode()) % _PORT_TRIES


def _free_ports(wanted: Mapping[str, int], beginning: int) -> dict[str, int]:
    for number in range(beginning, beginning + _PORT_TRIES):
        offset = number % _PORT_TRIES * _PORT_STEP
        ports = {service: first + offset for service, first in wanted.items()}
        if all(port_is_free(port) for port in ports.values()):
            return ports
    raise ImagecycleError(
        f"no free ports for the development cloud from {min(wanted.values())} on",
        hint="stop what listens there",
    )
