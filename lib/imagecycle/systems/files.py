"""The files of a system that does not run, as the rooms that read and change them see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

FILE, FOLDER, LINK, OTHER = "file", "folder", "link", "other"
"""What an entry of a file system is; OTHER is a device, a socket or a pipe"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a file system says of one of its entries."""

    path: str
    kind: str
    mode: int
    """Permissions, with setuid, setgid and sticky"""
    uid: int
    gid: int
    size: int
    target: str = ""
    """Of a symbolic link"""
    capabilities: bytes = b""
    """The extended attribute security.capability"""


class SystemFiles(Protocol):
    """The files of a system; paths are absolute, in the system's own eyes."""

    def exists(self, path: str) -> bool: ...

    def read(self, path: str) -> bytes: ...

    def write(self, path: str, content: bytes, mode: int) -> None: ...

    def give(self, path: str, uid: int, gid: int) -> None:
        """Change who a file belongs to."""
        ...

    def empty(self, path: str) -> None: ...

    def remove(self, path: str) -> None: ...

    def glob(self, pattern: str) -> list[str]: ...

    def files_below(self, folder: str) -> list[str]: ...

    def entries(self) -> Iterator[Entry]:
        """All that is on the root file system, but for what is mounted below it."""
        ...

    def digests(self, paths: Iterable[str], algorithm: str) -> dict[str, str]:
        """The sums of files in hexadecimal; those that cannot be read are left out."""
        ...

    def locked(self, paths: Iterable[str]) -> set[str]:
        """Those that not even root can change or remove: immutable ones, and those that can only
        grow; see chattr(1)."""
        ...

    def shared(self, paths: Iterable[str]) -> set[str]:
        """Those with lists of who else may read or change them; see acl(5)."""
        ...

    def trim(self) -> None: ...

    def room(self) -> int:
        """Bytes that are free on the root file system."""
        ...

    def grow(self, kind: str) -> None:
        """Make the root file system, ``xfs`` or ``btrfs``, as large as its partition."""
        ...

    def relabel(self, contexts: str) -> None:
        """Give every file the label that SELinux's policy has for it.

        :param contexts: the file that says so, see :mod:`imagecycle.systems.selinux`.
        """
        ...
