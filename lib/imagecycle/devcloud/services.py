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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.devcloud import install
from imagecycle.devcloud.layout import CLEAN, HOST, Identity, Layout, port_is_free
from imagecycle.errors import ImagecycleError, Unreachable

Variables = Mapping[str, str]
Program = tuple[str, Sequence[str | Path], Variables]
"""A script of ``runners``, its arguments after the pid file's descriptor, and the variables of its
environment."""
RUNNERS = Path(__file__).with_name("runners")
_UP_LIMIT = 180.0
_PID_LIMIT = 5.0
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

    def python(self, layout: Layout) -> Path:
        """What runs it."""
        return layout.python

    def version(self, layout: Layout) -> str:
        """Its version; empty when it is not installed."""
        return install.version(layout.venv, self.name)

    def program(self, layout: Layout, identity: Identity) -> Program:
        """How it is started."""
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
    config: Sequence[str] = ()
    """Its configuration files, where arguments name them instead of variables"""

    def version(self, layout: Layout) -> str:
        return install.version(layout.venv, self.package or self.name)

    def variables(self, layout: Layout) -> Variables:
        return {name: text.format(etc=layout.etc) for name, text in self.environment.items()}

    def arguments(self, layout: Layout) -> list[str]:
        return [word for name in self.config for word in ("--config-file", str(layout.etc / name))]

    def program(self, layout: Layout, identity: Identity) -> Program:
        place = [HOST, str(identity.ports[self.name])]
        argv = [self.module, *place, *self.arguments(layout)]
        return "serve.py", argv, self.variables(layout)

    def answers(self, layout: Layout, identity: Identity) -> bool:
        """Whether its version document can be read."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(identity.url(self.name), timeout=_ANSWER_LIMIT) as response:
                return bool(response.status < 400)
        except urllib.error.HTTPError as error:
            with error:
                # Glance: multiple choices, one for each version of its API. Others want a token.
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
    path = service.pid_file(layout)
    deadline = time.monotonic() + _PID_LIMIT
    while _is_locked(path):
        pid = path.read_text().partition("\n")[0]
        if pid.isdigit():
            return int(pid)
        # whoever starts it was killed just now, and it has not come to write its pid
        if time.monotonic() > deadline:
            raise ImagecycleError(
                f"somebody holds {path} and does not say who",
                hint=f"`fuser {path}` tells the process; end it",
            )
        time.sleep(_POLL)
    return None


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def start(layout: Layout, identity: Identity, service: Service) -> None:
    """Start a service that does not run; :func:`await_answer` says when it is up.

    :raises ImagecycleError: when somebody else listens on its port.
    """
    with prepared(layout, identity, [service]) as (descriptor,):
        runner, argv, variables = service.program(layout, identity)
        process = command.detached(
            [service.python(layout), RUNNERS / runner, str(descriptor), *argv],
            output=service.log_file(layout),
            env={**CLEAN, **variables, "PYTHONUNBUFFERED": "1"},
            cwd=layout.folder,
            pass_fds=[descriptor],
        )
        os.pwrite(descriptor, f"{process.pid}\n".encode(), 0)


@contextlib.contextmanager
def prepared(
    layout: Layout, identity: Identity, wanted: Sequence[Service]
) -> Iterator[Sequence[int]]:
    """The locked and empty pid files of services that are about to start, for them to inherit.

    :raises ImagecycleError: when one runs, or somebody else listens on its port.
    """
    with contextlib.ExitStack() as stack:
        descriptors = []
        for service in wanted:
            _refuse_taken_ports(identity, service)
            _shorten_log(layout, service)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(service.pid_file(layout), flags, 0o600)
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ImagecycleError(
                    f"{service.title} runs already", hint="look at `imagecycle devcloud status`"
                ) from None
            os.ftruncate(descriptor, 0)
            descriptors.append(descriptor)
        yield descriptors


def _refuse_taken_ports(identity: Identity, service: Service) -> None:
    """Raise ImagecycleError when somebody else listens on a port of a service."""
    for port in (identity.ports[name] for name in service.ports()):
        if not port_is_free(port):
            raise ImagecycleError(
                f"port {port} of {service.title} is taken by {_listener(port)}",
                hint="stop that, or choose other ports with `imagecycle devcloud stop --purge`, "
                "which removes the development cloud's images",
            )


def _shorten_log(layout: Layout, service: Service) -> None:
    """Put a log aside that has grown large."""
    log_file = service.log_file(layout)
    if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT:
        log_file.replace(log_file.with_suffix(".log.1"))


def await_answer(layout: Layout, identity: Identity, service: Service) -> None:
    """Wait until a service that was just started does its work.

    :raises Unreachable: when it ended or does not answer in time, with the end of its log.
    """
    deadline = time.monotonic() + _UP_LIMIT
    while time.monotonic() < deadline and (pid := pid_of(layout, service)) is not None:
        if service.answers(layout, identity) and all(
            _listens(pid, identity.ports[name]) for name in service.ports()
        ):
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
    ran = False
    # Again: a service of Nova may have got a process of its own in the meantime.
    while (pid := pid_of(layout, service)) is not None:
        ran = _end(layout, service, pid) or ran
    return ran


def _end(layout: Layout, service: Service, pid: int) -> bool:
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
    """Who listens on a port, for people."""
    for process in Path("/proc").glob("[0-9]*"):
        if _listens(int(process.name), port):
            with contextlib.suppress(OSError):
                return f"process {process.name} ({(process / 'comm').read_text().strip()})"
    return "another program"


def _listens(pid: int, port: int) -> bool:
    """Whether a process listens on a port; found the way that ``ss -p`` finds it."""
    wanted = f":{port:04X}"
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                words = line.split()
                if words[1].endswith(wanted) and words[3] == "0A":
                    inodes.add(f"socket:[{words[9]}]")
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in inodes:
                    return True
    return False
