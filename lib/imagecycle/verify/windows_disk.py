"""The drive C of a release of Windows as it was before any boot: its files and its registry.

NTFS is mounted through a loop device, without a virtual machine. Where this machine cannot do that,
libguestfs does. Paths are Windows' own below the drive, ``Windows/System32/config``; capitals do
not matter.
"""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from imagecycle import command
from imagecycle.build import partitions
from imagecycle.build.disk import unpack
from imagecycle.errors import CommandFailed, ImagecycleError, MissingProgram

HIVES = "Windows/System32/config"
_MOUNT_LIMIT = 60.0
_ENCRYPTED = b"-FVE-FS-"
"""In the place of a file system's name where BitLocker encrypts it"""


class Files(Protocol):
    """The files of a drive."""

    def names(self, folder: str) -> list[str]:
        """Of what is in a folder; nothing where there is none."""
        ...

    def read(self, path: str) -> bytes:
        """The content of a file that is there."""
        ...


class WindowsDisk:
    """Drive C of a release.

    :param scratch: a folder for copies of its registry.
    :param encrypted: the partitions that BitLocker encrypts.
    """

    def __init__(self, files: Files, scratch: Path, encrypted: tuple[int, ...] = ()) -> None:
        self._files, self._scratch = files, scratch
        self.encrypted = encrypted

    def found(self, pattern: str) -> list[str]:
        """The paths that a pattern finds, such as ``Windows/Panther/*.xml``."""
        *folders, last = pattern.split("/")
        places = [""]
        for folder in folders:
            places = [
                f"{place}{name}/" for place in places for name in self._matching(place, folder)
            ]
        return sorted(f"{place}{name}" for place in places for name in self._matching(place, last))

    def _matching(self, place: str, pattern: str) -> list[str]:
        listed, wanted = self._listed(place), pattern.lower()
        return [name for low, name in listed.items() if fnmatch.fnmatchcase(low, wanted)]

    @functools.cache  # noqa: B019 - as long as the disk
    def _listed(self, place: str) -> dict[str, str]:
        return {name.lower(): name for name in self._files.names(place)}

    def read(self, path: str) -> bytes:
        """The content of a file; empty where there is none."""
        there = self.found(path)
        return self._files.read(there[0]) if there else b""

    def text(self, path: str) -> str:
        """The same as text, in whatever of Windows' encodings."""
        content = self.read(path)
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        return content.decode("utf-16" if wide else "utf-8-sig", errors="replace")

    def value(self, hive: str, key: str, name: str) -> Any:
        """A value of the registry: text, number, list or bytes; None where it is not there.

        :param hive: ``SYSTEM`` or ``SOFTWARE``.
        :param key: ``Setup\\Status``; ``CurrentControlSet`` is the one that starts.
        :raises ImagecycleError: when the hive is not there, or damaged.
        """
        opened = self._hive(hive)
        node = self._node(hive, key)
        if node is None:
            return None
        for one in opened.node_values(node):
            if opened.value_key(one).lower() == name.lower():
                return _converted(opened, one)
        return None

    def has_key(self, hive: str, key: str) -> bool:
        """Whether a key is there."""
        return self._node(hive, key) is not None

    def _node(self, hive: str, key: str) -> Any:
        opened = self._hive(hive)
        if key.startswith("CurrentControlSet\\"):
            number = self.value(hive, "Select", "Current") or 1
            key = key.replace("CurrentControlSet", f"ControlSet{number:03d}", 1)
        node = opened.root()
        for part in key.split("\\"):
            node = opened.node_get_child(node, part)
            if node is None:
                return None
        return node

    @functools.cache  # noqa: B019 - as long as the disk
    def _hive(self, name: str) -> Any:
        content = self.read(f"{HIVES}/{name}")
        if not content:
            raise ImagecycleError(f"the drive has no registry: {HIVES}/{name} is missing")
        import hivex

        path = self._scratch / f"{name}.hive"
        path.write_bytes(content)
        try:
            return hivex.Hivex(str(path))
        except RuntimeError as error:
            raise ImagecycleError(f"the registry {HIVES}/{name} is damaged: {error}") from None


_TEXT, _EXPANDED, _NUMBER, _LIST, _LARGE = 1, 2, 4, 7, 11


def _converted(opened: Any, value: Any) -> Any:
    kind, content = opened.value_value(value)
    if kind in (_TEXT, _EXPANDED):
        return content.decode("utf-16-le", errors="replace").rstrip("\0")
    if kind in (_NUMBER, _LARGE):
        return int.from_bytes(content, "little")
    if kind == _LIST:
        return [one for one in content.decode("utf-16-le", errors="replace").split("\0") if one]
    return content


@contextlib.contextmanager
def opened(disk: Path, scratch: Path) -> Iterator[WindowsDisk]:
    """Drive C of a qcow2 disk, for the length of a ``with`` block.

    :param scratch: a folder with room for the unpacked disk.
    :raises ImagecycleError: when the disk cannot be read, or holds no Windows.
    """
    raw = scratch / "sealed.raw"
    try:
        unpack(disk, raw)
        with in_raw(raw, scratch) as found:
            yield found
    finally:
        raw.unlink(missing_ok=True)


@contextlib.contextmanager
def in_raw(raw: Path, scratch: Path) -> Iterator[WindowsDisk]:
    """The same of a raw disk."""
    encrypted = tuple(_encrypted(raw))
    candidates = [one for one in partitions.file_systems(raw) if one.kind == "ntfs"]
    candidates.sort(key=lambda one: one.partition.size, reverse=True)
    for one in candidates:
        with contextlib.ExitStack() as stack:
            try:
                files: Files = stack.enter_context(_mounted(raw, one.partition, scratch))
            except (CommandFailed, MissingProgram):
                files = stack.enter_context(_in_guestfs(raw, one.partition.number))
            found = WindowsDisk(files, scratch, encrypted)
            if found.found(f"{HIVES}/SYSTEM"):
                yield found
                return
    if encrypted:
        raise ImagecycleError("the drive is encrypted by BitLocker, and cannot be read")
    raise ImagecycleError("the disk holds no Windows: no NTFS on it has a registry")


def _encrypted(raw: Path) -> Iterator[int]:
    with raw.open("rb") as stream:
        for one in partitions.partitions(raw):
            stream.seek(one.start + 3)
            if stream.read(8) == _ENCRYPTED:
                yield one.number


class _Mounted:
    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, folder: str) -> list[str]:
        place = self._root / folder
        return [one.name for one in place.iterdir()] if place.is_dir() else []

    def read(self, path: str) -> bytes:
        return (self._root / path).read_bytes()


@contextlib.contextmanager
def _mounted(raw: Path, partition: partitions.Partition, scratch: Path) -> Iterator[_Mounted]:
    """:raises CommandFailed: where this machine cannot do that."""
    where = ["--offset", str(partition.start), "--sizelimit", str(partition.size)]
    argv = ["losetup", "--find", "--show", "--read-only", *where, str(raw)]
    loop = command.run(argv, timeout=_MOUNT_LIMIT).stdout.strip()
    try:
        with tempfile.TemporaryDirectory(dir=scratch) as name:
            argv = ["ntfs-3g", "-o", "ro,norecover", loop, name]
            command.run(argv, timeout=_MOUNT_LIMIT)
            try:
                yield _Mounted(Path(name))
            finally:
                command.run(["umount", name], timeout=_MOUNT_LIMIT)
    finally:
        command.run(["losetup", "--detach", loop], timeout=_MOUNT_LIMIT)


class _Guestfs:
    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def names(self, folder: str) -> list[str]:
        place = f"/{folder.rstrip('/')}"
        return [str(one) for one in self._handle.ls(place)] if self._handle.is_dir(place) else []

    def read(self, path: str) -> bytes:
        return bytes(self._handle.read_file(f"/{path}"))


@contextlib.contextmanager
def _in_guestfs(raw: Path, number: int) -> Iterator[_Guestfs]:
    import guestfs

    handle = guestfs.GuestFS(python_return_dict=True)
    try:
        handle.add_drive_opts(str(raw), format="raw", readonly=1)
        handle.launch()
        handle.mount_ro(f"/dev/sda{number or ''}", "/")
        yield _Guestfs(handle)
    except RuntimeError as error:
        raise ImagecycleError(f"libguestfs cannot open the drive: {error}") from None
    finally:
        handle.close()
