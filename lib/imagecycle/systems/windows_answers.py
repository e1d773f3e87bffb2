"""What the answer file of a Windows installation is made from: values that a template writes down.

The template in ``images/`` says in which pass and component each of them stands.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from imagecycle.model import Family
from imagecycle.systems import windows_releases
from imagecycle.systems.windows_keys import ProductKey
from imagecycle.systems.windows_releases import WindowsRelease
from imagecycle.windows_facts import WindowsFacts

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
FOLDER = "imagecycle"
"""On the medium: what the answer file calls"""
DRIVES = "CDEFGHI"
"""Letters that the medium may have; Windows gives them in an order of its own"""
_EVERY_DRIVE = f"cmd.exe /d /c for %d in ({' '.join(DRIVES)}) do"
CONSOLE = "COM1"
PHASES = ("setup", "copying", "specialising", "first logon", "ready to be customised")
"""What the installation reports on the serial console, in this order."""

EFI_MIB = 260
MSR_MIB = 16
SYSTEM_MIB = 550
RECOVERY_GPT = "de94bba4-06d1-4d40-a16a-bfd50179d6ac"
RECOVERY_MBR = "0x27"
"""The type of a partition with the recovery environment, on both kinds of disk."""


@dataclass(frozen=True)
class Partition:
    """One partition; the last has no size, and takes the rest of the disk."""

    number: int
    kind: str
    """``EFI``, ``MSR`` or ``Primary``"""
    label: str
    format: str
    """Empty where it is left as it is"""
    size_mib: int | None
    letter: str = ""
    type_id: str = ""
    active: bool = False


def partitions(firmware: str, recovery_mib: int) -> tuple[Partition, ...]:
    """The layout for a firmware; Windows' own partition is last, so that it can grow."""
    plan: list[tuple[str, str, str, int | None, str, bool]] = (
        [("EFI", "System", "FAT32", EFI_MIB, "", False), ("MSR", "", "", MSR_MIB, "", False)]
        if firmware == "uefi"
        else [("Primary", "System", "NTFS", SYSTEM_MIB, "", True)]
    )
    if recovery_mib:
        kind = RECOVERY_GPT if firmware == "uefi" else RECOVERY_MBR
        plan.append(("Primary", "Recovery", "NTFS", recovery_mib, kind, False))
    plan.append(("Primary", "Windows", "NTFS", None, "", False))
    return tuple(
        Partition(number, kind, label, form, size, "C" if size is None else "", type_id, active)
        for number, (kind, label, form, size, type_id, active) in enumerate(plan, start=1)
    )


@dataclass(frozen=True)
class WindowsAnswers:
    """All that a template may use as ``windows.NAME``."""

    family: Family
    secret_key: ProductKey = field(default_factory=ProductKey)
    """Where the catalog's key is no public one"""
    password: str = field(default="", repr=False)
    """Of the account of the build; random, and never used again"""
    image_index: str = ""
    """Of the image on the medium; empty: it is looked for by name"""

    @property
    def facts(self) -> WindowsFacts:
        """What the catalog declares."""
        assert self.family.windows is not None
        return self.family.windows

    @property
    def release(self) -> WindowsRelease:
        """What is known of the release."""
        return windows_releases.release(self.family.version)

    @property
    def architecture(self) -> str:
        return ARCHITECTURES[self.family.arch]

    @functools.cached_property
    def partitions(self) -> tuple[Partition, ...]:
        return partitions(self.family.firmware[0], self.facts.recovery_mib)

    @property
    def has_desktop(self) -> bool:
        """A server with a desktop, or a client."""
        return self.facts.installation_type != windows_releases.SERVER_CORE

    @property
    def account(self) -> str:
        """Who the build logs in as: the built-in administrator, which clients do not offer."""
        return "imagecycle" if self.release.client else "Administrator"

    @property
    def key(self) -> str:
        """The product key in plain, for the answer file alone; empty where none is wanted."""
        return {"kms": self.facts.kms_client_key, "evaluation": ""}.get(
            self.facts.key, self.secret_key.text
        )

    @property
    def driver_paths(self) -> tuple[str, ...]:
        """Where Setup finds drivers for itself and for what it installs."""
        return tuple(rf"{drive}:\{FOLDER}\drivers" for drive in DRIVES)

    @property
    def setup_commands(self) -> tuple[str, ...]:
        """Commands of Setup's own system, before it looks for a disk."""
        commands = [_report(0)]
        if self.facts.bypass_requirements:
            commands += [
                f"reg.exe add HKLM\\SYSTEM\\Setup\\LabConfig /v Bypass{what}Check "
                "/t REG_DWORD /d 1 /f"
                for what in ("TPM", "SecureBoot", "RAM")
            ]
        if self.release.new_setup:
            script = rf"%d:\{FOLDER}\load-drivers.cmd"
            commands.append(f"{_EVERY_DRIVE} @if exist {script} call {script}")
        return (*commands, _report(1))

    @property
    def specialize_commands(self) -> tuple[str, ...]:
        """Commands of the installed system before anybody logs in."""
        add = "reg.exe add"
        commands = [_report(2)]
        if self.release.modern:
            commands.append(
                rf"{add} HKLM\SYSTEM\CurrentControlSet\Control\BitLocker "
                "/v PreventDeviceEncryption /t REG_DWORD /d 1 /f"
            )
        if self.release.shipped_with_reserves:
            manager = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\ReserveManager"
            commands.append(f"{add} {manager} /v ShippedWithReserves /t REG_DWORD /d 0 /f")
        if self.release.demands_security:
            oobe = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\OOBE"
            commands.append(f"{add} {oobe} /v BypassNRO /t REG_DWORD /d 1 /f")
        commands.append(
            rf"{add} HKLM\SYSTEM\CurrentControlSet\Control\Network\NewNetworkWindowOff /f"
        )
        return tuple(commands)

    @property
    def logon_commands(self) -> tuple[str, ...]:
        """Commands of the first and only logon: open the way for the build, and power off."""
        script = rf"%d:\{FOLDER}\first-logon.ps1"
        return (
            _report(3),
            f"{_EVERY_DRIVE} @if exist {script} powershell.exe -NoLogo "
            f"-NoProfile -NonInteractive -ExecutionPolicy Bypass -File {script}",
        )


def _report(phase: int) -> str:
    """Say on the serial console how far the installation is."""
    text = f"installer: {phase + 1}/{len(PHASES)} {PHASES[phase]}"
    return f"cmd.exe /d /c echo {text}>{CONSOLE}"
