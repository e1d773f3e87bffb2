"""Nova's and Placement's processes: started together, by one process that imports Nova once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.devcloud import install, services
from imagecycle.devcloud.compute.config import HOSTS
from imagecycle.devcloud.layout import CLEAN, Identity, Layout
from imagecycle.devcloud.services import RUNNERS, Api, Service, Variables

_THREADS = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "1"}


@dataclass(frozen=True)
class Worker(Service):
    """A process without API; it says in its pid file when it takes work."""

    module: str
    config: Sequence[str]
    """Its configuration files"""
    waits: bool = False
    """Whether it begins only when :func:`may_start` has been called"""

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


@dataclass(frozen=True)
class _Starter(Service):
    def ports(self) -> Sequence[str]:
        return ()


STARTER = _Starter("nova-starter", "the starter of Nova")
"""Runs only while the others are being started."""
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
CONDUCTOR = Worker("nova-conductor", "Nova's conductor", "nova.cmd.conductor", ("nova.conf",))
SCHEDULER = Worker("nova-scheduler", "Nova's scheduler", "nova.cmd.scheduler", ("nova.conf",))
COMPUTES = tuple(
    Worker(
        f"nova-compute-{number}",
        f"hypervisor {host} (fake)",
        "nova.cmd.compute",
        ("nova.conf", f"{host}.conf"),
        waits=True,
    )
    for number, host in enumerate(HOSTS, 1)
)
ALL: Sequence[Api | Worker] = (PLACEMENT, CONDUCTOR, SCHEDULER, API, *COMPUTES)


def start(layout: Layout, identity: Identity, wanted: Sequence[Api | Worker]) -> None:
    """Start services of :data:`ALL` that do not run; the computes wait for :func:`may_start`.

    :raises ImagecycleError: when somebody else listens on a port.
    """
    _gate(layout).unlink(missing_ok=True)
    for service in wanted:
        services.refuse_taken_ports(identity, service)
        services.shorten_log(layout, service)
    processes = json.dumps([_process(layout, identity, service) for service in wanted])
    command.detached(
        [layout.python, RUNNERS / "nova_processes.py", STARTER.pid_file(layout), processes],
        output=STARTER.log_file(layout),
        env={**CLEAN, **_THREADS, "PYTHONUNBUFFERED": "1"},
        cwd=layout.folder,
    )


def may_start(layout: Layout) -> None:
    """Let the computes begin: what they report to is there."""
    _gate(layout).touch()


def _gate(layout: Layout) -> Path:
    return layout.run / "computes-may-start"


def _process(layout: Layout, identity: Identity, service: Api | Worker) -> dict[str, object]:
    is_api = isinstance(service, Api)
    environment: Variables = service.variables(layout) if isinstance(service, Api) else {}
    return {
        "pid_file": str(service.pid_file(layout)),
        "log_file": str(service.log_file(layout)),
        "module": service.module,
        "argv": [] if isinstance(service, Api) else service.argv(layout),
        "environment": dict(environment),
        "port": identity.ports[service.name] if is_api else None,
        "wait_for": str(_gate(layout)) if isinstance(service, Worker) and service.waits else None,
    }
