import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.machine.hardware import Hardware
from imagecycle.machine.virtual_machine import VirtualMachine
from imagecycle.machine.vitals import COLUMNS, ROWS, Probe

ARM_LOADER = " PC=000000013f8a1c30 X00=000000013f8b0000\nPSTATE=600003c5 -ZC- EL1h\n"
ARM_KERNEL = " PC=ffff8000080161a4 X00=0000000000000000\nPSTATE=600000c5 -ZC- NS EL1h\n"
ARM_PROGRAM = " PC=0000aaaadfa81c30 X00=0000000000000000\nPSTATE=60001000 -ZC- NS EL0t\n"
LOADER = "GDT=     000f5d60 00000037\nIDT=     000f5d9e 00000000\n"
KERNEL = "GDT=     fffffe0000001000 0000007f\nIDT=     fffffe0000000000 00000fff\n"


class Monitor:
    """QEMU's answers, for a machine whose screen is a field of one byte per pixel's colour."""

    def __init__(self) -> None:
        self.size = (720, 400)
        self.lit: set[tuple[int, int]] = set()
        self.words = ""
        self.registers = LOADER
        self.format = b"P6"

    def execute(self, command: str, **arguments: Any) -> Any:
        return getattr(self, command.replace("-", "_"))(**arguments)

    def screendump(self, filename: str) -> None:
        width, height = self.size
        pixels = bytearray(width * height * 3)
        for x, y in self.lit:
            pixels[(y * width + x) * 3] = 255
        Path(filename).write_bytes(b"%s\n%d %d\n255\n" % (self.format, width, height) + pixels)

    def human_monitor_command(self, command_line: str) -> str:
        if command_line == "info registers":
            return self.registers
        cells = [ord(letter) | 0x0700 for letter in self.words.ljust(COLUMNS * ROWS)]
        rows = [cells[at : at + 8] for at in range(0, len(cells), 8)]
        return "\r\n".join("b8000: " + " ".join(f"{cell:#06x}" for cell in row) for row in rows)

    def query_blockstats(self) -> list[dict[str, dict[str, int]]]:
        return [
            {"stats": {"rd_operations": 3, "wr_operations": 2, "flush_operations": 1}},
            {"stats": {"rd_operations": 4}},
        ]


@pytest.fixture
def monitor() -> Monitor:
    return Monitor()


@pytest.fixture
def probe(tmp_path: Path, monitor: Monitor) -> Iterator[Probe]:
    with subprocess.Popen(["sleep", "60"]) as process:
        parts = Hardware("bios", 512, 1, "uuid", "fa:16:3e:00:00:01", [])
        machine = VirtualMachine(
            "instance", tmp_path, parts, process, cast(Any, monitor), 1, time.monotonic()
        )
        yield Probe(machine)
        process.kill()


def test_screen_has_changed_when_it_is_seen_first(probe: Probe) -> None:
    assert probe.look_at_screen()
    assert not probe.look_at_screen()


def test_blinking_cursor_is_no_change(probe: Probe, monitor: Monitor) -> None:
    probe.look_at_screen()
    monitor.lit = {(x, y) for x in range(100, 109) for y in range(50, 52)}
    assert not probe.look_at_screen()
    assert probe.vitals().screens == 1


@pytest.mark.parametrize("dots", [{(0, 0), (700, 0)}, {(5, 5), (5, 300)}])
def test_change_in_two_places_is_one(
    probe: Probe, monitor: Monitor, dots: set[tuple[int, int]]
) -> None:
    probe.look_at_screen()
    monitor.lit = dots
    assert probe.look_at_screen()
    assert probe.vitals().screens == 2


def test_other_size_is_a_change(probe: Probe, monitor: Monitor) -> None:
    probe.look_at_screen()
    monitor.size = (640, 480)
    assert probe.look_at_screen()


def test_words_are_read_from_a_screen_in_text_mode(probe: Probe, monitor: Monitor) -> None:
    monitor.words = "GNU GRUB  version 2.06".ljust(COLUMNS * 2) + "*Debian"
    probe.look_at_screen()
    assert probe.screen_text() == "GNU GRUB  version 2.06\n\n*Debian"
    monitor.size = (1280, 800)
    probe.look_at_screen()
    assert probe.screen_text() == ""


def test_requests_of_all_disks_count(probe: Probe) -> None:
    assert probe.vitals().disk == 10


def test_kernel_is_told_from_a_boot_loader(probe: Probe, monitor: Monitor) -> None:
    assert not probe.vitals().system
    monitor.registers = KERNEL
    assert probe.vitals().system


@pytest.mark.parametrize(
    ("registers", "system"), [(ARM_LOADER, False), (ARM_KERNEL, True), (ARM_PROGRAM, True)]
)
def test_system_of_arm_is_told_from_its_loader(
    probe: Probe, monitor: Monitor, registers: str, system: bool
) -> None:
    monitor.registers = registers
    assert probe.vitals().system is system


def test_work_and_waiting_for_a_processor_are_measured(tmp_path: Path, monitor: Monitor) -> None:
    argv = ["sh", "-c", "while :; do :; done"]
    # as many as there are processors, and one more: somebody has to wait
    busy = [subprocess.Popen(argv) for _ in range((os.cpu_count() or 1) + 1)]
    parts = Hardware("bios", 512, 1, "uuid", "fa:16:3e:00:00:01", [])
    try:
        machine = VirtualMachine("one", tmp_path, parts, busy[0], cast(Any, monitor), 1, 0.0)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            vitals = Probe(machine).vitals()
            if vitals.worked > 0 and vitals.hindered > 0.01:
                break
            time.sleep(0.05)
        assert vitals.worked > 0
        assert vitals.hindered > 0.01
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_unknown_picture_is_an_error(probe: Probe, monitor: Monitor) -> None:
    monitor.format = b"no"
    with pytest.raises(ImagecycleError):
        probe.look_at_screen()
