"""The boot loader starts the system at once, wherever its disk is."""

import re
from collections.abc import Iterator

from imagecycle.build.partitions import file_systems
from imagecycle.verify import boot_entries
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

LONGEST_WAIT = 5
"""Seconds that a menu may be shown"""
_TIMEOUT = re.compile(r"^\s*set timeout=(-?\d+)")
_SETTING = re.compile(r"^GRUB_(?:RECORDFAIL_|HIDDEN_)?TIMEOUT=['\"]?(-?\d+)")
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
    for entry in boot_entries.entries(pristine):
        for argument in entry.arguments:
            if argument.startswith("root="):
                device = argument.removeprefix("root=").strip("\"'")
                named = re.fullmatch(r"UUID=(\S+)|/dev/disk/by-uuid/(\S+)", device)
                if not _ANYWHERE.fullmatch(device):
                    yield Finding(entry.path, f"says {argument}: the place of a disk may change")
                elif named and (named[1] or named[2]) not in known:
                    yield Finding(entry.path, f"says {argument}, and no file system has this UUID")


def test_has_what_it_starts(pristine: Pristine, defects: Defects) -> None:
    """A server stops in the boot loader: kernel or initial RAM disk is missing."""
    assert defects(_missing(pristine)) == []


def _missing(pristine: Pristine) -> Iterator[Finding]:
    found = boot_entries.entries(pristine)
    for entry in found:
        for path in (entry.kernel, *entry.ram_disks):
            bare = re.sub(r"^(\(\S*?\)|\$\w+)", "", path)
            places = {pristine.resolved(bare), pristine.resolved(f"/boot/{bare}")}
            if not any(place in pristine.entries for place in places):
                yield Finding(entry.path, f"starts {path}, which is not there")
    if not found:
        yield Finding("/boot", "holds nothing that a boot loader could start")
