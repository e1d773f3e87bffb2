"""The serial console of a guest that is being installed: its phases, its end, its last words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from imagecycle.build.domain import InstallationFailed, MachineCrashed
from imagecycle.build.terminal import Terminal
from imagecycle.systems.system import InstallerConsole

PANIC = re.compile(rb"Kernel panic - not syncing: ([^\r\n]+)\r*\n")
_LOST_TIMER = re.compile(rb"kthread timer wakeup didn't happen for \d+ jiffies")
"""Linux says so, once in 20 s, when an interrupt of its timer is lost: then it waits for ever"""
_LOST_TIMES = 3
_ESCAPE = re.compile(rb"\x1b\[[0-9;=?]*[A-Za-z]")
_DRAWN = re.compile(rb"\x1b\[\d+;\d+H")
_RECENT = 2000
"""Bytes at the end, of which it depends whether lines are read or a screen"""
_RETURN = re.compile(rb"^\r+(?=[^\r\n])", re.MULTILINE)
_LAST_LINES = 15


class Console:
    """A console that is written to ``path``.

    :param installer: how the installer tells of its phases and of its failure.
    :param report: told the number of a phase that has begun and its name.
    """

    def __init__(
        self,
        path: Path,
        installer: InstallerConsole,
        report: Callable[[int, str], None] = lambda _number, _name: None,
    ) -> None:
        self.path = path
        self._installer = installer
        self._report = report
        self._size = 0
        self._phase = 0
        self._failure = ""

    def look(self) -> bool:
        """Read what is new; returns whether there was anything.

        :raises InstallationFailed: when the guest has given up.
        :raises MachineCrashed: when its clock stands still, which is the emulator's fault.
        """
        size = self.path.stat().st_size if self.path.exists() else 0
        if size == self._size:
            return False
        self._size = size
        text = self.text()
        self._tell_phases(text)
        if found := self._installer.failure.search(text) or PANIC.search(text):
            self._failure = found[1].decode(errors="replace")
            raise InstallationFailed(self._failure)
        asks = self._installer.question
        if asks is not None and (found := asks.search(text)):
            self._failure = f"the installer asks: {found[1].decode(errors='replace')}"
            raise InstallationFailed(self._failure)
        if len(_LOST_TIMER.findall(text)) >= _LOST_TIMES:
            raise MachineCrashed("the clock of the virtual machine stands still")
        return True

    def text(self) -> bytes:
        """All that was said so far, without what UEFI and boot loaders leave before the first line
        of the system that they start: escape sequences, and GRUB a carriage return."""
        said = self.path.read_bytes() if self.path.exists() else b""
        return _RETURN.sub(b"", _ESCAPE.sub(b"", said))

    def _tell_phases(self, text: bytes) -> None:
        """Report the phases that have begun; where they have no numbers, each name is one."""
        names: list[bytes] = []
        for number, name in self._installer.phase.findall(text):
            if name not in names:
                names.append(name)
            at = int(number) if number else len(names)
            if at > self._phase:
                self._phase = at
                self._report(at, name.decode(errors="replace"))

    def raise_failure(self) -> None:
        """:raises InstallationFailed: when the guest gave up and is gone."""
        if self._failure:
            raise self.failure(InstallationFailed(self._failure), None)

    def failure(self, error: InstallationFailed, picture: Path | None) -> InstallationFailed:
        """The error, of its own kind, with what the console showed last and where to look."""
        places = [error.hint] if error.hint else []
        places += [f"console: {self.path}"] + ([f"screenshot: {picture}"] if picture else [])
        last = "\n".join(f"  | {line}" for line in self.last_lines())
        message = f"the installation failed: {error.message}" + (f"\n{last}" if last else "")
        return type(error)(message, hint="; ".join(places))

    def last_lines(self) -> list[str]:
        """The end of the console, without control characters: lines, or a screen with a dialog."""
        said = self.path.read_bytes() if self.path.exists() else b""
        if _DRAWN.search(said[-_RECENT:]):
            screen = Terminal()
            screen.write(said)
            return [line for line in screen.lines() if line.strip()]
        text = self.text()[-20000:].decode(errors="replace")
        lines = [re.sub(r"[^\x20-\x7e]", "", line) for line in text.split("\n")]
        return [line for line in lines if line.strip()][-_LAST_LINES:]
