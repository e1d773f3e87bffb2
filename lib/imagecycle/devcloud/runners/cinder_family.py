"""What ``processes.py`` has to know of Cinder."""

import importlib
from collections.abc import Callable
from typing import Any

_COMMANDS = ("cinder.cmd.volume", "cinder.cmd.scheduler")
"""First: they decide between threads and eventlet."""
_IMPORTED = (
    "cinder.volume.manager",
    "cinder.scheduler.manager",
    "cinder.scheduler.filter_scheduler",
    "cinder.wsgi.wsgi",
    "cinder.api.v3.router",
    "storage",
)


def load() -> None:
    """Import what the services need."""
    for name in _COMMANDS:
        importlib.import_module(name)
    # until then the modules that use Cinder's records cannot be imported
    importlib.import_module("cinder.objects").register_all()
    for name in _IMPORTED:
        importlib.import_module(name)


def adapt(module: str, tell_ready: Callable[[], None]) -> None:
    """Make a service run in one process and tell when it takes work.

    :param module: what is going to be run, such as ``cinder.cmd.volume``.
    """
    del module
    service: Any = importlib.import_module("cinder.service")
    start = service.Service.start

    def start_and_tell(self: Any) -> None:
        start(self)
        # Its first report is due after ten seconds; until then it would count as down.
        self.report_state()
        tell_ready()

    def serve_here(server: Any) -> None:
        service._launcher = _launched(server)

    service.Service.start, service.serve = start_and_tell, serve_here
    service.process_launcher = Launcher


class Launcher:
    """In the place of the launcher of cinder-volume, which gives each storage a process."""

    def launch_service(self, server: Any) -> None:
        """Start the service of our only storage."""
        self._launcher = _launched(server)

    def wait(self) -> None:
        """Wait until it ends."""
        self._launcher.wait()


def _launched(server: Any) -> Any:
    """A service that runs in this process: no parent whose death would leave a child."""
    config = importlib.import_module("cinder.service").CONF
    launch = importlib.import_module("oslo_service.service").launch
    return launch(config, server, workers=1, restart_method="mutate", no_fork=True)
