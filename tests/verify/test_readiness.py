import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.hardware import Hardware
from imagecycle.machine.virtual_machine import VirtualMachine
from imagecycle.verify import observer
from imagecycle.verify.cases import Case
from imagecycle.verify.pictures import Picture
from imagecycle.verify.readiness import FIRST, Boot
from imagecycle.verify.session import Outcome


class Screen:
    """QEMU's monitor, as far as a boot needs it."""

    gone = False

    def screenshot(self, path: Path) -> None:
        if self.gone:
            raise ImagecycleError("QEMU is gone")
        path.write_bytes(b"\x89PNG")

    def stop_recording(self) -> None:
        pass

    def execute(self, command: str, **_arguments: Any) -> Any:
        raise ImagecycleError(f"no {command} here")


class Login:
    """A login that succeeds when it is told to."""

    open = False
    answered: float | None = None
    refused = False

    def poll(self) -> bool:
        return self.open

    def so_far(self) -> str:
        return "SSH does not answer"


class Machine:
    """A boot whose machine is a sleeping process, and the parts that decide what becomes of it."""

    def __init__(self, folder: Path, limit: float = 60) -> None:
        self.folder = folder
        self.process = subprocess.Popen(["sleep", "60"])
        self.screen = Screen()
        self.login = Login()
        (folder / "qemu.log").write_text("qemu: out of memory\n")
        instance_data = InstanceData(name="verify-one", public_key="key", mac="fa:16:3e:00:00:01")
        parts = Hardware("bios", 512, 1, instance_data.uuid, instance_data.mac, [])
        machine = VirtualMachine(
            "instance", folder, parts, self.process, cast(Any, self.screen), 1, time.monotonic()
        )
        kept = Path("/artifacts/console-instance.log")
        case = Case("instance", "bios")
        self.boot = Boot(machine, case, FIRST, cast(Any, self.login), limit, kept)

    def says(self, text: str) -> None:
        with (self.folder / "console.log").open("a") as stream:
            stream.write(text)

    def outcome(self) -> Outcome | None:
        self.boot.poll()
        return self.boot.outcome

    def settled(self) -> Outcome:
        outcome = self.outcome()
        assert outcome is not None
        return outcome

    def picture(self) -> str:
        return self.settled().picture


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.process.kill()
    made.process.wait()


def test_nothing_is_announced_while_the_machine_boots(machine: Machine) -> None:
    machine.says("[ 1.0] Linux version 6.1\n")
    assert machine.outcome() is None


def test_login_makes_the_machine_ready(machine: Machine) -> None:
    machine.login.open = True
    assert machine.settled().ready
    assert machine.boot.screenshot.exists()


def test_end_of_qemu_is_noticed_at_once(machine: Machine) -> None:
    machine.process.kill()
    machine.process.wait()
    machine.screen.gone = True
    outcome = machine.settled()
    assert not outcome.ready
    assert "QEMU ended with -9: qemu: out of memory" in outcome.reason


def test_panic_is_noticed_at_once_and_the_console_named(machine: Machine) -> None:
    machine.says("[ 2.0] Kernel panic - not syncing: VFS: Unable to mount root fs\n")
    reason = machine.settled().reason
    assert reason.startswith("kernel panic: the kernel panicked (under BIOS)")
    assert "/artifacts/console-instance.log" in reason
    assert machine.picture() == Picture.PANIC
    assert any(line.startswith("reached: firmware") for line in machine.settled().evidence)
    assert machine.boot.screenshot.exists()


def test_disk_without_an_operating_system_is_noticed_at_once(machine: Machine) -> None:
    log = machine.folder / "firmware.log"
    log.write_text("Boot failed: not a bootable disk\n")
    assert machine.outcome() is None
    with log.open("a") as stream:
        stream.write("No bootable device.  Retrying in 60 seconds.\n")
    time.sleep(observer.VITALS_INTERVAL)
    assert "nothing to boot" in machine.settled().reason


def test_waiting_has_a_limit(tmp_path: Path) -> None:
    machine = Machine(tmp_path, limit=0)
    time.sleep(0.02)
    assert "SSH does not answer 0 s after power-on" in machine.settled().reason
    assert machine.picture() == Picture.LATE
    machine.process.kill()
    machine.process.wait()


def test_outcome_does_not_change_any_more(machine: Machine) -> None:
    machine.login.open = True
    first = machine.settled()
    machine.says("Kernel panic - not syncing\n")
    assert machine.settled() == first
