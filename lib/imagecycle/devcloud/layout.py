"""Where the development cloud keeps its things, below ``site.home/devcloud``.

The folder is for its owner alone: it holds passwords and signing keys.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imagecycle.artifacts import write_text
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site

HOST = "127.0.0.1"
VENV_VARIABLE = "IMAGECYCLE_DEVCLOUD_VENV"
"""Names an environment to use, or to make, instead of ``devcloud/venv``: for tests."""
FIRST_PORTS = {"keystone": 25000, "glance": 25292}
"""Outside the range that the kernel gives to outgoing connections."""
CLEAN = {"PYTHONPATH": "", "PYTHONWARNINGS": "ignore", "PYTHONDONTWRITEBYTECODE": ""}
"""Variables for every program of the development cloud: its environment is its own, and without
compiled modules all of them start twice as slowly."""
USERS = ("admin", "demo", "glance")
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
    def clouds_file(self) -> Path:
        """The ``clouds.yaml`` with the entries ``devcloud`` and ``devcloud-demo``."""
        return self.folder / "clouds.yaml"

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
        path = "/v3" if service == "keystone" else ""
        return f"http://{HOST}:{self.ports[service]}{path}"


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


def ensure_identity(layout: Layout) -> Identity:
    """The kept ports and passwords, made up at the first start."""
    if (kept := load_identity(layout)) is not None:
        return kept
    identity = Identity(_free_ports(), {user: secrets.token_urlsafe(24) for user in USERS})
    text = json.dumps({"ports": dict(identity.ports), "passwords": dict(identity.passwords)})
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


def _free_ports() -> dict[str, int]:
    for offset in range(0, _PORT_TRIES * _PORT_STEP, _PORT_STEP):
        ports = {service: first + offset for service, first in FIRST_PORTS.items()}
        if all(port_is_free(port) for port in ports.values()):
            return ports
    raise ImagecycleError(
        f"no free ports for the development cloud from {min(FIRST_PORTS.values())} on",
        hint="stop what listens there",
    )
