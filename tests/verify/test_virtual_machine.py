import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from imagecycle.errors import CommandFailed, ImagecycleError
from imagecycle.machine import virtual_machine
from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.hardware import Hardware
from imagecycle.machine.virtual_machine import VirtualMachine

TOLD = InstanceData(name="verify-one", public_key="key", mac="fa:16:3e:00:00:01")
PARTS = Hardware("bios", 64, 1, TOLD.uuid, TOLD.mac, ["-accel", "tcg"])


def disk(folder: Path) -> Path:
    made = folder / "disk.qcow2"
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", made, "64M"]
    subprocess.run(argv, check=True, timeout=60)
    return made


class Monitor:
    """QEMU's monitor as far as it tells the machine's state."""

    def __init__(self, status: str) -> None:
        self.status = status

    def execute(self, _command: str) -> dict[str, str]:
        if self.status == "gone":
            raise ImagecycleError("QEMU is gone")
        return {"status": self.status}


def machine(folder: Path, status: str) -> VirtualMachine:
    process, monitor = cast(Any, None), cast(Any, Monitor(status))
    return VirtualMachine("instance", folder, PARTS, process, monitor, 1, 0.0)


def test_machine_boots_a_larger_overlay_and_leaves_the_disk_alone(tmp_path: Path) -> None:
    made = disk(tmp_path)
    before = made.read_bytes()
    size = virtual_machine.virtual_size(made) + 2**20
    virtual_machine.prepare(tmp_path / "instance", PARTS, made, size, TOLD)
    with virtual_machine.running("instance", tmp_path / "instance", PARTS) as running:
        assert running.ended() is None
        assert running.port > 0
        shown = running.monitor.execute("query-block")
        assert {"root", "config"} <= {device["device"] for device in shown}
        running.monitor.screenshot(tmp_path / "screen.png")
    assert virtual_machine.virtual_size(tmp_path / "instance" / "disk.qcow2") == size
    assert (tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")
    assert made.read_bytes() == before


def test_qemu_is_gone_after_the_block(tmp_path: Path) -> None:
    virtual_machine.prepare(tmp_path / "instance", PARTS, disk(tmp_path), 2**27, TOLD)
    with virtual_machine.running("instance", tmp_path / "instance", PARTS) as running:
        pass
    assert running.process.poll() is not None


def test_qemu_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    with (
        pytest.raises(ImagecycleError) as caught,
        virtual_machine.running("instance", tmp_path / "instance", PARTS),
    ):
        pass
    assert "disk.qcow2" in caught.value.message


def test_file_that_is_no_disk_is_refused(tmp_path: Path) -> None:
    (tmp_path / "disk.qcow2").write_bytes(b"nothing")
    with pytest.raises(CommandFailed):
        virtual_machine.virtual_size(tmp_path / "disk.qcow2")


def test_full_file_system_is_told_from_a_slow_guest(tmp_path: Path) -> None:
    machine(tmp_path / "work" / "run" / "instance", "running").check_storage()
    machine(tmp_path / "work" / "run" / "instance", "gone").check_storage()
    with pytest.raises(ImagecycleError) as caught:
        machine(tmp_path / "work" / "run" / "instance", "io-error").check_storage()
    assert f"no space is left in {tmp_path / 'work'}" in caught.value.message


def test_no_free_port_is_named(tmp_path: Path) -> None:
    """In a network of its own that has two ports, both taken."""
    words = f"""
import socket
from pathlib import Path
from imagecycle.errors import ImagecycleError
from imagecycle.machine import virtual_machine
from verify.test_virtual_machine import PARTS, TOLD, disk
Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40001")
taken = [socket.create_server(("127.0.0.1", port)) for port in (40000, 40001)]
folder = Path({str(tmp_path)!r})
virtual_machine.prepare(folder / "instance", PARTS, disk(folder), 2**27, TOLD)
try:
    with virtual_machine.running("instance", folder / "instance", PARTS):
        print("it runs")
except ImagecycleError as error:
    print(error.message)
"""
    argv = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", words]
    tests = Path(__file__).parents[1]
    env = {**os.environ, "PYTHONPATH": f"{tests.parent / 'lib'}:{tests}"}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=env)
    assert done.stdout == "no port is free on this machine's loopback for the instance's SSH\n", (
        done.stderr
    )
