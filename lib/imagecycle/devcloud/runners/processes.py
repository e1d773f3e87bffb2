"""Start all processes of Nova, or of Cinder, importing it only once.

Nova's imports take five seconds of a processor. So this process imports what all of them need, and
becomes all of them by forking: each is one ordinary service, such as nova-conductor, in a session
and with a pid file and log of its own. Until then this process stands in all their pid files.

Arguments: the family, ``nova_family`` or ``cinder_family``, a module beside this one that says what
to import and how to be told that a service works; a JSON list of processes, see :class:`Process`.
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
    """Its name, then its arguments"""
    environment: dict[str, str]
    port: int | None
    wait_for: str | None
    """A file that must be there before it begins"""


def main() -> None:
    """Import, fork, end."""
    family = importlib.import_module(sys.argv.pop(1))
    processes = [Process(**fields) for fields in json.loads(sys.argv.pop(1))]
    for process in processes:
        pidfile.hold(process.descriptor)
    family.load()
    while processes:
        process = processes.pop()
        if os.fork() == 0:
            for other in processes:
                os.close(other.descriptor)
            become(process, family)
        os.close(process.descriptor)


def become(process: Process, family: Any) -> None:
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
            serve.serve(process.module, "127.0.0.1", process.port, process.argv[1:])
        else:
            work(process, family)
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


def work(process: Process, family: Any) -> None:
    """Run a service without API, and say in its pid file when it takes work."""
    family.adapt(process.module, lambda: pidfile.tell_ready(process.descriptor))
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
