"""What QEMU can run a guest with on this machine: KVM where it works, else software emulation.

That ``/dev/kvm`` opens, and that libvirt lists it, proves nothing: below some hypervisors a guest
then hangs in its firmware. So a kernel is booted under KVM once, with a time limit, and what came
of it is remembered for as long as the machine stays the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.artifacts import write_json
from imagecycle.errors import UsageError
from imagecycle.machine import platforms
from imagecycle.site import Site

QEMU = platforms.of(platforms.X86_64).emulator
DEVICE = Path("/dev/kvm")
KERNELS = Path("/boot")
VARIABLE = "IMAGECYCLE_ACCELERATOR"
TIME_LIMIT = 8.0
"""Seconds; a working KVM needs less than two."""

_trying = threading.Lock()

KVM = "kvm"
TCG = "tcg"
PROCESSOR_TRAIT = "trait:HW_CPU_"


@dataclass(frozen=True)
class Accelerator:
    """How guests run here: ``kind`` is ``kvm`` or ``tcg``, ``reason`` says why, for people."""

    kind: str
    reason: str

    def qemu_arguments(
        self, properties: Iterable[str] = (), arch: str = platforms.X86_64
    ) -> list[str]:
        """The options that QEMU's command line needs.

        :param properties: names of the image's properties. A system that needs more than the first
            x86-64 processors had says so by one of the traits that Nova schedules by, such as
            ``trait:HW_CPU_X86_AVX2``. Every other is emulated with QEMU's default processor, as
            Nova does it: a boot costs a fifth less than with all that QEMU can emulate.
        """
        if self.kind == KVM:
            return ["-accel", "kvm", "-cpu", "host"]
        demanding = any(name.startswith(PROCESSOR_TRAIT) for name in properties)
        offered = platforms.of(arch)
        processor = offered.demanding_processor if demanding else offered.processor
        return ["-accel", "tcg,thread=multi", "-cpu", processor]

    @property
    def libvirt_type(self) -> str:
        """The ``type`` of a libvirt domain, and of Oz's configuration."""
        return "kvm" if self.kind == KVM else "qemu"


def fitting(accelerator: Accelerator, arch: str) -> Accelerator:
    """What a guest of an architecture runs on: another one's is always emulated."""
    here = platform.machine()
    if arch == here:
        return accelerator
    return Accelerator(TCG, f"{arch} is emulated on {here}")


def find(site: Site, *, fresh: bool = False) -> Accelerator:
    """The accelerator that works here; tried at most once per state of the machine.

    :param fresh: try again instead of believing what is remembered.
    :raises UsageError: when IMAGECYCLE_ACCELERATOR holds anything but kvm or tcg.
    :raises MissingProgram: when there is a KVM device to try but no QEMU.
    """
    if forced := os.environ.get(VARIABLE):
        if forced not in (KVM, TCG):
            raise UsageError(f"{VARIABLE} is {forced}", hint="set it to kvm or tcg, or unset it")
        return Accelerator(forced, f"{VARIABLE} asks for it")
    if not DEVICE.exists():
        return Accelerator(TCG, f"there is no {DEVICE}")
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return Accelerator(TCG, f"this user may not open {DEVICE}")
    memory = site.cache / "accelerator.json"
    machine = _machine()
    with _trying:
        known = None if fresh else _recall(memory, machine)
        if known is not None:
            return known
        found = _try_kvm()
        with contextlib.suppress(OSError):  # a user who may not write there tries each time
            write_json(memory, {"machine": machine, "kind": found.kind, "reason": found.reason})
        return found


def _machine() -> dict[str, str]:
    """What decides whether KVM works; a change of any of it makes the memory worthless."""
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    version = command.run([QEMU, "--version"], timeout=10).stdout.splitlines()
    return {
        "kernel": os.uname().release,
        "cpu": model[1] if model else "",
        "qemu": version[0] if version else "",
    }


def _recall(memory: Path, machine: dict[str, str]) -> Accelerator | None:
    try:
        record = json.loads(memory.read_text())
        if record["machine"] == machine:
            return Accelerator(str(record["kind"]), str(record["reason"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _try_kvm() -> Accelerator:
    with tempfile.TemporaryDirectory(prefix="imagecycle-kvm-") as name:
        folder = Path(name)
        what, guest, proof = _guest(folder)
        argv = [
            *(QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
            *("-accel", "kvm", "-cpu", "host", "-m", "256", "-serial", "stdio", *guest),
        ]
        ended, output = _boot(argv, folder / "console")
    if proof in output:
        return Accelerator(KVM, f"{what} booted under it")
    if not ended:
        return Accelerator(TCG, f"{DEVICE} opens, but {what} hung under KVM ({TIME_LIMIT:.0f} s)")
    last = output.strip().splitlines()[-1] if output.strip() else "without a word"
    return Accelerator(TCG, f"{DEVICE} opens, but {what} failed under KVM: {last}")


def _boot(argv: Sequence[str], console: Path) -> tuple[bool, str]:
    """Run QEMU; whether it ended by itself, and what it printed."""
    with command.background(argv, output=console) as process:
        try:
            process.wait(TIME_LIMIT)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
            process.kill()  # a hung guest does not let QEMU end politely
    return ended, console.read_text(errors="replace")


def _guest(folder: Path) -> tuple[str, list[str], str]:
    """Something small to boot: what it is, QEMU's options for it, and what it prints on success.

    An ordinary kernel proves most. It finds no root file system, panics and so ends QEMU.
    """
    for kernel in sorted(KERNELS.glob("vmlinuz-*"), reverse=True):
        if os.access(kernel, os.R_OK):
            words = "console=ttyS0 panic=-1 root=/dev/nowhere"
            return "a Linux kernel", ["-kernel", str(kernel), "-append", words], "VFS: Unable"
    sector = folder / "sector"
    sector.write_bytes(_boot_sector(b"imagecycle"))
    drive = ["-drive", f"file={sector},format=raw,if=ide"]
    return "a boot sector", [*drive, "-device", "isa-debug-exit"], "imagecycle"


def _boot_sector(text: bytes) -> bytes:
    """A boot sector that prints ``text`` on the first serial port and ends QEMU."""
    code = b"\xba\xf8\x03"  # mov dx, 0x3f8: the serial port
    for letter in text:
        code += b"\xb0" + bytes([letter]) + b"\xee"  # mov al, letter; out dx, al
    code += b"\xba\x01\x05\xee"  # mov dx, 0x501; out dx, al: isa-debug-exit
    code += b"\xf4\xeb\xfd"  # hlt, for ever
    return code.ljust(510, b"\0") + b"\x55\xaa"
