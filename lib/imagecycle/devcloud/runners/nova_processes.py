"""Start Nova's and Placement's processes, importing Nova only once.

Imports take five seconds of a processor. So this process imports what all of them need, and
becomes all of them by forking: each is one ordinary service, such as nova-conductor, in a session
and with a pid file and log of its own. Until then this process stands in all their pid files.

Argument: a JSON list of processes, see :class:`Process`.
"""

import dataclasses
import importlib
import json
import os
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imagecycle.devcloud.runners import pidfile, serve
else:
    import pidfile
    import serve

IMPORTED = (
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
_PATIENCE = 300.0
_POLL = 0.02


@dataclasses.dataclass(frozen=True)
class Process:
    """One process to start."""

    descriptor: int
    """Of its pid file"""
    log_file: str
    module: str
    """What it runs: a module with ``application`` (when it has a port) or ``main``"""
    argv: list[str]
    environment: dict[str, str]
    port: int | None
    wait_for: str | None
    """A file that must be there before it begins"""


def main() -> None:
    """Import, fork, end."""
    processes = [Process(**fields) for fields in json.loads(sys.argv.pop(1))]
    for process in processes:
        pidfile.hold(process.descriptor)
    for module in IMPORTED:
        importlib.import_module(module)
    while processes:
        process = processes.pop()
        if os.fork() == 0:
            for other in processes:
                os.close(other.descriptor)
            become(process)
        os.close(process.descriptor)


def become(process: Process) -> None:
    """Be the process until it ends; never returns."""
    status = 1
    try:
        os.setsid()
        log = os.open(process.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
        os.environ.update(process.environment)
        pidfile.hold(process.descriptor)
        await_file(process.wait_for)
        if process.port is not None:
            serve.serve(process.module, "127.0.0.1", process.port)
        else:
            work(process)
        status = 0
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 1
        if not isinstance(exit_.code, int):
            print(exit_.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def work(process: Process) -> None:
    """Run a service without API, and say in its pid file when it takes work."""
    service: Any = importlib.import_module("nova.service")
    start, serve_ = service.Service.start, service.serve

    def start_and_tell(self: Any) -> None:
        start(self)
        pidfile.tell_ready(process.descriptor)

    def serve_here(server: Any, workers: int = 1, no_fork: bool = True) -> None:
        del workers, no_fork  # one process each: no parent whose death would leave a child
        serve_(server, workers=1, no_fork=True)

    service.Service.start, service.serve = start_and_tell, serve_here
    if process.module == "nova.cmd.compute":
        importlib.import_module("hypervisor").install()
    sys.argv[:] = process.argv
    importlib.import_module(process.module).main()


def await_file(path: str | None) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + _PATIENCE
    while path is not None and not os.path.exists(path):  # noqa: PTH110 (as light as can be)
        if time.monotonic() > deadline:
            sys.exit(f"{path} did not appear within {_PATIENCE:.0f} s")
        time.sleep(_POLL)


if __name__ == "__main__":
    main()
