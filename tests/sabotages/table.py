"""What an ordinary builder forgets or does wrong, and the check that must see it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ADDED = ("ownership.every_file_is_explained",)
"""What also sees a file that was added"""
ALTERED = ("integrity.files_are_as_they_were_packed",)
"""What also sees a file of a package that was changed"""
Deed = Callable[[Path], None]
"""Changes a system whose root is the given folder"""


@dataclass(frozen=True)
class Sabotage:
    """A change of a good image that one check rejects."""

    check: str
    what: str
    """For people: ``a script of the builder in /usr/local/bin``"""
    deed: Deed
    names: str
    """What the check must name, such as a path"""
    also: tuple[str, ...] = ()
    """Other checks that may reject it, for they look at the same thing in another way"""
    on_disk: bool = False
    """Whether the deed is done to the raw disk, and not to the root folder"""

    @property
    def id(self) -> str:
        return f"{self.check}-{self.what.replace(' ', '-')}"


def put(path: str, content: str = "x\n", mode: int = 0o644) -> Deed:
    """Put a file there."""

    def deed(root: Path) -> None:
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.write_text(content)
        place.chmod(mode)

    return deed


def append(path: str, content: str) -> Deed:
    """Add to a file that is there."""

    def deed(root: Path) -> None:
        with (root / path[1:]).open("a") as stream:
            stream.write(content)

    return deed


def replace(path: str, before: str, after: str) -> Deed:
    """Change a text in a file that is there and holds it."""

    def deed(root: Path) -> None:
        place = root / path[1:]
        text = place.read_text()
        assert before in text, f"{path} does not hold {before}"
        place.write_text(text.replace(before, after))

    return deed


def link(path: str, target: str) -> Deed:
    """Make a symbolic link."""

    def deed(root: Path) -> None:
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(target)

    return deed


def mode(path: str, permissions: int) -> Deed:
    """Change permissions."""

    def deed(root: Path) -> None:
        (root / path[1:]).chmod(permissions)

    return deed


def both(*deeds: Deed) -> Deed:
    """One after the other."""

    def deed(root: Path) -> None:
        for one in deeds:
            one(root)

    return deed


def owner(path: str, uid: int, gid: int) -> Deed:
    """Give it to somebody else."""

    def deed(root: Path) -> None:
        os.chown(root / path[1:], uid, gid, follow_symlinks=False)

    return deed


def remove(path: str) -> Deed:
    """Take a file away."""

    def deed(root: Path) -> None:
        (root / path[1:]).unlink()

    return deed


def bytes_at(offset: int, value: bytes) -> Deed:
    """Overwrite bytes of a disk; a negative offset counts from its end."""

    def deed(disk: Path) -> None:
        with disk.open("r+b") as stream:
            stream.seek(offset, os.SEEK_SET if offset >= 0 else os.SEEK_END)
            stream.write(value)

    return deed


def cut(path: str, size: int) -> Deed:
    """Cut a file off."""

    def deed(root: Path) -> None:
        with next(root.glob(path[1:])).open("r+b") as stream:
            stream.truncate(size)

    return deed


def lines_out(path: str, word: str) -> Deed:
    """Take the lines with a word out of a file."""

    def deed(root: Path) -> None:
        place = root / path[1:]
        lines = place.read_text().splitlines(keepends=True)
        place.write_text("".join(line for line in lines if word not in line))

    return deed


def purged(package: str) -> Deed:
    """Take a package away, as its manager does, whatever needs it."""

    def deed(root: Path) -> None:
        lists = root / "var/lib/dpkg/info"
        listed = next(p for p in lists.glob(f"{package}*.list") if p.stem.split(":")[0] == package)
        for line in listed.read_text().splitlines():
            place = root / line[1:]
            is_merged = line.count("/") == 1  # /bin and the like, which lead into /usr
            if not is_merged and (place.is_symlink() or place.is_file()):
                place.unlink()
        for part in lists.glob(f"{listed.stem}.*"):
            part.unlink()
        status = root / "var/lib/dpkg/status"
        known = status.read_text().split("\n\n")
        kept = [one for one in known if not one.startswith(f"Package: {package}\n")]
        status.write_text("\n\n".join(kept))

    return deed
