"""Looks at the screen of a Windows that is being built, and gives up when it waits for somebody.

Windows shows a question, or a blue screen, and then does nothing for ever. A screen that has stood
still for a while is read; what is recognised ends the build, long before the limit for stalls.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from imagecycle import log
from imagecycle.build import domain as domains
from imagecycle.build.domain import InstallationFailed
from imagecycle.errors import ImagecycleError
from imagecycle.machine import screen_picture, screen_words
from imagecycle.machine.screen_picture import ScreenPicture
from imagecycle.systems import windows_pictures

INTERVAL = 5.0
"""Seconds between two looks"""
STILL = 20.0
"""Seconds in which a screen has not changed before it is read"""


class ScreenWatch:
    """Watches the screen of one domain.

    :param folder: keeps the last picture as ``screenshot.ppm``.
    """

    def __init__(self, connection: Any, domain: Any, folder: Path) -> None:
        self._connection, self._domain = connection, domain
        self._path = folder / "screenshot.ppm"
        self._picture = ScreenPicture((0, 0), b"")
        self._since = self._next = 0.0
        self._read = False
        if not screen_words.available():
            log.warn(f"{screen_words.PROGRAM} is not installed: no question on the screen is read")

    def look(self) -> None:
        """Look, if it is time to.

        :raises InstallationFailed: naming what the screen shows, when Windows waits for somebody.
        """
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        if not domains.screenshot(self._connection, self._domain, self._path):
            return
        try:
            picture = screen_picture.read(self._path)
        except ImagecycleError:
            return
        if not picture.resembles(self._picture):
            self._picture, self._since, self._read = picture, now, False
        elif not self._read and now - self._since >= STILL:
            self._read = True
            if seen := windows_pictures.recognise(screen_words.read(self._path)):
                raise InstallationFailed(f"Windows {seen}")
