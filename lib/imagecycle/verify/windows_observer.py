"""Whether a Windows that is not up yet ever will be: what its firmware and its screen show.

The rules for Linux are none for Windows, which says nothing on its serial console and stands still
for minutes while it is specialised. It is given up when its screen asks for something, or at the
limit.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from imagecycle.errors import ImagecycleError
from imagecycle.machine.screen_watch import StillScreen
from imagecycle.machine.virtual_machine import VirtualMachine
from imagecycle.systems import windows_pictures
from imagecycle.verify import pictures
from imagecycle.verify.pictures import Picture
from imagecycle.verify.stalls import Situation, Stall

PICTURE = "still.ppm"
_OF_FIRMWARE = (Picture.NO_BOOTABLE_DISK, Picture.NOT_SIGNED)


class WindowsJudge:
    """The rules for one machine; called with what can be seen of it."""

    def __init__(self, machine: VirtualMachine) -> None:
        self._machine = machine
        self._screen = StillScreen(self._take, machine.folder / PICTURE)

    def __call__(self, situation: Situation) -> Stall | None:
        """The reason for which the machine will not come up; None while it still may."""
        for text in (situation.firmware, situation.screen):
            sign = pictures.recognise(text)
            if sign is not None and sign.picture in _OF_FIRMWARE:
                return Stall(sign.picture, sign.meaning)
        words = "\n".join((situation.screen, self._screen.words()))
        if seen := windows_pictures.recognise(words):
            return Stall(Picture.ON_SCREEN, str(seen))
        return None

    def _take(self, path: Path) -> bool:
        with contextlib.suppress(ImagecycleError):  # QEMU may be going
            self._machine.monitor.execute("screendump", filename=str(path.resolve()))
            return True
        return False
