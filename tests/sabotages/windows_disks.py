"""What builders of Windows leave on the disk, and the check that rejects it before any boot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from standin.windows.sealed import Drive

Deed = Callable[[Drive], None]


@dataclass(frozen=True)
class Sabotage:
    """One change of a good drive."""

    what: str
    check: str
    deed: Deed
    names: str = ""
    """What the check must name"""


def file(path: str, content: str = "x") -> Deed:
    def deed(drive: Drive) -> None:
        drive.files[path] = content.encode()

    return deed


def no_file(path: str) -> Deed:
    def deed(drive: Drive) -> None:
        del drive.files[path]

    return deed


def system(key: str, name: str, value: str | int) -> Deed:
    def deed(drive: Drive) -> None:
        drive.system.setdefault(key, {})[name] = value

    return deed


def software(key: str, name: str, value: str | int) -> Deed:
    def deed(drive: Drive) -> None:
        drive.software.setdefault(key, {})[name] = value

    return deed


_STATE = r"Microsoft\Windows\CurrentVersion\Setup\State"
_LOGON = r"Microsoft\Windows NT\CurrentVersion\Winlogon"
_PASSWORD = "<AdministratorPassword>\n <Value>Aa1-secret</Value></AdministratorPassword>"
_CONF = "Program Files/Cloudbase Solutions/Cloudbase-Init/conf"

SABOTAGES = (
    Sabotage(
        "a sysprep that has failed",
        "sealed_disk.is_sealed",
        software(_STATE, "ImageState", "IMAGE_STATE_COMPLETE"),
        "IMAGE_STATE_COMPLETE",
    ),
    Sabotage(
        "no sysprep",
        "sealed_disk.is_generalised",
        system(r"Setup\Status\SysprepStatus", "GeneralizationState", 3),
        "is 3",
    ),
    Sabotage(
        "a storage driver that is started on demand",
        "sealed_disk.storage_drivers_start_at_boot",
        system(r"ControlSet001\Services\viostor", "Start", 3),
        "viostor: 3",
    ),
    Sabotage(
        "a storage driver whose file is missing",
        "sealed_disk.storage_drivers_are_there",
        no_file("Windows/System32/drivers/vioscsi.sys"),
        "vioscsi",
    ),
    Sabotage(
        "a password in Panther",
        "sealed_disk.answer_files_hold_no_secret",
        file("Windows/Panther/unattend.xml", _PASSWORD),
        "Windows/Panther/unattend.xml: a password",
    ),
    Sabotage(
        "a product key in sysprep's answer file",
        "sealed_disk.answer_files_hold_no_secret",
        file("Windows/System32/Sysprep/u.xml", "<ProductKey>VDYBN-27WPP-V4HQT</ProductKey>"),
        "a product key",
    ),
    Sabotage(
        "a password that Windows logs on with",
        "sealed_disk.nobody_is_logged_on_by_itself",
        software(_LOGON, "DefaultPassword", "Aa1-secret"),
        "DefaultPassword",
    ),
    Sabotage(
        "a logon by itself",
        "sealed_disk.nobody_is_logged_on_by_itself",
        software(_LOGON, "AutoAdminLogon", "1"),
        "AutoAdminLogon",
    ),
    Sabotage(
        "the folder of the build",
        "sealed_disk.nothing_of_the_build_is_left",
        file("ProgramData/imagecycle/build/access.ps1"),
        "ProgramData/imagecycle/build",
    ),
    Sabotage(
        "the account of the build",
        "sealed_disk.nothing_of_the_build_is_left",
        file("Users/imagecycle/NTUSER.DAT"),
        "Users/imagecycle",
    ),
    Sabotage(
        "no contextualisation",
        "sealed_disk.contextualisation_is_prepared",
        no_file(f"{_CONF}/cloudbase-init.conf"),
        "cloudbase-init.conf",
    ),
    Sabotage(
        "a contextualisation that nobody starts",
        "sealed_disk.contextualisation_is_prepared",
        no_file("Windows/Setup/Scripts/SetupComplete.cmd"),
        "SetupComplete.cmd",
    ),
    Sabotage(
        "a contextualisation that has run at the builder's",
        "sealed_disk.contextualisation_has_not_run",
        software(r"Cloudbase Solutions\Cloudbase-Init\id\Plugins", "UserDataPlugin", 1),
    ),
    Sabotage(
        "a clock in universal time",
        "sealed_disk.clock_is_in_local_time",
        system(r"ControlSet001\Control\TimeZoneInformation", "RealTimeIsUniversal", 1),
    ),
    Sabotage(
        "another edition",
        "sealed_disk.edition_is_the_declared_one",
        software(r"Microsoft\Windows NT\CurrentVersion", "EditionID", "ServerDatacenter"),
        "ServerDatacenter",
    ),
    Sabotage(
        "a file of hibernation",
        "sealed_disk.has_no_memory_of_the_build",
        file("hiberfil.sys"),
        "hiberfil.sys",
    ),
)
ENCRYPTED = "sealed_disk.is_not_encrypted"
"""Its sabotage is of a partition, not of files"""
