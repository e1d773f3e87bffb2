"""What ``processes.py`` has to know of Nova and Placement."""

import importlib
from collections.abc import Callable
from typing import Any

_IMPORTED = (
    "nova.monkey_patch",
    "nova.cmd.compute",
    "nova.cmd.conductor",
    "nova.cmd.scheduler",
    "nova.api.openstack.wsgi_app",
    "nova.api.openstack.compute",
    "nova.conductor.manager",
    "nova.scheduler.manager",
    "nova.compute.manager",
    "placement.deploy",
)


def load() -> None:
    """Import what the services need."""
    for name in _IMPORTED:
        importlib.import_module(name)


def adapt(module: str, tell_ready: Callable[[], None]) -> None:
    """Make a service run in one process and tell when it takes work; a hypervisor gets our driver.

    :param module: what is going to be run, such as ``nova.cmd.conductor``.
    """
    service: Any = importlib.import_module("nova.service")
    start, serve = service.Service.start, service.serve

    def start_and_tell(self: Any) -> None:
        start(self)
        tell_ready()

    def serve_here(server: Any, workers: int = 1, no_fork: bool = True) -> None:
        del workers, no_fork  # one process each: no parent whose death would leave a child
        serve(server, workers=1, no_fork=True)

    service.Service.start, service.serve = start_and_tell, serve_here
    if module == "nova.cmd.compute":
        importlib.import_module("hypervisor").install()
