"""Waiting until a machine lets the injected key in, or it is clear that it never will."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path

from imagecycle import log
from imagecycle.errors import ImagecycleError
from imagecycle.machine import hardware
from imagecycle.machine.virtual_machine import VirtualMachine
from imagecycle.verify.guest import Login
from imagecycle.verify.observer import Observer
from imagecycle.verify.pictures import Picture
from imagecycle.verify.session import Outcome, Subject
from imagecycle.verify.stalls import Stall

SCREENSHOT = "screenshot.png"


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
        self.observer = Observer(self.machine, self.login)

    @property
    def screenshot(self) -> Path:
        return self.machine.folder / SCREENSHOT

    def poll(self) -> None:
        """Look once; announces the outcome to the checks as soon as it is known."""
        if self.outcome is not None:
            return
        if self.login.poll():
            self._settle(Outcome(True, self._seconds()))
        elif stall := self._hopeless():
            firmware = self.subject.firmware.upper()
            reason = (
                f"{stall.picture}: {stall.meaning} (under {firmware}); "
                f"the console is in {self.kept_console}"
            )
            evidence = tuple(self.observer.evidence())
            self._settle(Outcome(False, self._seconds(), reason, stall.picture, evidence))

    def _hopeless(self) -> Stall | None:
        stall = self.observer.look()
        if ended := self.machine.ended():
            return Stall(Picture.SWITCHED_OFF, ended)
        if stall is None and self._seconds() > self.limit:
            meaning = f"{self.login.so_far()} {self.limit:.0f} s after power-on"
            return Stall(Picture.LATE, meaning)
        return stall

    def _settle(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.subject.announce(outcome)
        with contextlib.suppress(ImagecycleError):  # QEMU may be gone
            self.machine.monitor.screenshot(self.screenshot.resolve())
            self.machine.monitor.execute("object-del", id=hardware.RECORDER)
        role, firmware = self.subject.role, self.subject.firmware.upper()
        if outcome.ready:
            log.say(f"{role} ({firmware}): login after {outcome.seconds:.1f} s")
        else:
            log.warn(f"{role} ({firmware}): {outcome.reason}")

    def _seconds(self) -> float:
        return round(time.monotonic() - self.machine.started, 2)
