"""Waiting until a machine lets the injected key in, or it is clear that it never will."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path

from imagecycle import log
from imagecycle.errors import ImagecycleError
from imagecycle.machine.virtual_machine import VirtualMachine
from imagecycle.verify.console import Watch
from imagecycle.verify.guest import Login
from imagecycle.verify.session import Outcome, Subject

SCREENSHOT = "screenshot.png"
AFTERWARDS = 60.0
"""Seconds that a login may take once contextualisation has said that it finished."""


@dataclass
class Boot:
    """One machine on its way up; :meth:`poll` is called until there is an outcome."""

    machine: VirtualMachine
    subject: Subject
    login: Login
    limit: float
    """Seconds after power-on at which it is given up"""
    kept_console: Path
    """Where the console's log will be kept, for the message"""
    outcome: Outcome | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._watch = Watch(self.machine.console, self.machine.firmware_log)

    @property
    def screenshot(self) -> Path:
        return self.machine.folder / SCREENSHOT

    def poll(self) -> None:
        """Look once; announces the outcome to the checks as soon as it is known."""
        if self.outcome is not None:
            return
        if self.login.poll():
            self._settle(Outcome(True, self._seconds()))
        elif reason := self._hopeless():
            firmware = self.subject.firmware.upper()
            reason = f"{reason} (under {firmware}); the console is in {self.kept_console}"
            self._settle(Outcome(False, self._seconds(), reason))

    def _hopeless(self) -> str | None:
        if ended := self.machine.ended():
            return ended
        if fatal := self._watch.fatal():
            return fatal
        finished = self._watch.finished
        if finished is not None and time.monotonic() - finished > AFTERWARDS:
            return f"{self.login.so_far()} {AFTERWARDS:.0f} s after contextualisation finished"
        if self._seconds() > self.limit:
            return f"{self.login.so_far()} {self.limit:.0f} s after power-on"
        return None

    def _settle(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.subject.announce(outcome)
        with contextlib.suppress(ImagecycleError):  # QEMU may be gone
            self.machine.monitor.screenshot(self.screenshot.resolve())
        role, firmware = self.subject.role, self.subject.firmware.upper()
        if outcome.ready:
            log.say(f"{role} ({firmware}): login after {outcome.seconds:.1f} s")
        else:
            log.warn(f"{role} ({firmware}): {outcome.reason}")

    def _seconds(self) -> float:
        return round(time.monotonic() - self.machine.started, 2)
