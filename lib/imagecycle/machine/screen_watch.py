"""A screen that is looked at now and then, and read when it stands still."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from imagecycle.errors import ImagecycleError
from imagecycle.machine import screen_picture, screen_words
from imagecycle.machine.screen_picture import ScreenPicture

INTERVAL = 5.0
"""Seconds between two looks"""
STILL = 20.0
"""Seconds in which a screen has not changed before it is read"""


class StillScreen:
    """The screen of one machine.

    :param take: writes what the screen shows to a file; returns whether that could be done.
    :param path: of that file, which keeps the last picture.
    """

    def __init__(self, take: Callable[[Path], bool], path: Path) -> None:
        self._take, self._path = take, path
        self._picture = ScreenPicture((0, 0), b"")
        self._since = self._next = 0.0
        self._read = False

    def words(self) -> str:
        """The words on a screen that has stood still, once for each; else nothing."""
        now = time.monotonic()
        if now < self._next:
            return ""
        self._next = now + INTERVAL
        if not self._take(self._path):
            return ""
        try:
            picture = screen_picture.read(self._path)
        except ImagecycleError:
            return ""
        if not picture.resembles(self._picture):
            self._picture, self._since, self._read = picture, now, False
        elif not self._read and now - self._since >= STILL:
            self._read = True
            return screen_words.read(self._path)
        return ""
