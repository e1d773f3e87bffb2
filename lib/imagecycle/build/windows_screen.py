"""Looks at the screen of a Windows that is being built, and gives up when it waits for somebody.

Windows shows a question, or a blue screen, and then does nothing for ever. A screen that has stood
still for a while is read; what is recognised ends the build, long before the limit for stalls.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagecycle import log
from imagecycle.build import domain as domains
from imagecycle.build.domain import InstallationFailed
from imagecycle.machine import screen_words
from imagecycle.machine.screen_watch import StillScreen
from imagecycle.systems import windows_pictures


class ScreenWatch:
    """Watches the screen of one domain.

    :param folder: keeps the last picture as ``screenshot.ppm``.
    """

    def __init__(self, connection: Any, domain: Any, folder: Path) -> None:
        self._screen = StillScreen(
            lambda path: domains.screenshot(connection, domain, path), folder / "screenshot.ppm"
        )
        if not screen_words.available():
            log.warn(f"{screen_words.PROGRAM} is not installed: no question on the screen is read")

    def look(self) -> None:
        """Look, if it is time to.

        :raises InstallationFailed: naming what the screen shows, when Windows waits for somebody.
        """
        if seen := windows_pictures.recognise(self._screen.words()):
            raise InstallationFailed(f"Windows {seen}")
