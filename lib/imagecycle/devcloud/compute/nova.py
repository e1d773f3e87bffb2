"""Nova's and Placement's processes: started together, by one process that imports Nova once."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.devcloud import install, services
from imagecycle.devcloud.compute.config import HOSTS
from imagecycle.devcloud.layout import CLEAN, Identity, Layout
from imagecycle.devcloud.services import RUNNERS, Api, Service

_THREADS = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "1"}


@dataclass(frozen=True)
class Worker(Service):
    """A process without API; it says in its pid file when it takes work."""

    module: str
    config: Sequence[str]
    """Its configuration files"""
    gate: str
    """It begins only when this has been opened with :func:`let_begin`"""

    def ports(self) -> Sequence[str]:
        return ()

    def url(self, identity: Identity) -> str | None:
        return None

    def version(self, layout: Layout) -> str:
        return install.version(layout, "nova")

    def argv(self, layout: Layout) -> list[str]:
        files = [word for name in self.config for word in ("--config-file", str(layout.etc / name))]
        return [self.name, *files]

    def answers(self, layout: Layout, identity: Identity) -> bool:
        try:
            return "ready" in self.pid_file(layout).read_text()
        except OSError:
            return False


PLACEMENT = Api(
    "placement",
    "resources (Placement)",
    "placement.wsgi.api",
    {"OS_PLACEMENT_CONFIG_DIR": "{etc}"},
    package="openstack-placement",
)
API = Api(
    "nova-api",
    "compute (Nova)",
    "nova.wsgi.osapi_compute",
    {"OS_NOVA_CONFIG_DIR": "{etc}", "OS_NOVA_CONFIG_FILES": "nova-api-paste.ini;nova.conf"},
    package="nova",
)
WORKERS_GATE = "workers"
"""To be opened when there are messages (RabbitMQ), Keystone and Placement."""
COMPUTES_GATE = "computes"
"""To be opened when the conductor works: a hypervisor asks it first, and is slow to ask again."""
CONDUCTOR = Worker(
    "nova-conductor", "Nova's conductor", "nova.cmd.conductor", ("nova.conf",), WORKERS_GATE
)
SCHEDULER = Worker(
    "nova-scheduler", "Nova's scheduler", "nova.cmd.scheduler", ("nova.conf",), WORKERS_GATE
)
COMPUTES = tuple(
    Worker(
        f"nova-compute-{number}",
        f"hypervisor {number} (fake)",
        "nova.cmd.compute",
        ("nova-compute.conf", f"{host}.conf"),
        COMPUTES_GATE,
    )
    for number, host in enumerate(HOSTS, 1)
)
ALL: Sequence[Api | Worker] = (PLACEMENT, CONDUCTOR, SCHEDULER, API, *COMPUTES)


def start(layout: Layout, identity: Identity, wanted: Sequence[Api | Worker]) -> None:
    """Start services of :data:`ALL` that do not run; some wait for :func:`let_begin`.

    :raises ImagecycleError: when somebody else listens on a port.
    """
    for gate in (WORKERS_GATE, COMPUTES_GATE):
        _gate(layout, gate).unlink(missing_ok=True)
    with services.prepared(layout, identity, wanted) as descriptors:
        processes = [
            {
                "descriptor": descriptor,
                "log_file": str(service.log_file(layout)),
                **_process(layout, identity, service),
            }
            for service, descriptor in zip(wanted, descriptors, strict=True)
        ]
        starter = command.detached(
            [layout.python, RUNNERS / "nova_processes.py", json.dumps(processes)],
            output=layout.logs / "nova-starter.log",
            env={**CLEAN, **_THREADS, "PYTHONUNBUFFERED": "1"},
            cwd=layout.folder,
            pass_fds=descriptors,
        )
        for descriptor in descriptors:
            os.pwrite(descriptor, f"{starter.pid}\n".encode(), 0)


def let_begin(layout: Layout, gate: str) -> None:
    """Let those begin that wait for a gate: what they need is there."""
    _gate(layout, gate).touch()


def _gate(layout: Layout, gate: str) -> Path:
    return layout.run / f"{gate}-may-begin"


def _process(layout: Layout, identity: Identity, service: Api | Worker) -> dict[str, object]:
    if isinstance(service, Api):
        return {
            "module": service.module,
            "argv": [],
            "environment": dict(service.variables(layout)),
            "port": identity.ports[service.name],
            "wait_for": None,
        }
    return {
        "module": service.module,
        "argv": service.argv(layout),
        "environment": {},
        "port": None,
        "wait_for": str(_gate(layout, service.gate)),
    }
