"""Waiting until a machine lets the injected key in, or it is clear that it never will."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagecycle import log
from imagecycle.errors import ImagecycleError
from imagecycle.machine.virtual_machine import VirtualMachine
from imagecycle.verify import stalls
from imagecycle.verify.cases import Case
from imagecycle.verify.observer import Observer
from imagecycle.verify.pictures import Picture
from imagecycle.verify.session import Outcome
from imagecycle.verify.stalls import Stall
from imagecycle.verify.way_in import Login
from imagecycle.verify.windows_observer import WindowsJudge

FIRST = "boot"


@dataclass
class Boot:
    """One machine on its way up; :meth:`poll` is called until there is an outcome."""

    machine: VirtualMachine
    case: Case
    life: str
    """``boot``, or one of :data:`imagecycle.verify.cases.LIVES`"""
    login: Login
    limit: float
    """Seconds after power-on at which it is given up"""
    kept_console: Path
    """Where the console's log will be kept, for the message"""
    again: bool = False
    """Whether the machine has been running before, so that its logs go on"""
    reads_screen: bool = False
    """Whether it is a Windows, which is judged by its screen"""
    outcome: Outcome | None = field(default=None, init=False)
    account: Mapping[str, str] = field(default_factory=dict, init=False)
    """What the guest said of itself afterwards"""

    def __post_init__(self) -> None:
        console = self.machine.console
        self.console_from = console.stat().st_size if self.again and console.exists() else 0
        """Where this life begins in the machine's console log"""
        judge = WindowsJudge(self.machine) if self.reads_screen else stalls.judge
        self.observer = Observer(self.machine, self.login, self.again, judge)

    @property
    def name(self) -> str:
        """Of the machine and this life of it: ``instance``, ``instance-reboot``."""
        return self.case.name if self.life == FIRST else f"{self.case.name}-{self.life}"

    @property
    def screenshot(self) -> Path:
        return self.machine.folder / f"screenshot-{self.life}.png"

    def poll(self) -> None:
        """Look once."""
        if self.outcome is not None:
            return
        if self.login.poll():
            self._settle(Outcome(True, self._seconds(), pace=self._pace()))
        elif stall := self._hopeless():
            firmware = self.case.firmware.upper()
            reason = (
                f"{stall.picture}: {stall.meaning} (under {firmware}); "
                f"the console is in {self.kept_console}"
            )
            evidence = tuple(self.observer.evidence())
            picture = stall.picture
            self._settle(Outcome(False, self._seconds(), reason, picture, evidence, self._pace()))

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
        with contextlib.suppress(ImagecycleError):  # QEMU may be gone
            self.machine.monitor.screenshot(self.screenshot.resolve())
            self.machine.monitor.stop_recording()
        name = f"{self.name} ({self.case.firmware.upper()})"
        if outcome.ready:
            log.say(f"{name}: login after {outcome.seconds:.1f} s")
        else:
            log.warn(f"{name}: {outcome.reason}")

    def _pace(self) -> float:
        return round(self.observer.pace(), 2)

    def _seconds(self) -> float:
        return round(time.monotonic() - self.machine.started, 2)
