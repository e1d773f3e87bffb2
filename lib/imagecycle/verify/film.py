"""A film strip of a machine's screen: a picture whenever it has changed, and not too many."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from imagecycle.errors import ImagecycleError
from imagecycle.machine.virtual_machine import VirtualMachine

FRAMES = 16
"""Most that are kept; from then on every second one goes, and half as many are taken"""


@dataclass(frozen=True)
class Frame:
    """One picture, in PNG, and the seconds after power-on at which it was taken."""

    seconds: float
    path: Path


class Film:
    """The pictures of one machine."""

    def __init__(self, machine: VirtualMachine) -> None:
        self.frames: list[Frame] = []
        self._machine = machine
        self._interval = 0.0

    def add(self, seconds: float) -> None:
        """Take a picture, unless the last one is too young."""
        if self.frames and seconds - self.frames[-1].seconds < self._interval:
            return
        folder = self._machine.folder
        path = folder / f"frame-{len(list(folder.glob('frame-*.png'))):03d}.png"
        with contextlib.suppress(ImagecycleError):  # QEMU may be going
            self._machine.monitor.screenshot(path.resolve())
            self.frames.append(Frame(round(seconds, 1), path))
        if len(self.frames) > FRAMES:
            self._interval = max(1.0, 2 * self._interval)
            self.frames = self.frames[::2]
