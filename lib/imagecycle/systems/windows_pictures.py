"""What Windows shows when it waits for somebody or has given up: words on its screen, what they
mean, and the way out.

The phrases are those of Microsoft's English media. They are compared loosely, since whoever reads
a screen misreads letters.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

ALIKE = 0.84
"""From which on two phrases count as the same"""


@dataclass(frozen=True)
class WindowsPicture:
    """One thing that Windows shows when it does not go on by itself."""

    name: str
    """``asks for a product key``"""
    phrases: tuple[str, ...]
    """One of them is enough"""
    meaning: str
    way_out: str


@dataclass(frozen=True)
class Seen:
    """What was recognised on a screen."""

    name: str
    meaning: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.name}: {self.meaning}; {self.way_out}"


PICTURES = (
    WindowsPicture(
        "asks for a product key",
        (
            "enter the product key",
            "the product key entered does not match any of the windows images",
            "enter a valid windows product key",
            "windows cannot read the productkey setting from the unattend answer file",
        ),
        "the key of the answer file is missing, or is of another edition or channel",
        "look at windows.key and windows.edition in the catalog; evaluation media take no key",
    ),
    WindowsPicture(
        "no disk: storage driver missing",
        (
            "we couldnt find any drives to get a storage driver",
            "no drives were found click load driver",
            "no device drivers were found",
            "a media driver your computer needs is missing",
        ),
        "Setup has no driver for the disk's bus",
        "take a newer virtio-win ISO, or install on hw_disk_bus: sata",
    ),
    WindowsPicture(
        "press any key",
        ("press any key to boot from cd or dvd",),
        "the medium asks for a key before it starts, and nobody presses one",
        "the medium that imagecycle writes does not ask; a medium of the site's own does",
    ),
    WindowsPicture(
        "choose a language",
        (
            "language to install",
            "time and currency format",
            "enter your language and other preferences",
            "select language settings",
        ),
        "Setup has found no answer file, or one without its language",
        "windows.language must be that of the medium, and the answer file must be at its top",
    ),
    WindowsPicture(
        "choose an edition",
        ("select the operating system you want to install", "select image"),
        "the answer file names no image of the medium",
        "look at windows.edition and windows.installation in the catalog",
    ),
    WindowsPicture(
        "accept the licence",
        ("please read the license terms", "applicable notices and license terms"),
        "the answer file does not accept the licence",
        "set AcceptEula in the template of the answer file",
    ),
    WindowsPicture(
        "does not meet the requirements",
        (
            "this pc cant run windows 11",
            "this pc doesnt meet the minimum system requirements",
            "this pc doesnt currently meet windows system requirements",
        ),
        "the release asks for TPM 2.0, Secure Boot or more memory than the machine has",
        "look at the properties hw_tpm_version and os_secure_boot and at memory in the catalog",
    ),
    WindowsPicture(
        "cannot be installed to this disk",
        (
            "windows cannot be installed to this disk",
            "the selected disk has an mbr partition table",
            "windows could not create partition",
            "windows could not format partition",
        ),
        "the partitions of the answer file do not go with the firmware or the disk",
        "look at firmware and disk in the catalog, and at the template's DiskConfiguration",
    ),
    WindowsPicture(
        "choose a disk",
        ("where do you want to install windows", "select location to install windows server"),
        "the answer file does not say where Windows goes, or there is no room",
        "look at disk in the catalog, and at the template's InstallTo",
    ),
    WindowsPicture(
        "refuses the answer file",
        (
            "windows could not parse or process unattend answer file",
            "windows could not parse or process the unattend answer file",
            "the answer file is invalid",
            "a component or setting specified in the answer file does not exist",
        ),
        "a setting of the answer file is unknown, in a wrong pass, or not valid",
        "the message on the screen names the pass; look at the site's template",
    ),
    WindowsPicture(
        "restarted unexpectedly",
        (
            "the computer restarted unexpectedly or encountered an unexpected error",
            "windows installation cannot proceed",
        ),
        "something restarted the machine while Setup was at work",
        "a service that restarts, such as cloudbase-init, must not start before Setup has ended",
    ),
    WindowsPicture(
        "sysprep failed",
        ("sysprep was not able to validate your windows installation",),
        "sysprep does not generalise the system",
        "its log is setuperr.log in System32\\Sysprep\\Panther; an AppX package is the usual cause",
    ),
    WindowsPicture(
        "cannot start",
        (
            "your pc device needs to be repaired",
            "the boot configuration data for your pc is missing or contains errors",
            "windows failed to start",
            "the operating system couldnt be loaded",
        ),
        "the boot manager finds no system, or a damaged one",
        "compare the firmware that the image was installed for with the machine's",
    ),
    WindowsPicture(
        "asks for a country",
        (
            "is this the right country or region",
            "is this the right keyboard layout",
            "lets start with region",
        ),
        "the first start asks what the answer file should have said",
        "look at International-Core in the pass oobeSystem of the answer file",
    ),
    WindowsPicture(
        "asks for a network",
        ("lets connect you to a network", "oops youve lost internet connection"),
        "the first start wants the internet",
        "HideOnlineAccountScreens and BypassNRO belong into the answer file",
    ),
    WindowsPicture(
        "asks for an account",
        (
            "unlock your microsoft experience",
            "whos going to use this pc",
            "lets add your account",
            "how would you like to set up this device",
        ),
        "the first start wants an account",
        "the answer file must name one in UserAccounts, and hide these screens",
    ),
    WindowsPicture(
        "asks for the administrator's password",
        (
            "type a password for the built in administrator account",
            "the users password must be changed before signing in",
        ),
        "the first start or logon waits for a new password",
        "first_logon_behaviour of cloudbase-init must be no, and the answer file must hold one",
    ),
)
_STOP = (
    "your pc ran into a problem and needs to restart",
    "your device ran into a problem and needs to restart",
    "a problem has been detected and windows has been shut down",
)
_CODE = re.compile(r"stop code:?\s*([A-Z][A-Z0-9_ ]{5,60})", re.IGNORECASE)
_NUMBER = re.compile(r"(?:STOP|code)\W{0,4}[O0Qo]x([0-9A-FOQGIl]{8})", re.IGNORECASE)
_MISREAD = str.maketrans("OQGIl", "00011")
STOP_CODES = {
    "INACCESSIBLE_BOOT_DEVICE": (
        0x7B,
        "the storage driver of the disk's bus is not started at boot: it must be installed, with "
        "start type 0",
    ),
    "CRITICAL_PROCESS_DIED": (0xEF, "a process that Windows cannot do without has ended"),
    "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED": (0x7E, "a driver failed; try the stable virtio drivers"),
    "KMODE_EXCEPTION_NOT_HANDLED": (0x1E, "a driver failed; try another processor model"),
    "UNSUPPORTED_PROCESSOR": (0x5D, "the machine's processor lacks what this release needs"),
    "HAL_INITIALIZATION_FAILED": (0x5C, "the clock or interrupt controller does not fit"),
    "ACPI_BIOS_ERROR": (0xA5, "the firmware does not fit the release"),
    "DRIVER_IRQL_NOT_LESS_OR_EQUAL": (0xD1, "a driver failed; try the stable virtio drivers"),
    "IRQL_NOT_LESS_OR_EQUAL": (0x0A, "a driver failed; try the stable virtio drivers"),
    "PAGE_FAULT_IN_NONPAGED_AREA": (0x50, "a driver failed, or the image is damaged"),
    "UNMOUNTABLE_BOOT_VOLUME": (0xED, "the file system of drive C is damaged"),
    "BAD_SYSTEM_CONFIG_INFO": (0x74, "the registry or the boot configuration is damaged"),
    "CLOCK_WATCHDOG_TIMEOUT": (0x101, "a processor waited too long: the host is overloaded"),
    "DPC_WATCHDOG_VIOLATION": (0x133, "a driver took too long: the host is overloaded"),
    "KERNEL_SECURITY_CHECK_FAILURE": (0x139, "a driver or the memory is damaged"),
    "VIDEO_TDR_FAILURE": (0x116, "the screen's driver failed"),
}
"""What a blue screen says, its number (Microsoft, "Bug check code reference"), and what it means in
a virtual machine."""


def recognise(words: str) -> Seen | None:
    """What a screen with these words waits for; None while it may go on by itself."""
    text = _plain(words)
    if any(_holds(text, phrase) for phrase in _STOP) or _NUMBER.search(words):
        return _stopped(words)
    for picture in PICTURES:
        if any(_holds(text, phrase) for phrase in picture.phrases):
            return Seen(picture.name, picture.meaning, picture.way_out)
    return None


def _stopped(words: str) -> Seen | None:
    name = "blue screen"
    if found := _CODE.search(words):
        said = re.sub(r"\W+", "_", found[1].splitlines()[0].strip().upper())
        near = difflib.get_close_matches(said, STOP_CODES, n=1, cutoff=ALIKE)
        code = near[0] if near else said
        return _explained(name, code)
    if number := _NUMBER.search(words):
        value = int(number[1].upper().translate(_MISREAD), 16)
        for code, (known, _) in STOP_CODES.items():
            if known == value:
                return _explained(name, code)
        return _explained(name, f"0x{value:08X}")
    return None  # it is still being written


def _explained(name: str, code: str) -> Seen:
    meaning = STOP_CODES[code][1] if code in STOP_CODES else "Windows has stopped itself"
    way_out = "the picture is kept; look for the code in Microsoft's bug check reference"
    return Seen(f"{name} {code}", meaning, way_out)


def _plain(words: str) -> tuple[str, ...]:
    text = re.sub(r"['\u2018\u2019`]", "", words.lower())
    return tuple(re.findall(r"[a-z0-9]+", text))


@functools.cache
def _parts(phrase: str) -> tuple[str, ...]:
    return tuple(phrase.split())


def _holds(text: Sequence[str], phrase: str) -> bool:
    """Whether a run of words is nearly the phrase."""
    wanted = _parts(phrase)
    whole = " ".join(wanted)
    if whole in " ".join(text):
        return True
    first = wanted[0][:2]
    for at in range(len(text)):
        if text[at][:2] != first:
            continue
        for length in (len(wanted), len(wanted) - 1, len(wanted) + 1):
            run = " ".join(text[at : at + length])
            matcher = difflib.SequenceMatcher(None, whole, run, autojunk=False)
            if matcher.real_quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE:
                return True
    return False
