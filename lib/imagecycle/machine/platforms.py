"""The architectures that machines can be emulated for, and what of this machine each one needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.model import Family
from imagecycle.shipped import setup

X86_64 = "x86_64"
AARCH64 = "aarch64"
_AAVMF = Path("/usr/share/AAVMF")
_OVMF = Path("/usr/share/OVMF")
TPM_PACKAGES = {"swtpm": "swtpm", "swtpm-tools": "swtpm_setup"}
"""The packages of Debian that emulate a TPM, and a program of each"""


@dataclass(frozen=True)
class Platform:
    """What sets the machines of an architecture apart."""

    arch: str
    emulator: str
    """QEMU's program"""
    package: str
    """The package of Debian that has it"""
    machines: tuple[str, ...]
    """QEMU's kinds of machine, in Glance's words for ``hw_machine_type``; the first one is Nova's
    choice where an image asks for none"""
    processor: str
    """What software emulation offers to an ordinary system"""
    demanding_processor: str
    """What it offers to a system that asks for more"""
    serial: str
    """The first serial port, in the words of a kernel's ``console=``"""
    firmware: tuple[tuple[Path, Path], ...]
    """UEFI and its pristine variables; the first pair that is there counts"""
    firmware_package: str
    setup: str
    """How this machine gets both packages"""
    secure_firmware: tuple[tuple[Path, Path], ...] = ()
    """The same with Secure Boot and Microsoft's keys"""

    def uefi(self, *, secure: bool = False) -> tuple[Path, Path]:
        """The firmware and its pristine variables.

        :param secure: with Secure Boot and the keys that come with it.
        :raises ImagecycleError: when they are not installed.
        """
        for code, variables in self.secure_firmware if secure else self.firmware:
            if code.exists() and variables.exists():
                return code, variables
        kind = "UEFI firmware with Secure Boot" if secure else "UEFI firmware"
        raise ImagecycleError(
            f"no {kind} for {self.arch} in {self.firmware[0][0].parent}",
            hint=f"install the package {self.firmware_package}, or {self.setup}",
        )

    def missing(
        self, firmware: Iterable[str] = ("uefi",), *, secure: bool = False, tpm: bool = False
    ) -> tuple[str, ...]:
        """The packages that machines of this architecture need, and that are not installed.

        :param firmware: what they boot from.
        :param secure: with Secure Boot.
        :param tpm: with a TPM.
        """
        found = [] if shutil.which(self.emulator) else [self.package]
        if "uefi" in firmware:
            try:
                self.uefi(secure=secure)
            except ImagecycleError:
                found.append(self.firmware_package)
        if tpm:
            found += [name for name, program in TPM_PACKAGES.items() if not shutil.which(program)]
        return tuple(found)

    def serial_device(self) -> str:
        """``ttyS0``"""
        return self.serial.partition(",")[0]


PLATFORMS: Mapping[str, Platform] = {
    one.arch: one
    for one in (
        Platform(
            arch=X86_64,
            emulator="qemu-system-x86_64",
            package="qemu-system-x86",
            machines=("pc", "q35"),
            processor="qemu64",
            demanding_processor="max",
            serial="ttyS0,115200",
            firmware=(
                (_OVMF / "OVMF_CODE_4M.fd", _OVMF / "OVMF_VARS_4M.fd"),  # Debian 12 and later
                (_OVMF / "OVMF_CODE.fd", _OVMF / "OVMF_VARS.fd"),
            ),
            firmware_package="ovmf",
            setup=setup(),
            secure_firmware=(
                (_OVMF / "OVMF_CODE_4M.ms.fd", _OVMF / "OVMF_VARS_4M.ms.fd"),
                (_OVMF / "OVMF_CODE.ms.fd", _OVMF / "OVMF_VARS.ms.fd"),
            ),
        ),
        Platform(
            arch=AARCH64,
            emulator="qemu-system-aarch64",
            package="qemu-system-arm",
            machines=("virt",),
            # without pointer authentication, which costs time to emulate
            processor="cortex-a57",
            demanding_processor="max,pauth-impdef=on",
            serial="ttyAMA0",
            firmware=((_AAVMF / "AAVMF_CODE.fd", _AAVMF / "AAVMF_VARS.fd"),),
            firmware_package="qemu-efi-aarch64",
            setup=setup("--aarch64"),
        ),
    )
}


def of(arch: str) -> Platform:
    """:raises UsageError: when no machine of this architecture is known."""
    if arch not in PLATFORMS:
        raise UsageError(
            f"machines of {arch} cannot be run", hint=f"imagecycle knows {', '.join(PLATFORMS)}"
        )
    return PLATFORMS[arch]


def missing_for(family: Family) -> tuple[str, ...]:
    """The packages that a family's guests need, and that are not installed."""
    return of(family.arch).missing(
        family.firmware,
        secure=family.properties.get("os_secure_boot") == "required",
        tpm="hw_tpm_version" in family.properties,
    )


def refuse_missing(family: Family) -> None:
    """Say before anything is begun that this machine cannot run a family's guests.

    :raises ImagecycleError: naming the packages that are missing.
    """
    platform, missing = of(family.arch), missing_for(family)
    if missing:
        raise ImagecycleError(
            f"{family.slug}: this machine cannot run {family.arch}, "
            f"since it lacks {' and '.join(missing)}",
            hint=f"install the package{'s' if len(missing) > 1 else ''}, or {platform.setup}",
        )
