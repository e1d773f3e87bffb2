"""What Windows shows when it waits, recognised in words that were read from pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagecycle.systems import windows_pictures
from standin.windows import screens

READ = json.loads((Path(__file__).parent / "windows_screens.json").read_text())
"""What tesseract 5.3 read from the pictures of ``standin.windows.screens``, mistakes and all"""
NAMES = {
    "product-key": "asks for a product key",
    "product-key-refused": "asks for a product key",
    "no-disk": "no disk: storage driver missing",
    "any-key": "press any key",
    "language": "choose a language",
    "edition": "choose an edition",
    "licence": "accept the licence",
    "where": "choose a disk",
    "partitions": "cannot be installed to this disk",
    "requirements": "does not meet the requirements",
    "answer-file": "refuses the answer file",
    "unexpected-restart": "restarted unexpectedly",
    "sysprep": "sysprep failed",
    "stop-7b": "blue screen INACCESSIBLE_BOOT_DEVICE",
    "stop-black": "blue screen CRITICAL_PROCESS_DIED",
    "stop-old": "blue screen INACCESSIBLE_BOOT_DEVICE",
    "boot-manager": "cannot start",
    "country": "asks for a country",
    "network": "asks for a network",
    "account": "asks for an account",
    "administrator": "asks for the administrator's password",
    "change-password": "asks for the administrator's password",
}


@pytest.mark.parametrize("name", NAMES)
def test_what_waits_for_somebody_is_named_with_the_way_out(name: str) -> None:
    seen = windows_pictures.recognise(READ[name])
    assert seen is not None and seen.name == NAMES[name]
    assert seen.meaning and seen.way_out


@pytest.mark.parametrize("name", sorted({*READ} - {*NAMES}))
def test_what_goes_on_by_itself_is_left_alone(name: str) -> None:
    assert windows_pictures.recognise(READ[name]) is None


def test_every_picture_was_read_and_every_rule_has_one() -> None:
    assert {*READ} == {*screens.SCREENS}
    known = {one.name for one in windows_pictures.PICTURES}
    assert known == {name for name in NAMES.values() if not name.startswith("blue screen")}


def test_a_blue_screen_with_an_unknown_code_says_the_code() -> None:
    words = "Your PC ran into a problem and needs to restart.\nStop code: SOMETHING ELSE HAPPENED"
    seen = windows_pictures.recognise(words)
    assert seen is not None and seen.name == "blue screen SOMETHING_ELSE_HAPPENED"
    seen = windows_pictures.recognise("*** STOP: 0x000000C5 (0x0000")
    assert seen is not None and seen.name == "blue screen 0x000000C5"


def test_a_blue_screen_that_is_still_collecting_is_waited_for() -> None:
    words = "Your PC ran into a problem and needs to restart.\n20% complete"
    assert windows_pictures.recognise(words) is None
