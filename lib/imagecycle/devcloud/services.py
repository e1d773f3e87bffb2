"""The running services of the development cloud: started, found, awaited and ended.

A service holds a lock on its pid file as long as it lives. So a process is ours exactly if it
holds that lock, whatever became of the one that started it, and no reused pid can deceive.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.devcloud.layout import CLEAN, HOST, Identity, Layout, port_is_free
from imagecycle.errors import ImagecycleError, Unreachable

RUNNER = Path(__file__).with_name("serve.py")
_UP_LIMIT = 60.0
_END_LIMIT = 10.0
_ANSWER_LIMIT = 5.0
_POLL = 0.05
_LOG_LIMIT = 8 * 2**20


@dataclass(frozen=True)
class Service:
    """One API of the development cloud."""

    name: str
    """Also the package that it is installed from"""
    title: str
    environment: Mapping[str, str]
    """Variables for the process; ``{etc}`` stands for the configuration folder"""

    def pid_file(self, layout: Layout) -> Path:
        return layout.run / f"{self.name}.pid"

    def log_file(self, layout: Layout) -> Path:
        return layout.logs / f"{self.name}.log"


SERVICES: Sequence[Service] = (
    Service("keystone", "identity (Keystone)", {"OS_KEYSTONE_CONFIG_FILES": "{etc}/keystone.conf"}),
    Service("glance", "image (Glance)", {"OS_GLANCE_CONFIG_DIR": "{etc}"}),
)


def pid_of(layout: Layout, service: Service) -> int | None:
    """The pid of a running service; None when it does not run."""
    try:
        descriptor = os.open(service.pid_file(layout), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 20, 0).decode().strip()
        return int(text) if text.isdigit() else None
    else:
        return None
    finally:
        os.close(descriptor)


def answers(identity: Identity, service: Service) -> bool:
    """Whether the service's version document can be read."""
    request = urllib.request.Request(identity.url(service.name))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_ANSWER_LIMIT) as response:
            return bool(response.status < 400)
    except urllib.error.HTTPError as error:
        return error.code == 300  # Glance: multiple choices, one for each version of its API
    except OSError:
        return False


def start(layout: Layout, identity: Identity, service: Service) -> None:
    """Start a service that does not run; :func:`await_answer` says when it is up.

    :raises ImagecycleError: when somebody else listens on its port.
    """
    port = identity.ports[service.name]
    if not port_is_free(port):
        raise ImagecycleError(
            f"port {port} of {service.title} is taken by {_listener(port)}",
            hint="stop that, or choose other ports with `imagecycle devcloud stop --purge`, "
            "which removes the development cloud's images",
        )
    log_file = service.log_file(layout)
    if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT:
        log_file.replace(log_file.with_suffix(".log.1"))
    environment = {name: text.format(etc=layout.etc) for name, text in service.environment.items()}
    command.detached(
        [layout.python, RUNNER, service.name, service.pid_file(layout), HOST, str(port)],
        output=log_file,
        env={**CLEAN, **environment, "PYTHONUNBUFFERED": "1"},
        cwd=layout.folder,
    )


def await_answer(layout: Layout, identity: Identity, service: Service) -> None:
    """Wait until a service that was just started serves.

    :raises Unreachable: when it ended or does not answer in time, with the end of its log.
    """
    deadline = time.monotonic() + _UP_LIMIT
    grace = time.monotonic() + _END_LIMIT  # for the interpreter to come to the pid file
    while time.monotonic() < deadline:
        if port_is_free(identity.ports[service.name]):
            if pid_of(layout, service) is None and time.monotonic() > grace:
                break
        elif answers(identity, service):
            return
        time.sleep(_POLL)
    raise Unreachable(
        f"{service.title} does not come up: {_last_line(service.log_file(layout))}",
        hint=f"read {service.log_file(layout)}",
    )


def stop(layout: Layout, service: Service) -> bool:
    """End a service; returns whether it ran.

    :raises ImagecycleError: when it cannot be ended.
    """
    pid = pid_of(layout, service)
    if pid is None:
        return False
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # The handle cannot pass to another process, so what holds the lock now is what it names.
        if pid_of(layout, service) != pid:
            return False
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], _END_LIMIT)[0]:
                return True
    finally:
        os.close(handle)
    raise ImagecycleError(
        f"{service.title} (process {pid}) does not end", hint=f"look at process {pid}"
    )


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "its log is empty"


def _listener(port: int) -> str:
    """Who listens on a port, for people; found the way that ``ss -p`` finds it."""
    wanted = f":{port:04X}"
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                words = line.split()
                if words[1].endswith(wanted) and words[3] == "0A":
                    inodes.add(f"socket:[{words[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                if str(descriptor.readlink()) in inodes:
                    name = (process / "comm").read_text().strip()
                    return f"process {process.name} ({name})"
    return "another program"
