"""Serve one OpenStack API; run by the development cloud's own Python, which has no imagecycle.

Arguments: the service (keystone, glance), its pid file, host, port. The pid file is locked for as
long as the service lives, so that nobody can mistake another process for it, and a second service
ends at once.
"""

import contextlib
import fcntl
import importlib
import os
import signal
import sys


def main() -> None:
    """Hold the pid file, listen, and serve until SIGTERM."""
    service, pid_file, host, port = sys.argv[1:]
    # Keystone reads sys.argv when it is imported and gives up on words that it does not know.
    sys.argv[1:] = []
    descriptor = os.open(pid_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"{service} already runs")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    serve(service, host, int(port))


def serve(service: str, host: str, port: int) -> None:
    """Listen on ``host:port`` and answer with the service's WSGI application."""
    wsgi = importlib.import_module("cheroot.wsgi")
    application = importlib.import_module(f"{service}.wsgi.api").application
    server = wsgi.Server((host, port), application, numthreads=8, request_queue_size=64)
    server.shutdown_timeout = 1
    signal.signal(signal.SIGTERM, terminated)
    with contextlib.suppress(KeyboardInterrupt):
        server.safe_start()


def terminated(_number: int, _frame: object) -> None:
    """End the server the way that it ends on Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
