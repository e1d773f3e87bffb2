import json
import os
import stat
import time
from pathlib import Path

import pytest

from imagecycle.errors import MissingProgram, UsageError
from imagecycle.machine import accelerator
from imagecycle.machine.accelerator import Accelerator
from imagecycle.site import Site


class Machine:
    """A machine with a KVM device and a QEMU that is a shell script."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.site = Site(home=folder / "home")
        self.runs = folder / "runs"
        self.device = folder / "kvm"
        self.device.touch()
        (folder / "boot").mkdir()
        monkeypatch.delenv(accelerator.VARIABLE, raising=False)
        monkeypatch.setenv("PATH", f"{self.programs}:/usr/bin:/bin")
        monkeypatch.setattr(accelerator, "DEVICE", self.device)
        monkeypatch.setattr(accelerator, "KERNELS", folder / "boot")
        monkeypatch.setattr(accelerator, "TIME_LIMIT", 0.5)

    def qemu(self, behaviour: str, version: str = "QEMU emulator version 7") -> None:
        path = self.programs / accelerator.QEMU
        path.write_text(
            "#!/bin/sh\n"
            f'[ "$1" = --version ] && echo "{version}" && exit\n'
            f'echo "$@" >> {self.runs}\n'
            f"{behaviour}\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def find(self, *, fresh: bool = False) -> Accelerator:
        return accelerator.find(self.site, fresh=fresh)

    @property
    def tries(self) -> int:
        return len(self.runs.read_text().splitlines()) if self.runs.exists() else 0


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


WORKS = "echo imagecycle; exit 1"


def test_kvm_is_used_where_a_guest_boots_under_it(machine: Machine) -> None:
    machine.qemu(WORKS)
    found = machine.find()
    assert found == Accelerator("kvm", "a boot sector booted under it")
    assert found.libvirt_type == "kvm"
    assert found.qemu_arguments() == ["-accel", "kvm", "-cpu", "host"]
    assert "-accel kvm" in machine.runs.read_text()


def test_a_kernel_is_preferred_since_it_proves_more(machine: Machine) -> None:
    (machine.folder / "boot" / "vmlinuz-6.1").touch()
    machine.qemu('echo "VFS: Unable to mount root fs"')
    assert machine.find() == Accelerator("kvm", "a Linux kernel booted under it")
    assert "-kernel" in machine.runs.read_text()


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("exit 0", "a boot sector failed under KVM: without a word"),
        ("echo 'error: failed to set MSR' >&2; exit 1", "failed under KVM: error: failed to set"),
        ("kill -ABRT $$", "a boot sector failed under KVM"),
        ("exec sleep 60", "a boot sector hung under KVM"),
        ("trap '' TERM; while :; do :; done", "a boot sector hung under KVM"),
    ],
)
def test_kvm_is_not_used_where_no_guest_boots(
    machine: Machine, behaviour: str, reason: str
) -> None:
    machine.qemu(behaviour)
    started = time.monotonic()
    found = machine.find()
    assert found.kind == "tcg"
    assert reason in found.reason
    assert found.libvirt_type == "qemu"
    assert found.qemu_arguments() == ["-accel", "tcg,thread=multi", "-cpu", "qemu64"]
    demanding = found.qemu_arguments({"trait:HW_CPU_X86_AVX2": "required"})
    assert demanding == ["-accel", "tcg,thread=multi", "-cpu", "max"]
    assert time.monotonic() - started < 4, "a hung QEMU must be ended the hard way"


def test_what_was_found_is_remembered(machine: Machine) -> None:
    machine.qemu(WORKS)
    assert machine.find() == machine.find()
    assert machine.tries == 1


def test_it_is_tried_again_when_asked(machine: Machine) -> None:
    machine.qemu(WORKS)
    machine.find()
    machine.qemu("exit 0")
    assert machine.find(fresh=True).kind == "tcg"
    assert machine.find().kind == "tcg"


def test_another_qemu_is_tried_again(machine: Machine) -> None:
    machine.qemu(WORKS)
    machine.find()
    machine.qemu("exit 0", version="QEMU emulator version 8")
    assert machine.find().kind == "tcg"


@pytest.mark.parametrize("memory", ["", "{}", "[]", '{"machine": 1}', "\0"])
def test_a_broken_memory_is_no_memory(machine: Machine, memory: str) -> None:
    machine.qemu(WORKS)
    machine.find()
    (machine.site.cache / "accelerator.json").write_text(memory)
    assert machine.find().kind == "kvm"
    assert machine.tries == 2


def test_a_user_who_may_not_remember_still_gets_an_answer(machine: Machine) -> None:
    machine.site.home.touch()  # a file where the folder should be
    machine.qemu(WORKS)
    assert machine.find().kind == "kvm"


def test_nothing_is_tried_without_a_device(machine: Machine) -> None:
    machine.device.unlink()
    found = machine.find()
    assert found.kind == "tcg"
    assert "there is no" in found.reason


def test_nothing_is_tried_with_a_device_that_may_not_be_opened(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != machine.device)
    assert "may not open" in machine.find().reason


def test_a_missing_qemu_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(machine.programs))
    with pytest.raises(MissingProgram, match="qemu-system-x86_64 is not installed"):
        machine.find()


@pytest.mark.parametrize("kind", ["kvm", "tcg"])
def test_the_operator_has_the_last_word(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    machine.qemu(WORKS)
    monkeypatch.setenv(accelerator.VARIABLE, kind)
    assert machine.find(fresh=True).kind == kind
    assert machine.tries == 0


def test_an_unknown_accelerator_is_refused(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(accelerator.VARIABLE, "xen")
    with pytest.raises(UsageError, match="IMAGECYCLE_ACCELERATOR is xen"):
        machine.find()


def test_the_memory_names_the_machine_that_it_is_about(machine: Machine) -> None:
    machine.qemu(WORKS)
    machine.find()
    record = json.loads((machine.site.cache / "accelerator.json").read_text())
    assert record["machine"]["kernel"] == os.uname().release
    assert record["machine"]["qemu"] == "QEMU emulator version 7"
