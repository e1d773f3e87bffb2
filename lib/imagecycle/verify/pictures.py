"""Known pictures: what a machine shows when it will not come up any more, and what that means.

Words are looked for on the serial console, in the firmware's log and on a screen in text mode.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class Picture(enum.StrEnum):
    """What a machine shows that will not come up."""

    NO_BOOTABLE_DISK = "no bootable disk"
    LOADER_WAITS = "boot loader waits for a key"
    LOADER_LOST = "boot loader without configuration"
    PANIC = "kernel panic"
    EMERGENCY = "emergency shell"
    INITRAMFS = "initramfs prompt"
    REPAIR = "file system needs a repair by hand"
    PASSPHRASE = "disk waits for a passphrase"
    NOT_SIGNED = "Secure Boot refuses what it shall start"
    NO_SYSTEM = "no system to start"
    NOT_CONTEXTUALISED = "SSH but not our key: contextualisation did not run"
    NO_NETWORK = "login prompt but no network"
    NO_SSH = "network but no SSH"
    RESTARTS = "restarts again and again"
    WAITS_FOR_UNIT = "boot waits for a unit"
    STANDS_STILL = "stands still"
    HANGS = "hangs"
    SWITCHED_OFF = "switched itself off"
    ON_SCREEN = "the screen shows why"
    LATE = "no login within the limit"


@dataclass(frozen=True)
class Sign:
    """Words that decide at once."""

    picture: Picture
    pattern: re.Pattern[str]
    meaning: str
    """For people, as the end of "it will not come up: ..."."""


def _sign(picture: Picture, pattern: str, meaning: str) -> Sign:
    return Sign(picture, re.compile(pattern, re.MULTILINE), meaning)


SIGNS = (
    _sign(
        Picture.NO_BOOTABLE_DISK,
        r"No bootable device|BdsDxe: No bootable option or device was found"
        r"|This is not a bootable disk",
        "the firmware found nothing to boot on the disk",
    ),
    _sign(
        Picture.NO_BOOTABLE_DISK,
        r"UEFI Interactive Shell|>>Start (PXE|HTTP Boot) over IPv[46]",
        "the firmware found nothing to boot on the disk and went on to its shell or the network",
    ),
    _sign(
        Picture.NOT_SIGNED,
        r"BdsDxe: failed to (load|start) Boot\w{1,8} .{0,300}: (Access Denied|Security Violation)"
        r"|(bad shim signature|Verification failed: \(0x1A\) Security Violation)",
        "the firmware or the boot loader refuses what is not signed by a known key",
    ),
    _sign(
        Picture.LOADER_LOST,
        r"grub rescue>|^[ \t]{0,80}grub>|Minimal BASH-like line editing",
        "GRUB found neither its modules nor its configuration",
    ),
    _sign(Picture.PANIC, r"Kernel panic - not syncing", "the kernel panicked"),
    _sign(
        Picture.INITRAMFS,
        r"\(initramfs\)|ALERT!\s+\S+ does not exist\.\s+Dropping to a shell"
        r"|^dracut:/#|Generating \"/run/initramfs/rdsosreport\.txt\"",
        "the initial RAM disk found no root file system",
    ),
    _sign(Picture.INITRAMFS, r"Entering emergency mode", "the initial RAM disk gave up"),
    _sign(
        Picture.EMERGENCY,
        r"You are in (emergency|rescue) mode|Give root password for maintenance"
        r"|Press Enter for maintenance|Cannot open access to console, the root account is locked",
        "systemd gave up and entered emergency mode",
    ),
    _sign(
        Picture.REPAIR,
        r"UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY|requires a manual fsck",
        "a file system has defects that nobody has repaired",
    ),
    _sign(
        Picture.PASSPHRASE,
        r"Please (enter passphrase for|unlock) disk|Enter passphrase for \S+:",
        "the disk is encrypted, and nobody is there to type its passphrase",
    ),
    _sign(
        Picture.NO_SYSTEM,
        r"systemd\[1\]: Freezing execution|Failed to (load SELinux policy|allocate manager object)"
        r"|Freezing\.$",
        "systemd could not begin",
    ),
    _sign(
        Picture.NOT_CONTEXTUALISED,
        r"Datasource DataSourceNone",
        "contextualisation found no source of data, which it was given",
    ),
    _sign(
        Picture.NOT_CONTEXTUALISED,
        r"Calling 'http://169\.254\.169\.254\S*' failed \[[1-9]\d+/\d+s\]",
        "contextualisation asks for a metadata service in vain and waits",
    ),
)

TROUBLE = re.compile(
    r"Kernel panic|\bBUG:|\bOops\b|Call Trace:|Gave up waiting for|fsck not present|\(initramfs\)"
    r"|Failed to start|Dependency failed for|unexpected inconsistency|Traceback \(most recent call"
    r"|segfault at|Out of memory: Killed|soft lockup|\[(FAILED|DEPEND)\]|(?i:read-only file system)"
    r"|^error: "
)
"""Lines of a console that a person would look at first."""


def recognise(text: str) -> Sign | None:
    """The first sign in a text; None while the machine may still come up."""
    for sign in SIGNS:
        if sign.pattern.search(text):
            return sign
    return None
