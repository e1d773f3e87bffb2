"""The power button of the machines under check, and what came of it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from imagecycle.machine import hardware
from imagecycle.machine.monitor import Monitor
from imagecycle.verify.session import Session

LIMITS = {"kvm": 60.0, "tcg": 300.0}
"""Seconds, by accelerator: Nova's default ``shutdown_timeout``, after which it cuts the power, and
as much as software emulation needs on a busy machine for what takes a few seconds there."""
CLEAN = "guest-shutdown"
"""QEMU's word for a guest that switched itself off."""


@dataclass(frozen=True)
class PowerOff:
    """What followed the power button: seconds until QEMU had ended, and why it ended.

    ``reason`` is None for a machine that was still running at the limit.
    """

    seconds: float
    reason: str | None

    @property
    def clean(self) -> bool:
        return self.reason == CLEAN


def press(session: Session) -> dict[str, PowerOff]:
    """Press the power button of every machine that is up and wait for all of them, by role."""
    found: dict[str, PowerOff] = {}
    with contextlib.ExitStack() as stack:
        monitors: dict[str, Monitor] = {}
        for subject in session.subjects:
            if subject.outcome(session.boot_limit).ready:
                path = subject.folder / hardware.MONITORS["checks"]
                monitors[subject.role] = stack.enter_context(Monitor(path, subject.role))
        begun = time.monotonic()
        for monitor in monitors.values():
            monitor.power_button()
        for role, monitor in monitors.items():
            reason = monitor.wait_for_shutdown(
                max(0.1, begun + session.power_off_limit - time.monotonic())
            )
            found[role] = PowerOff(round(time.monotonic() - begun, 1), reason)
    return found
