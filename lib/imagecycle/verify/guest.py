"""The way into a guest: a key made for the run, and one SSH connection that all checks share.

The connection is opened as soon as the guest lets it, by an ``ssh`` master that this process
owns; commands go through its control socket. Paths are relative to the working folder, because a
socket's path must be short: every ``ssh`` runs in that folder.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command

KEY = "key"
CONFIG = "ssh_config"
LOOPBACK = "127.0.0.1"
PROBE_INTERVAL = 0.2
PROBE_LIMIT = 2.0
"""Seconds after which a connection without an answer is given up and made anew."""


def make_key(folder: Path, name: str = KEY) -> str:
    """Make a key in ``folder``; returns its public half."""
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "imagecycle-verify"]
    command.run([*argv, "-f", folder / name], timeout=30)
    return (folder / f"{name}.pub").read_text().strip()


def write_config(
    folder: Path, user: str, name: str, port: int, key: str = KEY, address: str = LOOPBACK
) -> None:
    """Write the client's configuration for one machine: nothing of the user's own."""
    (folder / config(name)).write_text(
        f"Host {name}\n  HostName {address}\n  Port {port}\n  User {user}\n"
        f"  IdentityFile {key}\n{_OPTIONS}"
    )


def config(name: str) -> str:
    """The configuration's file, in the working folder."""
    return f"{CONFIG}-{name}"


_OPTIONS = """\
  IdentitiesOnly yes
  IdentityAgent none
  PreferredAuthentications publickey
  BatchMode yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  GlobalKnownHostsFile /dev/null
  ControlPath control-%n
  ControlMaster no
  ConnectTimeout 20
  ServerAliveInterval 20
  ServerAliveCountMax 3
  LogLevel ERROR
"""


@dataclass
class Login:
    """Tries to log in to one machine, a little at every :meth:`poll`, until it is let in."""

    name: str
    folder: Path
    port: int
    stack: contextlib.ExitStack
    """Holds the connection; closing it ends the connection"""
    address: str = LOOPBACK
    answered: float | None = None
    """``time.monotonic()`` when the guest's SSH server answered first"""
    refused: bool = False
    """Whether it has refused the key; it may still take it, while contextualisation is at work"""
    said: str = ""
    """What a server on the SSH port says that is none"""

    def __post_init__(self) -> None:
        self._banner = _Banner(self.address, self.port)
        self._master: subprocess.Popen[bytes] | None = None
        self._attempt = contextlib.ExitStack()
        self._next = 0.0

    def poll(self) -> bool:
        """Whether the connection stands."""
        if self.answered is None:
            if not self._banner.poll():
                self.said = self._banner.said
                return False
            self.answered = time.monotonic()
        if self._master is None:
            if time.monotonic() >= self._next:
                self._begin()
            return False
        if (self.folder / f"control-{self.name}").exists():
            self.stack.enter_context(self._attempt)
            return True
        if self._master.poll() is not None:
            self._end()
        return False

    @property
    def reached(self) -> bool:
        """Whether anything has answered at the address, be it by refusing a connection."""
        return self._banner.reached

    @property
    def trouble(self) -> str:
        """Why the last connection did not come about, in the system's words."""
        return self._banner.trouble

    def so_far(self) -> str:
        """How far it has come, for a message."""
        if self.refused:
            return "SSH answers, but refuses the injected key"
        if self.answered is None and self.said:
            return f"what answers on the SSH port is no SSH: {self.said}"
        return "SSH does not answer" if self.answered is None else "SSH answers, but lets nobody in"

    def _begin(self) -> None:
        output = self.folder / f"ssh-{self.name}.log"
        argv = ["ssh", "-F", config(self.name), "-M", "-N", self.name]
        self._master = self._attempt.enter_context(
            command.background(argv, output=output, cwd=self.folder)
        )

    def _end(self) -> None:
        said = (self.folder / f"ssh-{self.name}.log").read_text(errors="replace")
        self._attempt.close()
        self._master = None
        self._next = time.monotonic() + 0.5
        self.refused = self.refused or "Permission denied" in said

    def close(self) -> None:
        """Give up what is under way."""
        self._attempt.close()


@contextlib.contextmanager
def login(name: str, folder: Path, port: int, address: str = LOOPBACK) -> Iterator[Login]:
    """A :class:`Login` whose connection lasts as long as the ``with`` block."""
    with contextlib.ExitStack() as stack:
        attempt = Login(name, folder, port, stack, address)
        stack.callback(attempt.close)
        yield attempt


class _Banner:
    """Waits for the words by which an SSH server introduces itself.

    QEMU accepts every connection by itself and passes it on when the guest's network is there, so
    that a connection says nothing, and one that was made too early may never be answered.
    """

    def __init__(self, address: str, port: int) -> None:
        self._address = address
        self._port = port
        self.reached = False
        self.trouble = ""
        self._socket: socket.socket | None = None
        self._since = 0.0
        self._next = 0.0
        self.said = ""

    def poll(self) -> bool:
        now = time.monotonic()
        if self._socket is None:
            if now < self._next:
                return False
            self._next = now + PROBE_INTERVAL
            self._since = now
            try:
                self._socket = socket.create_connection((self._address, self._port), timeout=1)
                self._socket.setblocking(False)
                self.reached = True
            except OSError as error:
                self.reached = self.reached or isinstance(error, ConnectionError)
                self.trouble = error.strerror or str(error)
            return False
        try:
            words = self._socket.recv(64)
        except BlockingIOError:
            if now - self._since > PROBE_LIMIT:
                self._close()
            return False
        except OSError:
            words = b""
        self._close()
        if words and not words.startswith(b"SSH-"):
            self.said = ascii(words.decode(errors="replace"))
        return words.startswith(b"SSH-")

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
