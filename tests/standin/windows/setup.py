"""What Windows Setup does with an answer file: where it looks, what it accepts, what it asks for.

It decides from plain values and touches nothing, so that each of its questions can be tested
without a machine. Where Setup would stop and show a window that nobody answers, :class:`Question`
is raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from imagecycle.systems import windows_keys, windows_releases, windows_settings
from imagecycle.systems.windows_media import Edition
from imagecycle.systems.windows_releases import WindowsRelease
from standin.windows.setup_commands import Commands

ANSWERS = "autounattend.xml"
_NS = "{urn:schemas-microsoft-com:unattend}"
_STORAGE = {"virtio": "viostor", "scsi": "vioscsi"}
"""The driver without which a disk on that bus is not seen; others are in Windows itself"""
PUBLIC_KEYS = {
    "VDYBN-27WPP-V4HQT-9VMD4-VMK7H": "ServerStandard",
    "WX4NM-KYWYW-QJJR4-XV3QB-6VM33": "ServerDatacenter",
    "D2N9P-3P6X9-2R39C-7RTCD-MDVJX": "ServerStandard",
    "WC2BQ-8NRM3-FDDYY-2BFGV-KHKQY": "ServerStandard",
    "N69G4-B89J2-4G8F4-WWYCC-J464C": "ServerStandard",
    "TVRH6-WHNXV-R9WG3-9XRFY-MY832": "ServerStandard",
    "D764K-2NDRG-47T6Q-P8T8W-YP6DF": "ServerDatacenter",
    "W269N-WFGWX-YVC9B-4J6C9-T83GX": "Professional",
    "NPPR9-FWDCX-D2C8J-H872K-2YT43": "Enterprise",
}
"""Microsoft's client keys, and the edition that each is of"""


class Question(Exception):
    """A window of Setup that waits for somebody; ``picture`` names it."""

    def __init__(self, picture: str, text: str) -> None:
        super().__init__(text)
        self.picture = picture


@dataclass(frozen=True)
class Drive:
    """A drive that Setup sees, in the order of the letters."""

    letter: str
    files: frozenset[str]
    """In small letters, with ``/``: ``sources/install.wim``"""
    writable: bool = False


@dataclass(frozen=True)
class Machine:
    """What Setup finds out about the machine."""

    firmware: str
    disk_bus: str
    disk_gib: int
    memory_mib: int
    secure_boot: bool = False
    tpm: str = ""
    """Its version"""


@dataclass(frozen=True)
class Partition:
    """One partition that Setup makes."""

    number: int
    kind: str
    size_mib: int | None
    format: str = ""
    label: str = ""
    active: bool = False
    type_id: str = ""


@dataclass(frozen=True)
class Plan:
    """What Setup does when it has no question."""

    image: Edition
    partitions: tuple[Partition, ...]
    target: int
    """The number of the partition that Windows goes to"""
    answers: str = field(repr=False)
    """The answer file, which the following passes read as well"""


def found(drives: Sequence[Drive]) -> str | None:
    """The letter of the drive whose answer file Setup takes: of a drive that can be written, else
    of one that cannot, each at its top."""
    for writable in (True, False):
        for drive in drives:
            if drive.writable is writable and ANSWERS in drive.files:
                return drive.letter
    return None


def passes(text: str, name: str) -> Mapping[str, ElementTree.Element]:
    """The components of one pass by their names."""
    root = ElementTree.fromstring(text)
    return {
        component.get("name", ""): component
        for settings in root.iter(f"{_NS}settings")
        if settings.get("pass") == name
        for component in settings
    }


def commands(text: str, name: str) -> Iterator[str]:
    """The commands of a pass in their order."""
    for component in passes(text, name).values():
        found = [
            (int(value(one, "Order")), value(one, "Path") or value(one, "CommandLine"))
            for tag in ("RunSynchronousCommand", "SynchronousCommand")
            for one in component.iter(f"{_NS}{tag}")
        ]
        yield from (line for _, line in sorted(found))


def value(element: ElementTree.Element | None, path: str) -> str:
    """The text of a setting; empty where it is not there."""
    if element is None:
        return ""
    return (element.findtext("/".join(f"{_NS}{part}" for part in path.split("/"))) or "").strip()


def plan(
    text: str | None,
    drives: Sequence[Drive],
    machine: Machine,
    offered: Sequence[Edition],
    commands_run: Commands,
) -> Plan:
    """What Setup does; ``commands_run`` carries out the commands of the answer file.

    :raises Question: where it would ask.
    """
    if text is None:
        raise Question("language", "Language to install")
    release = _release(offered)
    problems = _unreadable(text, release)
    if problems:
        raise Question(
            "answer-file",
            "Windows could not parse or process unattend answer file "
            f"[{ANSWERS}] for pass [windowsPE]: {problems[0]}",
        )
    pe = passes(text, "windowsPE")
    _ask_for_language(pe.get("Microsoft-Windows-International-Core-WinPE"), offered)
    for line in commands(text, "windowsPE"):
        commands_run.run(line)
    setup = pe.get("Microsoft-Windows-Setup")
    _ask_for_key(setup, offered)
    image = _image(setup, offered)
    _check_key(setup, image)
    if value(setup, "UserData/AcceptEula") != "true":
        raise Question("licence", "Please read the license terms")
    _check_requirements(release, machine, commands_run)
    _find_disk(
        pe.get("Microsoft-Windows-PnpCustomizationsWinPE"), release, drives, machine, commands_run
    )
    partitions = tuple(_partitions(setup, machine))
    target = int(value(setup, "ImageInstall/OSImage/InstallTo/PartitionID") or 0)
    _check_partitions(partitions, target, machine)
    return Plan(image, partitions, target, text)


def _release(offered: Sequence[Edition]) -> WindowsRelease:
    server = offered[0].installation_type != windows_releases.CLIENT
    return next(
        one
        for one in windows_releases.RELEASES
        if one.has_build(offered[0].build) and one.client is not server
    )


def _unreadable(text: str, release: WindowsRelease) -> list[str]:
    """Settings that Setup does not know, or that stand in a pass where they are none."""
    kind = windows_releases.CLIENT if release.client else windows_releases.SERVER
    wrong = windows_settings.problems(text, release, kind)
    return [one for one in wrong if "only on a server with a desktop" not in one]


def _ask_for_language(component: ElementTree.Element | None, offered: Sequence[Edition]) -> None:
    wanted = value(component, "SetupUILanguage/UILanguage")
    spoken = {language for one in offered for language in one.languages}
    if wanted not in spoken or not value(component, "UserLocale"):
        raise Question("language", "Language to install")


def _ask_for_key(setup: ElementTree.Element | None, offered: Sequence[Edition]) -> None:
    evaluation = all(one.edition_id.endswith(windows_keys.EVALUATION) for one in offered)
    if not value(setup, "UserData/ProductKey/Key") and not evaluation:
        raise Question("product-key", "Enter the product key")


def _check_key(setup: ElementTree.Element | None, image: Edition) -> None:
    key = value(setup, "UserData/ProductKey/Key")
    evaluation = image.edition_id.endswith(windows_keys.EVALUATION)
    known = PUBLIC_KEYS.get(key)
    if (key and evaluation) or (known is not None and known != image.edition_id):
        raise Question(
            "product-key",
            "The product key entered does not match any of the Windows images available for "
            "installation. Enter a different product key.",
        )


def _image(setup: ElementTree.Element | None, offered: Sequence[Edition]) -> Edition:
    wanted = setup.iter(f"{_NS}MetaData") if setup is not None else ()
    for one in wanted:
        key, said = value(one, "Key").upper(), value(one, "Value")
        for image in offered:
            if (key == "/IMAGE/INDEX" and said == str(image.index)) or (
                key == "/IMAGE/NAME" and said == image.name
            ):
                return image
    raise Question("edition", "Select the operating system you want to install")


def _check_requirements(release: WindowsRelease, machine: Machine, run: Commands) -> None:
    bypassed = {name.lower() for name in run.registry.get(r"HKLM\SYSTEM\Setup\LabConfig", {})}
    lacks = []
    if release.demands_security:
        if machine.tpm != "2.0" and "bypasstpmcheck" not in bypassed:
            lacks.append("TPM 2.0")
        if not machine.secure_boot and "bypasssecurebootcheck" not in bypassed:
            lacks.append("Secure Boot")
    if machine.memory_mib < release.least_memory_mib * 0.9 and "bypassramcheck" not in bypassed:
        lacks.append("memory")
    if lacks:
        raise Question(
            "requirements",
            f"This PC doesn't currently meet Windows system requirements: {', '.join(lacks)}",
        )


def _find_disk(
    component: ElementTree.Element | None,
    release: WindowsRelease,
    drives: Sequence[Drive],
    machine: Machine,
    run: Commands,
) -> None:
    driver = _STORAGE.get(machine.disk_bus)
    if driver is None or driver in run.loaded:
        return
    places = [] if component is None else [one.text or "" for one in component.iter(f"{_NS}Path")]
    if not release.new_setup and any(_holds(drives, place, driver) for place in places):
        return
    raise Question(
        "no-disk",
        "We couldn't find any drives. To get a storage driver, click Load driver.",
    )


def _holds(drives: Sequence[Drive], place: str, driver: str) -> bool:
    letter, _, folder = place.partition(":")
    start = folder.strip("\\").replace("\\", "/").lower()
    for drive in drives:
        if drive.letter == letter.upper():
            names = {name for name in drive.files if name.startswith(f"{start}/")}
            ends = (f"/{driver}.{kind}" for kind in ("inf", "sys", "cat"))
            if all(any(name.endswith(end) for name in names) for end in ends):
                return True
    return False


def _partitions(setup: ElementTree.Element | None, machine: Machine) -> Iterator[Partition]:
    disk = None if setup is None else setup.find(f"{_NS}DiskConfiguration/{_NS}Disk")
    if disk is None or value(disk, "WillWipeDisk") != "true" or value(disk, "DiskID") != "0":
        raise Question("where", "Where do you want to install Windows?")
    modified = {int(value(one, "PartitionID")): one for one in disk.iter(f"{_NS}ModifyPartition")}
    for one in disk.iter(f"{_NS}CreatePartition"):
        number = int(value(one, "Order"))
        change = modified.get(number)
        size = value(one, "Size")
        if not size and value(one, "Extend") != "true":
            raise Question("partitions", f"Windows could not create partition {number}")
        yield Partition(
            number,
            value(one, "Type"),
            int(size) if size else None,
            value(change, "Format"),
            value(change, "Label"),
            value(change, "Active") == "true",
            value(change, "TypeID"),
        )


def _check_partitions(partitions: Sequence[Partition], target: int, machine: Machine) -> None:
    kinds = {one.kind for one in partitions}
    if machine.firmware == "uefi" and not {"EFI", "MSR"} <= kinds:
        raise Question(
            "partitions",
            "Windows cannot be installed to this disk. The selected disk has an MBR partition "
            "table. On EFI systems, Windows can only be installed to GPT disks.",
        )
    if machine.firmware == "bios" and ("EFI" in kinds or not any(p.active for p in partitions)):
        raise Question(
            "partitions",
            "Windows cannot be installed to this disk. The selected disk is of the GPT partition "
            "style.",
        )
    if [one.size_mib for one in partitions if one.size_mib is None] and partitions[-1].size_mib:
        raise Question("partitions", "Windows could not create a partition")
    chosen = next((one for one in partitions if one.number == target), None)
    taken = sum(one.size_mib or 0 for one in partitions)
    if chosen is None or chosen.format != "NTFS" or machine.disk_gib * 1024 - taken < 20 * 1024:
        raise Question("where", "Where do you want to install Windows?")
    for one in partitions:
        if (one.format == "FAT32" and one.kind != "EFI") or re.search(r"[^\w ]", one.label):
            raise Question("partitions", f"Windows could not format partition {one.number}")
