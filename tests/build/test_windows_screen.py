"""The screen of a Windows that is being built: read when it stands still."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imagecycle.build import domain as domains
from imagecycle.build.domain import InstallationFailed
from imagecycle.build.windows_screen import ScreenWatch
from imagecycle.machine import screen_watch, screen_words


class Rig:
    """A screen that shows what a test says, and words that were read from it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown, self.words, self.now = "copying", "Copying Windows files", 0.0
        self.read = 0
        monkeypatch.setattr(domains, "screenshot", self._screenshot)
        monkeypatch.setattr(screen_words, "available", lambda: True)
        monkeypatch.setattr(screen_words, "read", self._read)
        monkeypatch.setattr(screen_watch.time, "monotonic", lambda: self.now)
        self.watch = ScreenWatch(None, None, folder)

    def _screenshot(self, _connection: Any, _domain: Any, path: Path) -> bool:
        path.write_bytes(b"P6\n2 1\n255\n" + self.shown.encode().ljust(6)[:6])
        return True

    def _read(self, _path: Path) -> str:
        self.read += 1
        return self.words

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now += 1
            self.watch.look()


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr("imagecycle.machine.screen_picture.CURSOR", (0, 0))
    return Rig(tmp_path, monkeypatch)


def test_a_question_that_stands_there_ends_the_build(rig: Rig) -> None:
    rig.wait(60)
    rig.shown, rig.words = "key", "Enter the product key"
    with pytest.raises(InstallationFailed, match="Windows asks for a product key: the key of"):
        rig.wait(60)
    assert rig.now < 60 + 40


def test_a_screen_that_stands_still_is_read_once(rig: Rig) -> None:
    rig.wait(300)
    assert rig.read == 1


def test_a_question_that_is_answered_in_time_is_none(rig: Rig) -> None:
    rig.shown, rig.words = "key", "Enter the product key"
    for _ in range(10):
        rig.wait(12)
        rig.shown = "other" if rig.shown == "key" else "key"
    assert rig.read == 0
