"""What a boot loader starts: kernels, initial RAM disks, arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from imagecycle.verify.pristine import Pristine

CONFIGURATIONS = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/efi/EFI/*/grub.cfg")
ENTRIES = ("/boot/loader/entries/*.conf", "/boot/efi/loader/entries/*.conf")
SETTINGS = ("/etc/default/grub", "/etc/default/grub.d/*", "/etc/kernel/cmdline")
"""From which the menu is made again when a kernel is installed"""
_TITLE = re.compile(r"^\s*(?:menuentry|submenu)\s+(['\"])(.*?)\1")
_KERNEL = re.compile(r"^\s*linux(?:16|efi)?\s+(\S+)\s*(.*)$")
_RAM_DISK = re.compile(r"^\s*initrd(?:16|efi)?\s+(.+)$")
_ASSIGNED = re.compile(r"^GRUB_CMDLINE_LINUX\w*=(['\"]?)(.*)\1$")


@dataclass(frozen=True)
class BootEntry:
    """One way to start; ``path`` is the file that says so."""

    path: str
    title: str
    kernel: str
    arguments: tuple[str, ...]
    ram_disks: tuple[str, ...] = ()

    @property
    def is_a_rescue(self) -> bool:
        """Whether somebody has to choose it, to mend a system."""
        return bool(re.search(r"(?i)recovery|rescue", self.title))


def entries(pristine: Pristine) -> list[BootEntry]:
    """All ways to start."""
    found = [one for path in pristine.found(*CONFIGURATIONS) for one in _of_grub(pristine, path)]
    return found + [_of_loader(pristine, path) for path in pristine.found(*ENTRIES)]


def settings(pristine: Pristine) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The arguments that the next menu would give, with the file that says so."""
    for path, line in pristine.lines(*SETTINGS):
        if match := _ASSIGNED.match(line):
            yield path, tuple(match[2].split())
        elif path == "/etc/kernel/cmdline":
            yield path, tuple(line.split())


def _of_grub(pristine: Pristine, path: str) -> Iterator[BootEntry]:
    title, entry = "", None
    for line in pristine.text(path).splitlines():
        if match := _TITLE.match(line):
            title = match[2]
        elif match := _KERNEL.match(line):
            if entry is not None:
                yield entry
            entry = BootEntry(path, title, match[1], tuple(match[2].split()))
        elif (match := _RAM_DISK.match(line)) and entry is not None:
            yield BootEntry(path, title, entry.kernel, entry.arguments, tuple(match[1].split()))
            entry = None
    if entry is not None:
        yield entry


def _of_loader(pristine: Pristine, path: str) -> BootEntry:
    """See the Boot Loader Specification."""
    words: dict[str, list[str]] = {}
    for _, line in pristine.lines(path):
        key, _, value = line.partition(" ")
        words.setdefault(key, []).append(value.strip())

    def said(key: str) -> str:
        return " ".join(words.get(key, []))

    ram_disks = tuple(said("initrd").split())
    return BootEntry(path, said("title"), said("linux"), tuple(said("options").split()), ram_disks)
