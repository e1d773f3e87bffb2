"""A guest of Windows that is reached, changed and sealed, in libvirt's test driver."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt
import pytest

import windows_families
from certificates import self_signed
from imagecycle import systems
from imagecycle.build import domain as domains
from imagecycle.build import windows_customise
from imagecycle.build.console import Console
from imagecycle.build.domain import InstallationFailed, Limits
from imagecycle.build.windows_customise import Running
from imagecycle.build.windows_run import StepFailed
from imagecycle.build.windows_steps import Step
from imagecycle.machine import winrm_guest
from imagecycle.machine.winrm_guest import Account
from standin.windows.machine import Installer, Machine
from standin.windows.winrm_server import WinRM

XML = """<domain type='test'><name>imagecycle-w-1</name><memory>8192</memory><os><type>hvm</type>
</os><devices><disk type='file' device='disk'><source file='/nowhere/disk'/>
<target dev='vda' bus='virtio'/></disk></devices></domain>"""
ACCOUNT = Account("Administrator", "Aa1-of the build")
STEP = Step(
    "software: agent",
    "install-software.ps1",
    {"path": r"{drive}\qemu-ga.msi", "arguments": "", "codes": "0"},
    5,
)


@dataclass
class Rig:
    """A domain, its console and the machine in it; ``end`` is what it does when it is sealed."""

    running: Running
    machine: Machine
    service: WinRM
    domain: Any
    end: tuple[str, ...] = ("installer: sealed",)
    powers_off: bool = True

    def reports(self, *lines: str) -> None:
        with self.running.console.path.open("a") as console:
            console.writelines(f"{line}\r\n" for line in lines)

    def seals(self) -> None:
        while not self.machine.sealing:
            time.sleep(0.02)
        self.reports(*self.end)
        if self.powers_off and domains.runs(self.domain):
            self.domain.shutdown()


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(winrm_guest, "_PAUSE", 0.05)
    monkeypatch.setattr(windows_customise, "REACH_LIMIT", 3.0)
    monkeypatch.setattr(windows_customise, "SEAL_LIMITS", Limits(4, 4))
    machine = Machine(medium={"qemu-ga.msi": Installer(), "seal.ps1": Installer()})
    connection = domains.connect("test:///default")
    domain = connection.createXML(XML, 0)
    domains.listen(connection, domain)
    installer = systems.of(windows_families.family()).console
    with WinRM(machine.guest, self_signed(tmp_path), password=ACCOUNT.password) as service:
        console = Console(tmp_path / "customisation.log", installer)
        running = Running(
            connection, domain, console, addresses=lambda _: ["127.0.0.1"], port=service.port
        )
        made = Rig(running, machine, service, domain)
        watcher = threading.Thread(target=made.seals, daemon=True)
        watcher.start()
        with domains.ended_on_exit(domain):
            yield made
            machine.sealing = True
            watcher.join()
    connection.close()


def fingerprint(rig: Rig) -> str:
    left = "\n\r\x1b[0m\x1b[37m\x1b[40m"  # by UEFI and GRUB, before the system's first line
    return f"{left}imagecycle: winrm sha256 {rig.service.fingerprint.upper()}"


def seal(rig: Rig) -> dict[str, Any]:
    return windows_customise.change_and_seal(rig.running, ACCOUNT, [STEP])


def test_a_guest_is_changed_and_sealed_and_says_what_is_in_it(rig: Rig) -> None:
    rig.reports("installer: 4/5 first logon", fingerprint(rig))
    found = seal(rig)
    assert found["patchlevel"] == "20348.2700"
    assert [step["name"] for step in found["steps"]] == ["software: agent"]
    assert found["programs"] == [{"name": r"E:\qemu-ga.msi", "version": "1.0"}]
    assert rig.machine.done == [
        *("find-medium", "install-software", "pending-restart", "before-sealing"),
        *("inventory", "start-sealing"),
    ]
    assert rig.machine.guest.complaints == []


def test_what_waits_for_a_restart_has_it_before_the_system_is_sealed(rig: Rig) -> None:
    rig.machine.pending.append("updates")
    rig.reports(fingerprint(rig))
    seal(rig)
    assert rig.machine.guest.boots == 2


def test_a_guest_with_another_certificate_is_not_given_the_password(rig: Rig) -> None:
    rig.reports("imagecycle: winrm sha256 " + "0" * 64)
    with pytest.raises(Exception, match="is not the one that the guest reported"):
        seal(rig)
    assert rig.service.logins == 0


def test_a_guest_that_does_not_report_is_given_up(rig: Rig) -> None:
    with pytest.raises(InstallationFailed, match="has not told the certificate of its WinRM"):
        seal(rig)


def test_a_guest_that_says_why_it_cannot_be_reached_is_believed(rig: Rig) -> None:
    rig.reports("installer: FAILED: the medium with the password of the build is not there")
    with pytest.raises(InstallationFailed, match="the medium with the password"):
        seal(rig)


def test_a_guest_that_is_given_up_leaves_a_picture_of_its_screen(rig: Rig, tmp_path: Path) -> None:
    rig.reports("installer: FAILED: the medium with the password of the build is not there")
    with (
        pytest.raises(InstallationFailed) as failed,
        windows_customise.pictured(rig.running, tmp_path),
    ):
        seal(rig)
    picture = tmp_path / "screenshot.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert failed.value.hint == f"console: {rig.running.console.path}; screenshot: {picture}"


def test_a_guest_that_was_halted_since_its_disk_is_full_is_named(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rig.reports(fingerprint(rig))
    halted = [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR]
    monkeypatch.setattr(libvirt.virDomain, "state", lambda _: halted)
    with pytest.raises(InstallationFailed, match="no space is left"):
        seal(rig)
    silent = pytest.raises(InstallationFailed, match="no space is left")
    with silent, windows_customise.pictured(rig.running, tmp_path):
        raise StepFailed("updates: it was not done after 600 s")


def test_a_guest_that_ends_early_is_named(rig: Rig) -> None:
    rig.domain.destroy()
    with pytest.raises(InstallationFailed, match="ended before it could be reached"):
        seal(rig)


def test_a_system_that_cannot_be_sealed_is_not_begun_with(rig: Rig) -> None:
    rig.machine.unmended = ["encryption: the volume C: is encrypted"]
    rig.reports(fingerprint(rig))
    with pytest.raises(StepFailed, match="cannot be sealed: encryption: the volume C:"):
        seal(rig)
    assert "start-sealing" not in rig.machine.done


def test_a_failure_of_sysprep_is_explained_from_its_logs(rig: Rig) -> None:
    rig.end = (
        "sysprep: 2026-11-27, Error SYSPRP Package A.B_1 was installed for a user, but not "
        "provisioned for all users.",
        "installer: FAILED: sysprep has left the image in the state IMAGE_STATE_COMPLETE",
    )
    rig.powers_off = False
    rig.reports(fingerprint(rig))
    with pytest.raises(InstallationFailed, match=r"the app A\.B_1 is installed for a user"):
        seal(rig)


def test_a_guest_that_powers_off_without_being_sealed_is_named(rig: Rig) -> None:
    rig.end = ()
    rig.reports(fingerprint(rig))
    with pytest.raises(InstallationFailed, match="powered off before it was sealed"):
        seal(rig)


def test_a_sysprep_that_hangs_is_given_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_customise, "SEAL_LIMITS", Limits(1, 10))
    rig.end, rig.powers_off = (), False
    rig.reports(fingerprint(rig))
    with pytest.raises(InstallationFailed, match="sysprep failed: it was not done after 1 s"):
        seal(rig)


def test_the_password_of_the_build_is_in_no_log(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.reports(fingerprint(rig))
    seal(rig)
    said = capsys.readouterr()
    assert "software: agent" in said.err
    assert ACCOUNT.password not in said.out + said.err + repr(rig.running) + repr(ACCOUNT)
