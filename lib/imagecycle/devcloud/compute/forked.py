"""Processes that are started together, by one process that imports what they need once."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.devcloud import install, services
from imagecycle.devcloud.layout import CLEAN, THREADS, Identity, Layout
from imagecycle.devcloud.services import RUNNERS, Api, Service


@dataclass(frozen=True)
class Worker(Service):
    """A process without API; it says in its pid file when it takes work."""

    module: str
    config: Sequence[str]
    """Its configuration files"""
    gate: str
    """It begins only when this has been opened with :func:`open_gate`"""
    package: str
    """The package that it is installed from"""

    def ports(self) -> Sequence[str]:
        return ()

    def url(self, identity: Identity) -> str | None:
        return None

    def version(self, layout: Layout) -> str:
        return install.version(layout.venv, self.package)

    def argv(self, layout: Layout) -> list[str]:
        files = [word for name in self.config for word in ("--config-file", str(layout.etc / name))]
        return [self.name, *files]

    def answers(self, layout: Layout, identity: Identity) -> bool:
        try:
            return "ready" in self.pid_file(layout).read_text()
        except OSError:
            return False


@dataclass(frozen=True)
class Family:
    """What one import serves."""

    name: str
    """Of its log file, and of the module among the runners that knows it: ``nova``"""
    members: Sequence[Api | Worker]


def start(layout: Layout, identity: Identity, family: Family) -> None:
    """Start those of a family that do not run; some wait for :func:`open_gate`.

    :raises ImagecycleError: when somebody else listens on a port.
    """
    wanted = [one for one in family.members if services.pid_of(layout, one) is None]
    if not wanted:
        return
    for gate in {one.gate for one in family.members if isinstance(one, Worker)}:
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
        runner, module = RUNNERS / "processes.py", f"{family.name}_family"
        starter = command.detached(
            [layout.python, runner, module, json.dumps(processes)],
            output=layout.logs / f"{family.name}-starter.log",
            env={**CLEAN, **THREADS, "PYTHONUNBUFFERED": "1"},
            cwd=layout.folder,
            pass_fds=descriptors,
        )
        for descriptor in descriptors:
            os.pwrite(descriptor, f"{starter.pid}\n".encode(), 0)


def open_gate(layout: Layout, gate: str) -> None:
    """Let those begin that wait for a gate: what they need is there."""
    _gate(layout, gate).touch()


def _gate(layout: Layout, gate: str) -> Path:
    return layout.run / f"{gate}-may-begin"


def _process(layout: Layout, identity: Identity, service: Api | Worker) -> dict[str, object]:
    if isinstance(service, Api):
        return {
            "module": service.module,
            "argv": [service.name, *service.arguments(layout)],
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
