"""The boot loader starts the system at once, wherever its disk is."""

import re
import shlex
from collections.abc import Iterator

from imagecycle.build.partitions import file_systems
from imagecycle.verify import boot_entries
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

LONGEST_WAIT = 5
"""Seconds that a menu may be shown"""
RAM_DISKS = ("/boot/{initrd,initramfs}*",)
DEBCONF = "/var/cache/debconf/config.dat"
LEAST = 2**20
"""Bytes that every kernel has"""
_TIMEOUT = re.compile(r"^\s*set timeout=(-?\d+)")
_SETTING = re.compile(r"^GRUB_(?:RECORDFAIL_|HIDDEN_)?TIMEOUT=['\"]?(-?\d+)")
_FIRST_LEVEL = re.compile(
    r"(?m)^(?:menuentry|submenu)\s+['\"](.*?)['\"](?:.*?(?:\$menuentry_id_option|--id)\s+['\"](.*?)['\"])?"
)
"""An entry that is in no submenu: its title, and its name"""
_ANYWHERE = re.compile(
    r"(UUID|LABEL|PARTUUID|PARTLABEL)=\S+|/dev/mapper/\S+|/dev/disk/by-(uuid|label)/\S+|ZFS=\S+"
)


def test_waits_for_nobody(pristine: Pristine, defects: Defects) -> None:
    """Every start takes longer, or never goes on: there is nobody to press a key."""
    assert defects(_waits(pristine)) == []


def _waits(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.found(*boot_entries.CONFIGURATIONS):
        after_failure = False
        for line in pristine.text(path).splitlines():
            match = _TIMEOUT.match(line)
            if match and not after_failure and not 0 <= int(match[1]) <= LONGEST_WAIT:
                yield Finding(path, f"says {line.strip()}")
            if re.match(r"\s*(set superusers|password(_pbkdf2)?)\b", line):
                yield Finding(path, "asks for a password")
            after_failure = "recordfail" in line
    for path, line in pristine.lines("/etc/default/grub", "/etc/default/grub.d/*"):
        match = _SETTING.match(line)
        if match and not 0 <= int(match[1]) <= LONGEST_WAIT:
            yield Finding(path, f"says {line}")
    for path in pristine.found("/boot/{grub,grub2}/grubenv"):
        for line in pristine.text(path).splitlines():
            if re.match(r"(next_entry|recordfail)=\S", line):
                yield Finding(path, f"says {line}")
    for path, line in pristine.lines("/boot/{efi/,}loader/loader.conf"):
        match = re.match(r"timeout\s+(\S+)", line)
        if match and not (match[1].isdecimal() and int(match[1]) <= LONGEST_WAIT):
            yield Finding(path, f"says {line}")


def test_finds_the_root_by_what_it_is(pristine: Pristine, defects: Defects) -> None:
    """With another bus, or one disk more, a server does not find its root file system."""
    assert defects(_roots(pristine)) == []


def _roots(pristine: Pristine) -> Iterator[Finding]:
    known = {one.uuid for one in file_systems(pristine.disk)}
    kinds = {one.uuid: one.kind for one in file_systems(pristine.disk)}
    for entry in boot_entries.entries(pristine):
        roots = [kind for uuid, kind in kinds.items() if f"root=UUID={uuid}" in entry.arguments]
        for argument in entry.arguments:
            kind = argument.removeprefix("rootfstype=")
            if kind != argument and roots and not {*roots, "auto"} & set(kind.split(",")):
                yield Finding(entry.path, f"says {argument}, and the root is {roots[0]}")
            if argument.startswith("root="):
                device = argument.removeprefix("root=").strip("\"'")
                named = re.fullmatch(r"UUID=(\S+)|/dev/disk/by-uuid/(\S+)", device)
                if not _ANYWHERE.fullmatch(device):
                    yield Finding(entry.path, f"says {argument}: the place of a disk may change")
                elif named and (named[1] or named[2]) not in known:
                    yield Finding(entry.path, f"says {argument}, and no file system has this UUID")
    for path, line in pristine.lines("/etc/default/grub", "/etc/default/grub.d/*.cfg"):
        if re.match(r"GRUB_DISABLE_LINUX_UUID=[\"']?true", line):
            yield Finding(path, f"says {line}: the next menu names the disk by its place")
        root = re.match(r"GRUB_CMDLINE_LINUX\w*=.*\b(root=/dev/(?!mapper|disk)\S+?)[\"'\s]", line)
        if root:
            yield Finding(path, f"says {root[1]}: the place of a disk may change")


def test_has_what_it_starts(pristine: Pristine, defects: Defects) -> None:
    """A server stops in the boot loader: kernel or initial RAM disk is missing."""
    assert defects(_missing(pristine)) == []


def _missing(pristine: Pristine) -> Iterator[Finding]:
    found = boot_entries.entries(pristine)
    for entry in found:
        by_name = any(one.startswith("root=") and "/dev/sd" not in one for one in entry.arguments)
        if by_name and not entry.ram_disks and pristine.found(*RAM_DISKS):
            yield Finding(entry.path, f"starts {entry.kernel} without its initial RAM disk")
        for path in (entry.kernel, *entry.ram_disks):
            bare = re.sub(r"^(\(\S*?\)|\$\w+)", "", path)
            places = {pristine.resolved(bare), pristine.resolved(f"/boot/{bare}")}
            there = [place for place in places if place in pristine.entries]
            if not there:
                yield Finding(entry.path, f"starts {path}, which is not there")
            for place in there:
                if pristine.entries[place].size < (LEAST if path == entry.kernel else 1):
                    yield Finding(place, "is cut off: a copy or a full disk broke it")
    if not found:
        yield Finding("/boot", "holds nothing that a boot loader could start")


def test_starts_what_is_there_by_default(pristine: Pristine, defects: Defects) -> None:
    """A server stops in the boot loader, or starts another system than the one it should."""
    assert defects(_absent(pristine)) == []


def _absent(pristine: Pristine) -> Iterator[Finding]:
    titles: list[tuple[str, str]] = []
    names: set[str] = set()
    for path in pristine.found(*boot_entries.CONFIGURATIONS):
        text = pristine.text(path)
        titles = _FIRST_LEVEL.findall(text)
        names = {name for one in titles for name in one if name}
        for said in re.findall(r"(?m)^\s*set default=[\"']?([^\"'\n]*)", text):
            yield from (Finding(path, what) for what in _unknown(said, len(titles), names))
    for path, line in pristine.lines("/boot/{grub,grub2}/grubenv"):
        saved = re.match(r"saved_entry=(.+)", line)
        if saved and not pristine.found(*boot_entries.ENTRIES):
            yield from (Finding(path, what) for what in _unknown(saved[1], len(titles), names))
    for path, text in _settings(pristine):
        try:
            words = shlex.split(text, comments=True)
        except ValueError as error:
            yield Finding(path, f"cannot be read: {error}")
            continue
        for said in (word.partition("=")[2] for word in words if word.startswith("GRUB_DEFAULT=")):
            stays = re.search(r"(?m)^GRUB_SAVEDEFAULT=['\"]?true", text)
            if said == "saved" and stays and not pristine.found(*boot_entries.ENTRIES):
                yield Finding(path, "says GRUB_SAVEDEFAULT: an old kernel is started for ever")
            if said != "saved":
                yield from (Finding(path, what) for what in _unknown(said, len(titles), names))


def _settings(pristine: Pristine) -> Iterator[tuple[str, str]]:
    for path in pristine.found("/etc/default/grub", "/etc/default/grub.d/*.cfg"):
        yield path, pristine.text(path)


def _unknown(said: str, count: int, names: set[str]) -> Iterator[str]:
    """Why a menu has no such entry; an empty menu is written elsewhere."""
    first = said.partition(">")[0]
    if count and "$" not in said and first:
        if first.isdecimal() and int(first) >= count:
            yield f"starts entry {first} of {count}, counted from 0"
        elif not first.isdecimal() and first not in names:
            yield f"starts {first}, which the menu does not have"


def test_waits_for_no_disk_to_resume_from(pristine: Pristine, defects: Defects) -> None:
    """Every start looks half a minute for a disk of the builder that holds a suspended system."""
    assert defects(_resuming(pristine)) == []


def _resuming(pristine: Pristine) -> Iterator[Finding]:
    known = {one.uuid for one in file_systems(pristine.disk)}
    said = [
        (entry.path, argument.partition("=")[2])
        for entry in boot_entries.entries(pristine)
        for argument in entry.arguments
        if argument.startswith("resume=")
    ]
    for path, line in pristine.lines("/etc/initramfs-tools/conf.d/*"):
        if line.startswith("RESUME="):
            said.append((path, line.partition("=")[2].strip("\"'")))
    for path, device in said:
        if device not in ("", "none", "auto") and device.removeprefix("UUID=") not in known:
            yield Finding(path, f"resumes from {device}")


def test_can_be_updated(pristine: Pristine, defects: Defects) -> None:
    """The next update of the boot loader asks where to install it, or installs it where no disk
    is."""
    assert defects(_of_the_builders_disk(pristine)) == []


def _of_the_builders_disk(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.filled("/boot/{grub,grub2}/device.map"):
        yield Finding(path, "names the disks of the builder")
    said = re.compile(
        r"(?m)^Name: grub-(?:pc|efi)/(install_devices)\n(?:[A-Z].*\n)*?Value: *(\S.*)"
    )
    for match in said.finditer(pristine.text(DEBCONF)):
        yield Finding(DEBCONF, f"says {match[1]} is {match[2]}")


def test_is_where_firmware_looks(pristine: Pristine, defects: Defects) -> None:
    """A server does not start at all: firmware finds nothing to run on its disk."""
    assert defects(_nowhere(pristine)) == []


def _nowhere(pristine: Pristine) -> Iterator[Finding]:
    """The first sector, where GRUB for BIOS is installed; see its manual, "BIOS installation"."""
    if pristine.found("/boot/{grub,grub2}/i386-pc/core.img"):
        with pristine.disk.open("rb") as stream:
            sector = stream.read(512)
        if not sector[:440].strip(b"\0"):
            yield Finding("first sector", "holds no boot loader")
        elif sector[510:] != b"\x55\xaa":
            yield Finding("first sector", "has no mark at its end: BIOS does not start it")
