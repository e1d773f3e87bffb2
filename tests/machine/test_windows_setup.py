"""The stand-in for Windows Setup: it takes every answer file of the catalog, and refuses what
Setup refuses."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from imagecycle.systems import windows_releases
from imagecycle.systems.windows_media import Edition
from standin.windows import screens, setup
from standin.windows.setup import Drive, Machine, Plan, Question
from standin.windows.setup_commands import Commands, UnknownCommand

GOLDEN = Path(__file__).parents[1] / "systems/golden/windows"
FILES = sorted(GOLDEN.glob("*.xml"))
DRIVERS = [
    f"imagecycle/drivers/{name}/{name}.{kind}"
    for name in ("viostor", "vioscsi")
    for kind in ("inf", "sys", "cat")
]
SERVER = (GOLDEN / "windows-2022-x86_64-server.xml").read_text()
UEFI = Machine("uefi", "virtio", 40, 4096, secure_boot=True, tpm="2.0")
STANDARD = Edition(2, "Standard", "ServerStandard", "Server", "x86_64", 20348, ("en-US",))
CORE = dataclasses.replace(STANDARD, index=1, name="Core", installation_type="Server Core")


def commands(folder: Path) -> Commands:
    """A medium that holds what loads drivers."""
    own = folder / "imagecycle"
    for name in DRIVERS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (own / "load-drivers.cmd").write_text("drvload.exe")
    return Commands({"D": folder}, lambda _: None, lambda _: None)


def drives(*names: str) -> list[Drive]:
    return [Drive("D", frozenset(names or (setup.ANSWERS, "sources/install.wim", *DRIVERS)))]


def plan(
    folder: Path,
    text: str | None,
    machine: Machine = UEFI,
    offered: tuple[Edition, ...] = (CORE, STANDARD),
    seen: list[Drive] | None = None,
) -> Plan:
    return setup.plan(text, seen or drives(), machine, offered, commands(folder))


def asked(folder: Path, text: str | None, machine: Machine = UEFI, **more: object) -> str:
    """The picture that Setup shows."""
    with pytest.raises(Question) as caught:
        plan(folder, text, machine, **more)  # type: ignore[arg-type]
    assert caught.value.picture in screens.SCREENS
    return caught.value.picture


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_answer_file_of_the_catalog_is_taken(tmp_path: Path, path: Path) -> None:
    version = path.stem.split("-")[1]
    release = windows_releases.release(version)
    text = path.read_text()
    edition = "Professional" if release.client else "ServerStandard"
    if "NPPR9" in text:
        edition = "Enterprise"
    if "evaluation" in path.stem:
        edition += "Eval"
    language = re.findall(r"<UILanguage>(\S+)</UILanguage>", text)[0]
    kind = release.installation_types[-1]
    offered = Edition(2, "an image", edition, kind, "x86_64", release.first_build, (language,))
    machine = dataclasses.replace(UEFI, disk_gib=80)
    if "<Type>EFI" not in text:
        machine = dataclasses.replace(machine, firmware="bios")
    if "without-requirements" in path.stem:
        machine = dataclasses.replace(machine, secure_boot=False, tpm="")
    found = plan(tmp_path, text, machine, (offered,))
    assert found.partitions[-1].number == found.target
    assert list(setup.commands(text, "oobeSystem"))[-1].endswith("first-logon.ps1")


def test_the_answer_file_of_a_drive_that_can_be_written_comes_first() -> None:
    cd, floppy = (
        Drive("D", frozenset({setup.ANSWERS})),
        Drive("A", frozenset({setup.ANSWERS}), True),
    )
    assert setup.found([cd, floppy]) == "A"
    assert setup.found([cd]) == "D"
    assert setup.found([Drive("D", frozenset({"unattend.xml"}))]) is None


def without(pattern: str, put: str = "") -> str:
    changed, count = re.subn(pattern, put, SERVER, flags=re.DOTALL)
    assert count
    return changed


ASKS = {
    "no answer file": (None, "language"),
    "no language": (without(r"<SetupUILanguage>.*?</SetupUILanguage>"), "language"),
    "another language": (without("<UILanguage>en-US", "<UILanguage>de-DE"), "language"),
    "no key": (without(r"<Key>[A-Z0-9-]{29}</Key>"), "product-key"),
    "a key of another edition": (
        without(r"VDYBN-27WPP-V4HQT-9VMD4-VMK7H", "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"),
        "product-key",
    ),
    "no image": (without(r"<InstallFrom>.*?</InstallFrom>"), "edition"),
    "no licence": (without("<AcceptEula>true", "<AcceptEula>false"), "licence"),
    "an unknown setting": (without("AcceptEula>", "AcceptLicence>"), "answer-file"),
    "a setting of another pass": (
        without("<UserData>", "<UserData><Nonsense>1</Nonsense>"),
        "answer-file",
    ),
    "no XML": ("<unattend", "answer-file"),
    "a disk that is not wiped": (
        without("<WillWipeDisk>true", "<WillWipeDisk>false"),
        "where",
    ),
    "no partition for Windows": (
        without(
            r"<PartitionID>(\d+)</PartitionID>\s*</InstallTo>",
            "<PartitionID>9</PartitionID></InstallTo>",
        ),
        "where",
    ),
}


@pytest.mark.parametrize("name", ASKS)
def test_what_the_answer_file_leaves_open_is_asked_for(tmp_path: Path, name: str) -> None:
    text, picture = ASKS[name]
    assert asked(tmp_path, text) == picture


def test_a_machine_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    bios = dataclasses.replace(UEFI, firmware="bios")
    assert asked(tmp_path, SERVER, bios) == "partitions"
    small = dataclasses.replace(UEFI, disk_gib=16)
    assert asked(tmp_path, SERVER, small) == "where"
    eleven = (GOLDEN / "windows-11-x86_64-desktop.xml").read_text()
    edition = "Enterprise" if "NPPR9" in eleven else "Professional"
    image = Edition(2, "an image", edition, "Client", "x86_64", 22631, ("en-US",))
    for poor in (
        dataclasses.replace(UEFI, disk_gib=80, tpm=""),
        dataclasses.replace(UEFI, disk_gib=80, secure_boot=False),
        dataclasses.replace(UEFI, disk_gib=80, memory_mib=2048),
    ):
        assert asked(tmp_path, eleven, poor, offered=(image,)) == "requirements"


def test_a_disk_without_a_driver_is_not_found(tmp_path: Path) -> None:
    bare = drives(setup.ANSWERS, "sources/install.wim")
    assert asked(tmp_path, SERVER, seen=bare) == "no-disk"
    sata = dataclasses.replace(UEFI, disk_bus="sata")
    assert plan(tmp_path, SERVER, sata, seen=bare).target


def test_the_new_setup_takes_drivers_that_were_loaded_by_a_command_alone(tmp_path: Path) -> None:
    text = (GOLDEN / "windows-2025-x86_64-server.xml").read_text()
    image = dataclasses.replace(STANDARD, build=26100)
    assert plan(tmp_path, text, offered=(image,)).target
    silent = re.sub(
        r"cmd.exe /d /c for %d [^<]*load-drivers[^<]*", "cmd.exe /d /c echo x&gt;COM1", text
    )
    assert silent != text
    assert asked(tmp_path, silent, offered=(image,)) == "no-disk"


def test_a_command_of_no_known_form_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownCommand):
        commands(tmp_path).run("cmd.exe /d /c del C:\\*")
    with pytest.raises(UnknownCommand, match="there is no"):
        commands(tmp_path).run(
            "powershell.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass "
            "-File D:\\imagecycle\\none.ps1"
        )
