"""An install medium with some of its files changed, and every way to boot it kept.

``xorriso`` reads and writes ISO images without mounting them: the new image has the vendor's
volume label, which installers look for, and the boot records of the old one. UEFI boots from a FAT
image of its own, a file of the medium or a partition behind it, which may hold a boot menu as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command

MENUS = (
    "/EFI/BOOT/grub.cfg",
    "/EFI/BOOT/BOOT.conf",
    "/EFI/debian/grub.cfg",
    "/boot/grub/grub.cfg",
    "/boot/grub2/grub.cfg",
)
"""Where vendors keep GRUB's menu, on the medium and in the image that UEFI boots from"""
_PARTITION = "0xef"  # of an EFI system partition
_BLOCK = 2048
_READ_LIMIT = 300.0
_WRITE_LIMIT = 3600.0  # a medium may have 15 GB, and come from a share


@dataclass(frozen=True)
class EfiImage:
    """The FAT image that UEFI boots from: its path on the medium, or empty for a partition."""

    path: str
    offset: int
    size: int
    """In bytes; 0 for a file of the medium"""


class Medium:
    """An ISO image that is not changed itself."""

    def __init__(self, iso: Path) -> None:
        self.iso = iso

    def files(self) -> list[str]:
        """The paths of all files.

        :raises CommandFailed: when it is no ISO image.
        """
        found = _xorriso(["-indev", self.iso, "-find", "/", "-type", "f", "-exec", "echo"])
        return [line[1:-1].replace("'\"'\"'", "'") for line in found if line.startswith("'/")]

    def extract(self, path: str, target: Path) -> Path:
        """Copy one file of the medium; returns the copy, which can be written."""
        target.parent.mkdir(parents=True, exist_ok=True)
        _xorriso(["-osirrox", "on", "-indev", self.iso, "-extract", path, target])
        target.chmod(0o644)
        return target

    def efi_image(self) -> EfiImage | None:
        """What UEFI boots from, if anything."""
        report = "\n".join(_xorriso(["-indev", self.iso, "-report_el_torito", "plain"]))
        found = re.search(r"^El Torito boot img :\s+(\d+)\s+UEFI\s.*?(\d+)$", report, re.MULTILINE)
        if found is None:
            return None
        number, block = found[1], int(found[2])
        path = re.search(rf"^El Torito img path :\s+{number}\s+(/.+)$", report, re.MULTILINE)
        size = re.search(rf"^El Torito img blks :\s+{number}\s+(\d+)$", report, re.MULTILINE)
        return EfiImage(
            path=path[1] if path else "",
            offset=block * _BLOCK,
            size=int(size[1]) * _BLOCK if size else 0,
        )

    def extract_efi(self, image: EfiImage, target: Path) -> Path:
        """Copy the image that UEFI boots from."""
        if image.path:
            return self.extract(image.path, target)
        with self.iso.open("rb") as medium, target.open("wb") as copy:
            medium.seek(image.offset)
            copy.write(medium.read(image.size))
        return target

    def write(
        self, target: Path, changed: Mapping[str, Path], efi: tuple[EfiImage, Path] | None
    ) -> None:
        """Write a new medium.

        :param changed: files to put at these paths, whether they are there already or not.
        :param efi: what takes the place of the image that UEFI boots from.
        """
        # the boot records first: they hold for what then takes the place of a boot image
        words: list[str | Path] = ["-indev", self.iso, "-outdev", target]
        words += ["-boot_image", "any", "replay"]
        for path, file in changed.items():
            words += ["-map", file, path]
        if efi and efi[0].path:
            words += ["-map", efi[1], efi[0].path]
        elif efi:
            words += ["-append_partition", "2", _PARTITION, efi[1]]
        words += ["-chown_r", "0", "/", "--", "-chgrp_r", "0", "/", "--"]
        _xorriso([*words, "-commit"], limit=_WRITE_LIMIT)


def fat_files(image: Path) -> list[str]:
    """The paths of all files in a FAT image."""
    listing = command.run(["mdir", "-i", image, "-/", "-b", "-f", "::"], timeout=_READ_LIMIT).stdout
    return [line.removeprefix("::") for line in listing.splitlines() if not line.endswith("/")]


def fat_read(image: Path, path: str) -> str:
    """A file of a FAT image, as text."""
    return command.run(["mtype", "-i", image, f"::{path}"], timeout=_READ_LIMIT).stdout


def fat_write(image: Path, path: str, file: Path) -> None:
    """Put a file in the place of one in a FAT image."""
    command.run(["mcopy", "-o", "-i", image, file, f"::{path}"], timeout=_READ_LIMIT)


def _xorriso(words: Sequence[str | Path], limit: float = _READ_LIMIT) -> list[str]:
    argv = ["xorriso", "-abort_on", "FAILURE", "-return_with", "FAILURE", "32", *words]
    return command.run(
        argv, timeout=limit, hint="xorriso reads and writes install media"
    ).stdout.splitlines()
