"""Screens of Windows read by tesseract: pictures made for the purpose, all that are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagecycle.machine import screen_words
from imagecycle.systems import windows_pictures
from standin.windows import screens

pytestmark = pytest.mark.integration

SHOWN = {
    "product-key": "asks for a product key",
    "no-disk": "no disk: storage driver missing",
    "any-key": "press any key",
    "language": "choose a language",
    "stop-7b": "blue screen INACCESSIBLE_BOOT_DEVICE",
    "stop-old": "blue screen INACCESSIBLE_BOOT_DEVICE",
    "sysprep": "sysprep failed",
    "unexpected-restart": "restarted unexpectedly",
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_question_is_read_and_named(tmp_path: Path, name: str) -> None:
    picture = tmp_path / "screen.ppm"
    picture.write_bytes(screens.ppm(name))
    seen = windows_pictures.recognise(screen_words.read(picture))
    assert seen is not None and seen.name == SHOWN[name]


def test_progress_is_no_question(tmp_path: Path) -> None:
    picture = tmp_path / "screen.png"
    picture.write_bytes(screens.png("progress"))
    words = screen_words.read(picture)
    assert "devices" in words and windows_pictures.recognise(words) is None
