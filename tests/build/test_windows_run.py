"""Customising a Windows guest over WinRM, and the ways in which steps fail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import windows_families
from certificates import self_signed
from imagecycle.build import windows_run, windows_steps
from imagecycle.build.windows_run import StepFailed
from imagecycle.build.windows_steps import Step
from imagecycle.machine import winrm_guest
from imagecycle.machine.winrm_guest import Account, WindowsGuest
from imagecycle.machine.winrm_trust import Fingerprint
from imagecycle.model import GuestFile
from imagecycle.site import Site
from imagecycle.systems import windows_contextualisation as context
from imagecycle.windows_facts import RegistryValue, Software, Task, WindowsChanges
from standin.windows.guest import said
from standin.windows.machine import Installer, Machine
from standin.windows.winrm_server import WinRM

PASSWORD = "Aa1-of the build"
FILE = Software("7-Zip", "https://vendor.example/7z.msi", "aa" * 32, "ADDLOCAL=ALL")
FILE_PATH = r"E:\aaaaaaaa-7z.msi"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winrm_guest, "_PAUSE", 0.05)


@pytest.fixture
def machine() -> Machine:
    names = ("qemu-ga.msi", "cloudbase-init.msi", "seal.ps1", "aaaaaaaa-7z.msi")
    return Machine(medium={name: Installer() for name in names})


@pytest.fixture
def service(machine: Machine, tmp_path: Path) -> Iterator[WinRM]:
    with WinRM(machine.guest, self_signed(tmp_path), password=PASSWORD) as running:
        yield running
    assert machine.guest.complaints == []


@pytest.fixture
def guest(service: WinRM) -> Iterator[WindowsGuest]:
    account = Account("Administrator", PASSWORD)
    trust = Fingerprint.parse(service.fingerprint)
    with WindowsGuest("127.0.0.1", account, trust, port=service.port, patience=1) as opened:
        yield opened


def steps(**changes: Any) -> list[Step]:
    family = windows_families.family(
        windows={"changes": WindowsChanges(**changes)},
        files=(GuestFile(r"C:\Data\motd.txt", "hello"),),
        commands=("Set-Date -Adjust 0",),
    )
    settings = Site.model_validate({"windows": {"kms_host": "kms.example"}})
    return list(windows_steps.steps(family, settings))


def carry_out(guest: WindowsGuest, *wanted: Step) -> list[windows_run.Done]:
    return windows_run.carry_out(guest, wanted, "E:")


def command(text: str, limit: float = 5) -> Step:
    return Step("a step", text, {}, limit)


def test_a_whole_customisation_leaves_what_the_catalog_declares(
    guest: WindowsGuest, machine: Machine
) -> None:
    machine.guest.scripts[windows_steps._DONE.format(text="Set-Date -Adjust 0")] = lambda _: said(
        '{"restart": false}\r\n'
    )
    machine.updates = [["KB1", "KB2"], ["KB3"]]
    wanted = steps(
        wsus="http://wsus.example:8530",
        features=("Web-Server",),
        software=(FILE,),
        registry=(RegistryValue(r"HKLM\SOFTWARE\Site", "Owner", "String", "it's us"),),
        tasks=(Task("10-join.ps1", "Write-Output 'joined'\n"),),
    )
    done = carry_out(guest, *wanted)
    assert [one.name for one in done][:5] == [
        *("software: guest agent", "updates", "features", "software: 7-Zip"),
        r"registry: HKLM\SOFTWARE\Site\Owner",
    ]
    assert done[1].restarts == 2 and machine.hotfixes == ["KB1", "KB2", "KB3"]
    assert machine.guest.boots == 3
    assert machine.features == {"Web-Server"}
    assert (FILE_PATH, "ADDLOCAL=ALL") in machine.software
    assert machine.registry == {
        r"HKEY_LOCAL_MACHINE\SOFTWARE\Site": {"Owner": ("String", "it's us")}
    }
    assert machine.files[r"C:\Data\motd.txt"] == b"hello\r\n"
    assert machine.files[rf"{context.TASKS}\10-join.ps1"] == b"Write-Output 'joined'\r\n"
    assert b"kms_host = kms.example\r\n" in machine.files[context.CONFIGURATION]
    assert b"run-tasks" not in machine.files[context.ANSWERS]
    assert rf"{context.LOCAL_SCRIPTS}\10-tasks.cmd" in machine.files
    assert machine.services == {"cloudbase-init": "demand"}
    assert machine.done[-2:] == ["set-up-contextualisation", "clean"]


def test_an_installer_that_asks_for_a_restart_gets_it_before_the_next_step(
    guest: WindowsGuest, machine: Machine
) -> None:
    machine.medium["aaaaaaaa-7z.msi"] = Installer(code=3010)
    (software,) = [one for one in steps(software=(FILE,)) if one.name == "software: 7-Zip"]
    (done,) = carry_out(guest, software)
    assert (done.restarts, done.said, machine.guest.boots) == (1, "code 3010", 2)


def failure(guest: WindowsGuest, step: Step) -> str:
    with pytest.raises(StepFailed) as caught:
        carry_out(guest, step)
    assert caught.value.hint
    return caught.value.message


def software_step(limit: float = 5) -> Step:
    said = {"path": FILE_PATH, "arguments": "", "codes": "0 3010"}
    return Step("software: 7-Zip", "install-software.ps1", said, limit)


def test_an_installer_that_fails_is_named_with_its_code(
    guest: WindowsGuest, machine: Machine
) -> None:
    machine.medium["aaaaaaaa-7z.msi"] = Installer(code=1603)
    assert "software: 7-Zip: it ended with status 1: the installer has ended with code 1603" in (
        failure(guest, software_step())
    )


def test_a_step_that_restarts_the_machine_without_saying_so_is_named(
    guest: WindowsGuest, machine: Machine
) -> None:
    machine.medium["aaaaaaaa-7z.msi"] = Installer(restarts=True, seconds=0.2)
    message = failure(guest, software_step())
    assert message == "software: 7-Zip: it has restarted the machine without saying so"
    assert machine.guest.boots == 2


def test_a_step_that_asks_is_ended_at_its_limit_and_named(
    guest: WindowsGuest, machine: Machine
) -> None:
    machine.medium["aaaaaaaa-7z.msi"] = Installer(asks=True)
    assert "has not ended within 1 s" in failure(guest, software_step(limit=1))


def test_updates_that_never_end_are_given_up(guest: WindowsGuest, machine: Machine) -> None:
    machine.updates = [["KB1"]] * 20
    (updates,) = [one for one in steps(wsus="vendor") if one.name == "updates"]
    assert "not done after 8 rounds; it said last: 1 updates" in failure(guest, updates)


def test_a_package_of_updates_for_another_system_is_named(
    guest: WindowsGuest, machine: Machine
) -> None:
    machine.medium["aaaaaaaa-7z.msi"] = Installer(code=2359303)
    step = Step("update: KB1", "install-package.ps1", {"path": FILE_PATH}, 5, as_system=True)
    assert "not meant for this system" in failure(guest, step)


def test_a_feature_that_the_release_has_not_is_named(guest: WindowsGuest) -> None:
    (features,) = [one for one in steps(features=("Web-Sever",)) if one.name == "features"]
    assert "knows no feature Web-Sever" in failure(guest, features)


@pytest.mark.parametrize(
    ("output", "says"),
    [("", "it said last: nothing"), ("done\r\n", "it said last: done"), ("[1]\r\n", "without an")],
)
def test_a_script_that_ends_without_an_answer_is_named(
    guest: WindowsGuest, machine: Machine, output: str, says: str
) -> None:
    machine.guest.scripts["Get-Date\n"] = lambda _: said(output)
    assert says in failure(guest, command("Get-Date\n"))


def test_what_native_programs_print_before_the_answer_does_no_harm(
    guest: WindowsGuest, machine: Machine
) -> None:
    machine.guest.scripts["Get-Date\n"] = lambda _: said('The operation\r\n{"said": "x"}\r\n\r\n')
    (done,) = carry_out(guest, command("Get-Date\n"))
    assert done.said == "x"


def test_a_guest_that_waits_for_a_restart_gets_it(guest: WindowsGuest, machine: Machine) -> None:
    machine.pending = ["servicing"]
    machine.guest.on_restart = [machine.pending.clear]
    assert windows_run.restart_if_pending(guest) == ("servicing",)
    assert machine.guest.boots == 2
    assert windows_run.restart_if_pending(guest) == ()


def test_a_guest_that_waits_for_restarts_for_ever_is_given_up(
    guest: WindowsGuest, machine: Machine
) -> None:
    machine.pending, machine.guest.on_restart = ["files to rename"], []
    with pytest.raises(StepFailed, match="again and again: files to rename"):
        windows_run.restart_if_pending(guest)


def test_what_is_installed_is_told(guest: WindowsGuest, machine: Machine) -> None:
    carry_out(guest, software_step())
    found = windows_run.ask(guest, "inventory.ps1")
    assert found["patchlevel"] == "20348.2700"
    assert found["programs"] == [{"name": FILE_PATH, "version": "1.0"}]


def test_sealing_begins_with_the_script_of_the_medium(
    guest: WindowsGuest, machine: Machine
) -> None:
    assert windows_run.ask(guest, "find-medium.ps1") == {"drive": "E:"}
    windows_run.ask(guest, "start-sealing.ps1", drive="E:")
    assert machine.sealing
    del machine.medium["seal.ps1"]
    with pytest.raises(StepFailed, match=r"start-sealing: .*cannot find the file"):
        windows_run.ask(guest, "start-sealing.ps1", drive="E:")
