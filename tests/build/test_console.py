"""What is read from the console of a guest that is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagecycle.build.console import Console
from imagecycle.build.domain import InstallationFailed, MachineCrashed
from imagecycle.systems.debian import Debian


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "console.log"


def test_a_console_that_is_not_there_yet_shows_no_life(path: Path) -> None:
    assert not Console(path, Debian.console).look()


def test_phases_are_reported_once_and_only_when_their_line_is_whole(path: Path) -> None:
    seen: list[tuple[int, str]] = []
    console = Console(path, Debian.console, lambda number, name: seen.append((number, name)))
    path.write_bytes(b"installer: 1/6 partitions\r\ninstaller: 2/6 sys")
    assert console.look()
    assert not console.look()
    path.write_bytes(b"installer: 1/6 partitions\r\ninstaller: 2/6 system\r\n")
    assert console.look()
    assert seen == [(1, "partitions"), (2, "system")]


def test_what_the_firmware_leaves_on_the_line_is_no_part_of_a_phase(path: Path) -> None:
    seen: list[int] = []
    console = Console(path, Debian.console, lambda number, _: seen.append(number))
    path.write_bytes(
        b"Welcome to GRUB!\n\r\n\r\x1b[0m\x1b[37m\x1b[40minstaller: 1/6 partitions\r\n"
    )
    assert console.look() and seen == [1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"installer: FAILED: there is no disk\r\n", "there is no disk"),
        (b"[ 1.0] Kernel panic - not syncing: VFS: no root\r\n", "VFS: no root"),
    ],
)
def test_a_guest_that_gives_up_is_noticed(path: Path, text: bytes, reason: str) -> None:
    console = Console(path, Debian.console)
    path.write_bytes(text)
    with pytest.raises(InstallationFailed, match=reason):
        console.look()


ASKED = (
    b"\x1b[24;79H \x08 \x1b[2;1H\x1b[5;3H\x1b[0m\x1b(0\x1b[30m\x1b[47mlqqqqu\x1b[0m\x1b(B\x1b[30m"
    b"\x1b[47m \x1b[31m[!!] Download installer components\x1b[30m \x1b(0tqqk\x1b[6;3Hx\x1b[0m\x1b(B"
    b"\x1b[47m     \x1b(0x\x1b[7;3H\x1b[0m\x1b(0\x1b[47mx\x1b[0m\x1b(B\x1b[47m The installer "
    b"failed to download a file from the mirror.\x1b(0x\x1b[14;3H\x1b(0mqqqqqj\x1b(B"
    b"\x1b[15;9HRetry\r\x1b[9BChange"
)
"""A dialog of Debian's installer, as newt draws it; shortened"""


def test_a_question_of_the_vendors_installer_ends_the_build_and_is_shown_as_on_the_screen(
    path: Path,
) -> None:
    console = Console(path, Debian.console)
    path.write_bytes(b"[    0.1] Linux version 6\r\n\x1b[2J" + ASKED[:60])
    assert console.look()  # its title is not whole
    path.write_bytes(b"[    0.1] Linux version 6\r\n\x1b[2J" + ASKED)
    with pytest.raises(InstallationFailed, match="the installer asks: Download installer comp"):
        console.look()
    assert [line.strip() for line in console.last_lines()] == [
        "[!!] Download installer components",
        "The installer failed to download a file from the mirror.",
        "Retry",
        "Change",
    ]


def test_a_guest_whose_clock_stands_still_is_the_emulators_fault(path: Path) -> None:
    console = Console(path, Debian.console)
    line = (
        b"[   24.8] rcu: rcu_preempt kthread timer wakeup didn't happen for 5248 jiffies! "
        b"g-1019 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x402\r\n"
    )
    path.write_bytes(line * 2)  # a machine under load may come late
    assert console.look()
    path.write_bytes(line * 3)
    with pytest.raises(MachineCrashed, match="clock of the virtual machine stands still"):
        console.look()
    console.raise_failure()  # the guest itself has not failed


def test_a_failure_carries_the_last_lines_without_control_characters(path: Path) -> None:
    path.write_bytes(b"\x1b[1;31mfirst\x1b[0m\r\n\r\nlast\x07\r\n")
    error = Console(path, Debian.console).failure(
        InstallationFailed("it stalled", hint="wait longer"), path.with_name("s.png")
    )
    assert "it stalled\n  | first\n  | last" in error.message
    assert error.hint == f"wait longer; console: {path}; screenshot: {path.with_name('s.png')}"
