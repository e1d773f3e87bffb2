"""How a run gets into its machines, and what differs there between kinds of operating system.

A :class:`WayIn` logs in to a machine, asks it about itself, and restarts it from inside. Linux is
reached over SSH with an injected key, Windows over WinRM with an injected password.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from imagecycle import command
from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.virtual_machine import VirtualMachine
from imagecycle.systems.linux import Linux
from imagecycle.verify import account, ext4, guest


class Login(Protocol):
    """An attempt to log in to one machine."""

    answered: float | None
    """``time.monotonic()`` when the guest's service answered first"""
    refused: bool
    """Whether it has refused what was injected"""

    def poll(self) -> bool:
        """Whether we are in; called again and again."""
        ...

    def so_far(self) -> str:
        """How far it has come, for a message."""
        ...


class Asking(Protocol):
    """A guest that is being asked."""

    def answered(self) -> Mapping[str, str] | None:
        """The account, empty where none can be had; None while it is still coming."""
        ...


class WayIn(Protocol):
    """Into the machines of one run."""

    port: int
    """Of the guest's service"""
    reads_screen: bool
    """Whether the system asks its questions on the screen alone"""

    def login(
        self, machine: VirtualMachine, told: InstanceData, key: str
    ) -> contextlib.AbstractContextManager[Login]:
        """A login that lasts as long as the ``with`` block."""
        ...

    def asking(
        self, name: str, brief: bool, limit: float
    ) -> contextlib.AbstractContextManager[Asking]:
        """Ask a machine whose login stands."""
        ...

    def restarting(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Let a machine restart from inside."""
        ...

    def unclean(self, disk: Path) -> list[str]:
        """The partitions of a machine that has ended whose file systems were not left clean."""
        ...


class SshWay:
    """Into machines of Linux.

    :param folder: of the run.
    :param user: who logs in.
    """

    port = 22
    reads_screen = False

    def __init__(self, folder: Path, user: str, system: Linux) -> None:
        self._folder, self._user, self._system = folder, user, system

    def login(
        self, machine: VirtualMachine, told: InstanceData, key: str
    ) -> contextlib.AbstractContextManager[guest.Login]:
        guest.write_config(self._folder, self._user, machine.name, machine.port, key)
        return guest.login(machine.name, self._folder, machine.port)

    def asking(
        self, name: str, brief: bool, limit: float
    ) -> contextlib.AbstractContextManager[account.Asking]:
        words = account.script(self._system, brief=brief)
        return account.asking(self._folder, name, words, limit)

    @contextlib.contextmanager
    def restarting(self, name: str) -> Iterator[None]:
        argv = ["ssh", "-F", guest.config(name), name, "sudo -n reboot"]
        output = self._folder / f"reboot-{name}.log"
        with command.background(argv, output=output, cwd=self._folder):
            yield

    def unclean(self, disk: Path) -> list[str]:
        return list(ext4.unclean(disk))
