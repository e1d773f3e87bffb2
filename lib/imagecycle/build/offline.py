"""A system on a disk that does not run: reading and changing its files.

Its file systems are mounted through loop devices, in a moment. Where this machine cannot do that
(no root, no loop devices, a file system that its kernel does not know) libguestfs does it in a
small virtual machine of its own, which takes longer.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from imagecycle import command, interrupts
from imagecycle.build import attributes, mounting
from imagecycle.errors import CommandFailed, ImagecycleError
from imagecycle.systems.files import FILE, FOLDER, LINK, OTHER, Entry, SystemFiles

_TRIM_TIMEOUT = 300.0
_LOOP_TIMEOUT = 60.0
_GROW_TIMEOUT = 600.0
_LABEL_TIMEOUT = 1200.0
_READERS = max(1, min(4, os.cpu_count() or 1))
_SMALL = 2**20
_OF_FIRMWARE = "vfat"
_CAPABILITIES = "security.capability"
_KINDS = {stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER, stat.S_IFLNK: LINK}


@contextlib.contextmanager
def opened(disk: Path, scratch: Path, *, read_only: bool = False) -> Iterator[SystemFiles]:
    """The system on a raw disk, for the length of a ``with`` block.

    :param scratch: a folder for the mount point.
    :param read_only: leave the disk untouched, as others may read it at the same time.
    :raises ImagecycleError: when the disk holds no system that can be opened.
    """
    with contextlib.ExitStack() as stack:
        system: SystemFiles
        try:
            system = stack.enter_context(mounted(disk, scratch, read_only))
        except (CommandFailed, mounting.NotForThisKernel):
            system = stack.enter_context(_in_guestfs(disk, read_only))
        if not system.exists("/etc"):
            raise ImagecycleError(
                f"{disk.name} holds no operating system", hint="look at the installer's console"
            )
        yield system


def grow(disk: Path, scratch: Path) -> None:
    """Make the root file system of a raw disk as large as its partition.

    :param scratch: a folder for a mount point.
    :raises ImagecycleError: when it is of a kind that cannot be made larger.
    """
    root = mounting.root_of(disk)
    kind, start, size = root.kind, root.partition.start, root.partition.size
    if kind in ("ext2", "ext3", "ext4"):
        with _loop_device(disk, start, size) as device:
            command.run(["e2fsck", "-f", "-p", device], timeout=_GROW_TIMEOUT, check=False)
            command.run(["resize2fs", device], timeout=_GROW_TIMEOUT)
    elif kind in ("xfs", "btrfs"):  # which grow while they are mounted
        with opened(disk, scratch) as system:
            system.grow(kind)
    else:
        raise ImagecycleError(
            f"the disk cannot be enlarged: its root file system is {kind}",
            hint="let the answer file make one of ext4, XFS or btrfs",
        )


class MountedSystem:
    """A system whose root file system is mounted at ``root``, and others below it."""

    def __init__(self, root: Path, *others: Path) -> None:
        self.root = root
        self._points = (root, *others)

    def exists(self, path: str) -> bool:
        return os.path.lexists(self._inside(path, follow=False))

    def read(self, path: str) -> bytes:
        return self._inside(path).read_bytes()

    def write(self, path: str, content: bytes, mode: int) -> None:
        place = self._inside(path)
        missing = [folder for folder in place.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o700 if folder.name == ".ssh" else 0o755)
        place.write_bytes(content)
        place.chmod(mode)

    def give(self, path: str, uid: int, gid: int) -> None:
        os.chown(self._inside(path), uid, gid)

    def empty(self, path: str) -> None:
        os.truncate(self._inside(path), 0)

    def remove(self, path: str) -> None:
        place = self._inside(path, follow=False)
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)

    def glob(self, pattern: str) -> list[str]:
        # patterns have their wildcards behind folders that are no links in any system
        return sorted("/" + str(p.relative_to(self.root)) for p in self.root.glob(pattern[1:]))

    def files_below(self, folder: str) -> list[str]:
        top = self.root / folder[1:]
        return sorted(
            "/" + str((Path(parent) / name).relative_to(self.root))
            for parent, _, names in os.walk(top)
            for name in names
            if not (Path(parent) / name).is_symlink()
        )

    def entries(self) -> Iterator[Entry]:
        top = os.lstat(self.root)
        yield _entry("/", top, str(self.root))
        waiting, devices = [str(self.root)], {point.stat().st_dev for point in self._points}
        start = len(waiting[0])
        while waiting:
            with os.scandir(waiting.pop()) as found:
                for item in found:
                    status = item.stat(follow_symlinks=False)
                    entry = _entry(item.path[start:], status, item.path)
                    yield entry
                    if entry.kind == FOLDER and status.st_dev in devices:
                        waiting.append(item.path)

    def digests(self, paths: Iterable[str], algorithm: str) -> dict[str, str]:
        wanted = list(paths)
        shares = [wanted[first::_READERS] for first in range(_READERS)]
        with ThreadPoolExecutor(_READERS) as pool:
            calls = [interrupts.submit(pool, self._digests, share, algorithm) for share in shares]
            found = [interrupts.result_of(call) for call in calls]
        return {path: digest for one in found for path, digest in one.items()}

    def _digests(self, paths: Iterable[str], algorithm: str) -> dict[str, str]:
        found = {}
        folders: dict[str, Path] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            with contextlib.suppress(OSError, ImagecycleError):
                if folder not in folders:
                    folders[folder] = self._inside(folder)
                place = folders[folder] / name
                if place.is_symlink():
                    place = self._inside(path)
                found[path] = _digest(place, algorithm)
        return found

    def locked(self, paths: Iterable[str]) -> set[str]:
        root = str(self.root)
        return {path for path in paths if attributes.is_locked(f"{root}{path}")}

    def shared(self, paths: Iterable[str]) -> set[str]:
        root = str(self.root)
        return {path for path in paths if attributes.has_access_list(f"{root}{path}")}

    def trim(self) -> None:
        for point in self._points:
            command.run(["fstrim", point], timeout=_TRIM_TIMEOUT)

    def room(self) -> int:
        status = os.statvfs(self.root)
        return status.f_bfree * status.f_frsize  # root may use what is kept back for it

    def grow(self, kind: str) -> None:
        argv: list[str | Path]
        if kind == "xfs":
            argv = ["xfs_growfs", self.root]
        else:
            argv = ["btrfs", "filesystem", "resize", "max", self.root]
        command.run(argv, timeout=_GROW_TIMEOUT)

    def relabel(self, contexts: str) -> None:
        rules = self._inside(contexts)
        argv: list[str | Path] = ["setfiles", "-F", "-r", self.root, rules, self.root]
        command.run(argv, timeout=_LABEL_TIMEOUT)

    def _inside(self, path: str, *, follow: bool = True) -> Path:
        return mounting.inside(self.root, path, follow=follow)


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size < _SMALL:  # without a buffer for large ones
            return hashlib.new(algorithm, stream.read()).hexdigest()
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _entry(path: str, status: os.stat_result, place: str) -> Entry:
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), OTHER)
    capabilities = b""
    if kind == FILE and status.st_mode & 0o111:
        with contextlib.suppress(OSError):  # it has none, or the file system knows of none
            capabilities = os.getxattr(place, _CAPABILITIES, follow_symlinks=False)
    return Entry(
        path=path,
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        size=status.st_size,
        target=str(Path(place).readlink()) if kind == LINK else "",
        capabilities=capabilities,
    )


@contextlib.contextmanager
def mounted(disk: Path, scratch: Path, read_only: bool) -> Iterator[MountedSystem]:
    """The same, mounted here, whatever is in it.

    :raises CommandFailed: when it cannot be.
    :raises NotForThisKernel: when this machine does not even try.
    """
    with mounting.mounted(disk, scratch, read_only=read_only) as points:
        yield MountedSystem(*points)


@contextlib.contextmanager
def _loop_device(disk: Path, start: int, size: int) -> Iterator[str]:
    """Part of a disk as a device: resize2fs would cut a file off where its file system ends."""
    argv: list[str | Path] = ["losetup", "--find", "--show", "--nooverlap"]
    argv += ["--offset", str(start), "--sizelimit", str(size), disk]
    hint = "run as root, on a machine with loop devices"
    device = command.run(argv, timeout=_LOOP_TIMEOUT, hint=hint).stdout.strip()
    try:
        yield device
    finally:
        command.run(["losetup", "--detach", device], timeout=_LOOP_TIMEOUT)


class GuestfsSystem:
    """A system in the hands of libguestfs."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def exists(self, path: str) -> bool:
        return bool(self._handle.exists(path))

    def read(self, path: str) -> bytes:
        return bytes(self._handle.read_file(path))

    def write(self, path: str, content: bytes, mode: int) -> None:
        self._handle.mkdir_p(str(Path(path).parent))
        self._handle.write(path, content)
        self._handle.chmod(mode, path)

    def give(self, path: str, uid: int, gid: int) -> None:
        self._handle.chown(uid, gid, path)

    def empty(self, path: str) -> None:
        self._handle.truncate(path)

    def remove(self, path: str) -> None:
        self._handle.rm_rf(path)

    def glob(self, pattern: str) -> list[str]:
        return sorted(path.rstrip("/") for path in self._handle.glob_expand(pattern))

    def files_below(self, folder: str) -> list[str]:
        if not self._handle.is_dir(folder):
            return []
        found = (f"{folder}/{name.lstrip('/')}" for name in self._handle.find(folder))
        return sorted(path for path in found if self._handle.is_file(path))

    def entries(self) -> Iterator[Entry]:
        top = self._handle.lstatns("/")
        yield self._entry("/", top)
        waiting = ["/"]
        while waiting:
            folder = waiting.pop()
            names = self._handle.ls(folder)
            statuses = self._handle.lstatnslist(folder, names)
            for name, status in zip(names, statuses, strict=True):
                entry = self._entry(f"{folder.rstrip('/')}/{name}", status)
                yield entry
                if entry.kind == FOLDER:
                    waiting.append(entry.path)

    def _entry(self, path: str, status: dict[str, int]) -> Entry:
        mode = status["st_mode"]
        kind = _KINDS.get(stat.S_IFMT(mode), OTHER)
        capabilities = b""
        if kind == FILE and mode & 0o111:
            with contextlib.suppress(RuntimeError):  # it has none
                capabilities = self._handle.lgetxattr(path, _CAPABILITIES)
        return Entry(
            path=path,
            kind=kind,
            mode=stat.S_IMODE(mode),
            uid=status["st_uid"],
            gid=status["st_gid"],
            size=status["st_size"],
            target=self._handle.readlink(path) if kind == LINK else "",
            capabilities=capabilities,
        )

    def digests(self, paths: Iterable[str], algorithm: str) -> dict[str, str]:
        found = {}
        for path in paths:
            with contextlib.suppress(RuntimeError):  # it is not there, or is no file
                found[path] = self._handle.checksum(algorithm, path)
        return found

    def locked(self, paths: Iterable[str]) -> set[str]:
        # each costs a program in the appliance: only settings, which are what people lock
        found = set()
        for path in paths:
            if path.startswith("/etc/"):
                with contextlib.suppress(RuntimeError):  # a link, or a file system without them
                    if {"i", "a"} & set(self._handle.get_e2attrs(path)):
                        found.add(path)
        return found

    def shared(self, paths: Iterable[str]) -> set[str]:
        found = set()
        for path in paths:
            for name in attributes.ACCESS_LISTS:
                with contextlib.suppress(RuntimeError):  # it has none
                    self._handle.lgetxattr(path, name)
                    found.add(path)
        return found

    def trim(self) -> None:
        self._handle.fstrim("/")

    def room(self) -> int:
        status = self._handle.statvfs("/")
        return int(status["bfree"]) * int(status["frsize"])

    def grow(self, kind: str) -> None:
        if kind == "xfs":
            self._handle.xfs_growfs("/")
        else:
            self._handle.btrfs_filesystem_resize("/")

    def relabel(self, contexts: str) -> None:
        self._handle.selinux_relabel(contexts, "/", force=True)


@contextlib.contextmanager
def _in_guestfs(disk: Path, read_only: bool) -> Iterator[GuestfsSystem]:
    import guestfs

    handle = guestfs.GuestFS(python_return_dict=True)
    discard = {} if read_only else {"discard": "besteffort"}
    try:
        handle.set_backend("direct")
        handle.set_backend_settings(["force_tcg"])
        handle.add_drive_opts(str(disk), format="raw", readonly=read_only, **discard)
        handle.launch()
        roots = handle.inspect_os()
        if not roots:
            raise ImagecycleError(
                f"{disk.name} holds no operating system", hint="look at the installer's console"
            )
        points = handle.inspect_get_mountpoints(roots[0])
        for point in sorted(points, key=len):
            if handle.vfs_type(points[point]) == _OF_FIRMWARE:
                continue  # as where it is mounted here
            handle.mount_options("ro" if read_only else "discard", points[point], point)
        yield GuestfsSystem(handle)
        handle.shutdown()
    except RuntimeError as error:
        raise ImagecycleError(
            f"the disk cannot be opened: {error}",
            hint="run as root, or see what `imagecycle doctor --fresh` says of libguestfs",
        ) from None
    finally:
        handle.close()
