"""Signs of life of a running machine: what its disk, processor and screen have done so far."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from imagecycle.machine import screen_picture
from imagecycle.machine.screen_picture import ScreenPicture
from imagecycle.machine.virtual_machine import VirtualMachine

PICTURE = "screen.ppm"
TEXT_MODE = (720, 400)
"""Pixels of a VGA screen in text mode, 80 columns and 25 rows of letters"""
COLUMNS, ROWS = 80, 25
TEXT_MEMORY = 0xB8000
HIGH_HALF = 0x80000000
"""Where the kernels of today's systems keep their interrupt table, or above; firmware and boot
loaders keep theirs below"""
ARM_HIGH_HALF = 0xFFFF000000000000
"""Where the kernels of ARM are, whose registers name no such table"""

_INTERRUPT_TABLE = re.compile(r"IDT=\s*([0-9a-f]+)")
_ARM_STATE = re.compile(r"PC=([0-9a-f]+).*?PSTATE=[^\n]*?EL([0-3])", re.DOTALL)
_CELL = re.compile(r"0x([0-9a-f]{4})")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Vitals:
    """What a machine has done since it was powered on."""

    disk: int
    """Requests to its disks"""
    worked: float
    """Seconds of processor time that QEMU has used"""
    hindered: float
    """Seconds in which it waited for a processor of this machine"""
    screens: int
    """How often its screen has changed by more than a blinking cursor"""
    system: bool
    """Whether a kernel has the processor, rather than firmware or boot loader"""


def take(machine: VirtualMachine) -> ScreenPicture:
    """What a machine's screen shows.

    :raises ImagecycleError: when QEMU does not answer.
    """
    path = machine.folder / PICTURE
    machine.monitor.execute("screendump", filename=str(path.resolve()))
    picture = screen_picture.read(path)
    path.unlink(missing_ok=True)
    return picture


class Probe:
    """Takes the vitals of one machine."""

    def __init__(self, machine: VirtualMachine) -> None:
        self._machine = machine
        self._process = Path(f"/proc/{machine.process.pid}")
        self._picture = ScreenPicture((0, 0), b"")
        self._screens = 0

    def vitals(self) -> Vitals:
        """:raises ImagecycleError: when QEMU does not answer."""
        blocks = self._machine.monitor.execute("query-blockstats")
        counts = ("rd_operations", "wr_operations", "flush_operations", "unmap_operations")
        return Vitals(
            disk=sum(int(block["stats"].get(name, 0)) for block in blocks for name in counts),
            worked=self._worked(),
            hindered=self._hindered(),
            screens=self._screens,
            system=self._system(),
        )

    def look_at_screen(self) -> bool:
        """Whether the screen has changed since the last call, a cursor aside.

        :raises ImagecycleError: when QEMU does not answer.
        """
        picture = take(self._machine)
        changed = not picture.resembles(self._picture)
        self._picture = picture
        self._screens += changed
        return changed

    def screen_text(self) -> str:
        """The words on the screen, where it is in text mode; else nothing."""
        if self._picture.size != TEXT_MODE:
            return ""
        shown = self._command(f"xp /{COLUMNS * ROWS}hx {TEXT_MEMORY:#x}")
        cells = [int(cell, 16) & 0xFF for cell in _CELL.findall(shown)]
        letters = "".join(chr(c) if 32 <= c < 127 else " " for c in cells)
        rows = (letters[at : at + COLUMNS].rstrip() for at in range(0, len(letters), COLUMNS))
        return "\n".join(rows).strip("\n")

    def _system(self) -> bool:
        said = self._command("info registers")
        if table := _INTERRUPT_TABLE.search(said):
            return int(table[1], 16) >= HIGH_HALF
        state = _ARM_STATE.search(said)
        # exception level 0 is user space, which firmware and boot loaders have none of
        return state is not None and (state[2] == "0" or int(state[1], 16) >= ARM_HIGH_HALF)

    def _command(self, words: str) -> str:
        return str(self._machine.monitor.execute("human-monitor-command", command_line=words))

    def _worked(self) -> float:
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = (self._process / "stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / _TICK
        return 0.0

    def _hindered(self) -> float:
        """The longest wait of any thread: QEMU's processors are threads, one waits like another."""
        waits = [0]
        for task in self._process.glob("task/*/schedstat"):
            with contextlib.suppress(OSError, IndexError, ValueError):
                waits.append(int(task.read_text().split()[1]))
        return max(waits) / 1e9
