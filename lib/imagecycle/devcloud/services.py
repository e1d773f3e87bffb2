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
from imagecycle.devcloud import install
from imagecycle.devcloud.layout import CLEAN, HOST, Identity, Layout, port_is_free
from imagecycle.errors import ImagecycleError, Unreachable

Variables = Mapping[str, str]
RUNNERS = Path(__file__).with_name("runners")
_UP_LIMIT = 60.0
_GRACE = 10.0
_END_LIMIT = 10.0
_ANSWER_LIMIT = 5.0
_POLL = 0.05
_LOG_LIMIT = 8 * 2**20


@dataclass(frozen=True)
class Service:
    """One process of the development cloud; a subclass says how it is started and asked."""

    name: str
    title: str

    def pid_file(self, layout: Layout) -> Path:
        return layout.run / f"{self.name}.pid"

    def log_file(self, layout: Layout) -> Path:
        return layout.logs / f"{self.name}.log"

    def ports(self) -> Sequence[str]:
        """The names of the ports that it listens on."""
        return (self.name,)

    def url(self, identity: Identity) -> str | None:
        """Where it is found; None for a service that nobody calls."""
        return identity.url(self.name)

    def version(self, layout: Layout) -> str:
        """Its version; empty when it is not installed."""
        return install.version(layout, self.name)

    def program(self, layout: Layout, identity: Identity) -> tuple[Sequence[str | Path], Variables]:
        """Its command line, and the variables of its environment."""
        raise NotImplementedError(self.name)

    def answers(self, layout: Layout, identity: Identity) -> bool:
        """Whether it does its work now."""
        raise NotImplementedError(self.name)


@dataclass(frozen=True)
class Api(Service):
    """A WSGI application, served by ``runners/serve.py``."""

    module: str
    environment: Variables
    """Variables for the process; ``{etc}`` stands for the configuration folder"""
    package: str = ""
    """The package that it is installed from, when that is called otherwise"""

    def version(self, layout: Layout) -> str:
        return install.version(layout, self.package or self.name)

    def variables(self, layout: Layout) -> Variables:
        return {name: text.format(etc=layout.etc) for name, text in self.environment.items()}

    def program(self, layout: Layout, identity: Identity) -> tuple[Sequence[str | Path], Variables]:
        port = str(identity.ports[self.name])
        runner = RUNNERS / "serve.py"
        argv: list[str | Path] = [layout.python, runner, self.module]
        argv += [self.pid_file(layout), HOST, port]
        return argv, self.variables(layout)

    def answers(self, layout: Layout, identity: Identity) -> bool:
        """Whether its version document can be read."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(identity.url(self.name), timeout=_ANSWER_LIMIT) as response:
                return bool(response.status < 400)
        except urllib.error.HTTPError as error:
            # Glance: multiple choices, one for each version of its API. Nova's wants a token.
            return error.code in (300, 401)
        except OSError:
            return False


SERVICES: Sequence[Service] = (
    Api(
        "keystone",
        "identity (Keystone)",
        "keystone.wsgi.api",
        {"OS_KEYSTONE_CONFIG_FILES": "{etc}/keystone.conf"},
    ),
    Api("glance", "image (Glance)", "glance.wsgi.api", {"OS_GLANCE_CONFIG_DIR": "{etc}"}),
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
        text = os.pread(descriptor, 20, 0).decode().partition("\n")[0]
        return int(text) if text.isdigit() else None
    else:
        return None
    finally:
        os.close(descriptor)


def start(layout: Layout, identity: Identity, service: Service) -> None:
    """Start a service that does not run; :func:`await_answer` says when it is up.

    :raises ImagecycleError: when somebody else listens on its port.
    """
    refuse_taken_ports(identity, service)
    shorten_log(layout, service)
    argv, variables = service.program(layout, identity)
    command.detached(
        argv,
        output=service.log_file(layout),
        env={**CLEAN, **variables, "PYTHONUNBUFFERED": "1"},
        cwd=layout.folder,
    )


def refuse_taken_ports(identity: Identity, service: Service) -> None:
    """Raise ImagecycleError when somebody else listens on a port of a service."""
    for port in (identity.ports[name] for name in service.ports()):
        if not port_is_free(port):
            raise ImagecycleError(
                f"port {port} of {service.title} is taken by {_listener(port)}",
                hint="stop that, or choose other ports with `imagecycle devcloud stop --purge`, "
                "which removes the development cloud's images",
            )


def shorten_log(layout: Layout, service: Service) -> None:
    """Put a log aside that has grown large."""
    log_file = service.log_file(layout)
    if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT:
        log_file.replace(log_file.with_suffix(".log.1"))


def await_answer(
    layout: Layout, identity: Identity, service: Service, *, grace: float = _GRACE
) -> None:
    """Wait until a service that was just started does its work.

    :param grace: seconds that its interpreter may take to come to the pid file.
    :raises Unreachable: when it ended or does not answer in time, with the end of its log.
    """
    started = time.monotonic()
    while (waited := time.monotonic() - started) < _UP_LIMIT:
        if pid_of(layout, service) is None:
            if waited > grace:
                break
        elif service.answers(layout, identity):
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
