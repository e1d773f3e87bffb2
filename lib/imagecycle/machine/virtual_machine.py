"""A virtual machine that boots a copy-on-write overlay of the disk; the disk is never written."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.errors import ImagecycleError
from imagecycle.machine import (
    config_drive,
    flood,
    hardware,
    metadata_service,
    nocloud,
    stateful_ipv6,
    tpm,
)
from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.hardware import Hardware
from imagecycle.machine.monitor import Monitor

QEMU_IMG = "qemu-img"
START_LIMIT = 60.0
"""Seconds until QEMU's monitor must answer; it takes less than one."""
GOING_LIMIT = 2.0
"""Seconds that a QEMU may take to be gone when its monitor is."""
OUTPUT = "qemu.log"
_NO_PORT = "Could not set up host forwarding rule"


class EmulatorCrashed(ImagecycleError):
    """QEMU was ended by a signal, which says nothing about the image."""


@dataclass(frozen=True)
class VirtualMachine:
    """A running machine; see :func:`running`."""

    name: str
    folder: Path
    hardware: Hardware
    process: subprocess.Popen[bytes]
    monitor: Monitor
    port: int
    """On loopback; leads to the guest's SSH"""
    started: float
    """``time.monotonic()`` at power-on"""

    @property
    def console(self) -> Path:
        return self.folder / hardware.CONSOLE

    @property
    def firmware_log(self) -> Path:
        return self.folder / hardware.FIRMWARE_LOG

    def ended(self) -> str | None:
        """How QEMU ended; None while it runs."""
        status = self.process.poll()
        if status is None:
            return None
        said = (self.folder / OUTPUT).read_text(errors="replace").strip().splitlines()
        return f"QEMU ended with {status}: {said[-1] if said else 'it printed nothing'}"

    def check_emulator(self) -> None:
        """:raises EmulatorCrashed: when QEMU crashed or was killed."""
        _check_emulator(self.name, self.process)

    def check_storage(self) -> None:
        """Let no log grow without end: of a flood, beginning and end are kept.

        :raises ImagecycleError: when QEMU has halted the machine because its disk is full.
        """
        for log in (hardware.CONSOLE, hardware.FIRMWARE_LOG, hardware.NETWORK):
            flood.forget_middle(self.folder / log)
        try:
            status = self.monitor.execute("query-status")["status"]
        except ImagecycleError:
            return  # QEMU is gone, which others notice
        if status == "io-error":
            raise ImagecycleError(
                f"no space is left in {self.folder.parent.parent} for what the machines write",
                hint="make room there, or set `home` in the site's settings to a larger place",
            )


def virtual_size(disk: Path) -> int:
    """The size in bytes that a guest sees.

    :raises CommandFailed: when the file is not a qcow2 image.
    """
    argv = [QEMU_IMG, "info", "--output=json", "-f", "qcow2", "--force-share", str(disk)]
    shown = command.run(argv, timeout=60, hint="build the release again").stdout
    return int(json.loads(shown)["virtual-size"])


def prepare(
    folder: Path, parts: Hardware, disk: Path, size: int, instance_data: InstanceData
) -> None:
    """Make what a machine is started from: overlay, firmware variables, and what it is told.

    :param size: of the overlay, in bytes; a cloud's flavour may give more than the disk's.
    """
    folder.mkdir()
    overlay = [QEMU_IMG, "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(disk.resolve())]
    command.run([*overlay, str(folder / hardware.DISK), str(size)], timeout=60)
    if parts.second_disk:
        argv = [QEMU_IMG, "create", "-q", "-f", "qcow2", str(folder / hardware.SECOND_DISK)]
        command.run([*argv, str(parts.second_disk)], timeout=60)
    if parts.firmware == hardware.UEFI:
        _, variables = parts.uefi()
        shutil.copyfile(variables, folder / hardware.VARIABLES)
    tpm.prepare(folder, parts)
    _tell(folder, parts, instance_data)


def move(
    former: Path, folder: Path, parts: Hardware, size: int, instance_data: InstanceData
) -> None:
    """Make the same from a machine that has ended, with its disks: it will start on another host.

    :param former: its folder, which loses the disks.
    :param size: of the disk from now on, in bytes; not smaller than it was.
    """
    folder.mkdir()
    for name in (hardware.DISK, *([hardware.SECOND_DISK] if parts.second_disk else [])):
        (former / name).rename(folder / name)
    argv = [QEMU_IMG, "resize", "-q", "-f", "qcow2", str(folder / hardware.DISK), str(size)]
    command.run(argv, timeout=60)
    if parts.firmware == hardware.UEFI:
        shutil.copyfile(former / hardware.VARIABLES, folder / hardware.VARIABLES)
    if parts.tpm:
        shutil.copytree(former / hardware.TPM, folder / hardware.TPM)
    _tell(folder, parts, instance_data)


def _tell(folder: Path, parts: Hardware, instance_data: InstanceData) -> None:
    if parts.source == hardware.CONFIG_DRIVE_SOURCE:
        config_drive.write(instance_data, folder / hardware.CONFIG_DRIVE)
    elif parts.source == hardware.NOCLOUD:
        nocloud.write(instance_data, folder / hardware.CONFIG_DRIVE)
    else:
        metadata_service.write(instance_data, folder / metadata_service.FOLDER)


@contextlib.contextmanager
def running(name: str, folder: Path, parts: Hardware) -> Iterator[VirtualMachine]:
    """Power a prepared machine on for the length of a ``with`` block.

    :raises ImagecycleError: when QEMU does not start.
    :raises EmulatorCrashed: when it crashes meanwhile.
    """
    output = folder / OUTPUT
    started = time.monotonic()
    with (
        tpm.running(folder, parts),
        stateful_ipv6.running(folder) if parts.stateful_ipv6 else contextlib.nullcontext(),
        command.background(parts.command_line(), output=output, cwd=folder) as process,
        contextlib.ExitStack() as stack,
    ):
        try:
            monitor = _connected(stack, name, folder, process)
            port = monitor.forwarded_port()
        except ImagecycleError:
            with contextlib.suppress(subprocess.TimeoutExpired):  # it may just be going
                process.wait(GOING_LIMIT)
            _check_emulator(name, process)
            raise
        yield VirtualMachine(name, folder, parts, process, monitor, port, started)


def _connected(
    stack: contextlib.ExitStack, name: str, folder: Path, process: subprocess.Popen[bytes]
) -> Monitor:
    """The monitor of a QEMU that has just been started."""
    socket = folder / hardware.MONITORS["stage"]
    deadline = time.monotonic() + START_LIMIT
    while True:
        with contextlib.suppress(ImagecycleError):  # not there yet, or never
            return stack.enter_context(Monitor(socket, name))
        if process.poll() is not None or time.monotonic() > deadline:
            said = (folder / OUTPUT).read_text(errors="replace").strip() or "it printed nothing"
            if _NO_PORT in said:
                raise ImagecycleError(
                    f"no port is free on this machine's loopback for the {name}'s SSH",
                    hint="end programs that hold ports, or widen net.ipv4.ip_local_port_range",
                )
            raise ImagecycleError(
                f"QEMU did not start for the {name}: {said.splitlines()[-1]}",
                hint="look at `imagecycle doctor`",
            )
        time.sleep(0.01)


def _check_emulator(name: str, process: subprocess.Popen[bytes]) -> None:
    status = process.poll()
    if status is not None and status < 0:
        raise EmulatorCrashed(
            f"QEMU of the {name} was ended by {signal.Signals(-status).name}, "
            "which says nothing about the image",
            hint="look for it in the kernel's log; then run verify again",
        )
