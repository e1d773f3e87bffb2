"""A folder that is replaced as a whole: who reads it finds the old one or the new one.

The new one is made beside it. ``renameat2`` exchanges both in one step; where a file system cannot
(NFS), the old one is moved away first, and for that moment there is none. A file that has not
changed keeps its time, so that what a web server tells of it stays true.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import glob
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from imagecycle.artifacts import written_to
from imagecycle.errors import UsageError

_AT_FDCWD = -100
_EXCHANGE = 2
_NOT_POSSIBLE = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
_PARTIAL = ".partial"
_CHUNK = 2**20


class Tree:
    """The new folder while it is being made."""

    def __init__(self, folder: Path, old: Path) -> None:
        self.folder = folder
        self._old = old
        self.changed = 0
        """Files that are new, or not as they were"""
        self.written = 0
        """All files so far; each is written once"""

    def write(self, path: str, pieces: Iterable[str]) -> None:
        """Write a file, given in pieces."""
        target = self.folder / path
        with written_to(self._old, "folder"):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(pieces)
        self.written += 1
        old = self._old / path
        if _same(target, old):
            times = old.stat()
            os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
        else:
            self.changed += 1

    def differs(self) -> bool:
        """Whether anything is not as it is in the old folder."""
        return bool(self.changed) or _count_files(self._old) != self.written


@contextlib.contextmanager
def replaced(out: Path, mark: str) -> Iterator[Tree]:
    """Make a folder anew in a ``with`` block; it takes its place when the block ends well, and only
    if it differs.

    What an earlier run left that was killed is removed; only one at a time may do this.

    :param mark: a file that every such folder has, by which ours are told from others.
    :raises UsageError: when there is something else in that place.
    :raises ImagecycleError: when it cannot be written.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100 - a link in the path stays one
    target = Path(os.path.realpath(out))
    with written_to(out, "folder"):
        _refuse_others(out, mark)
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f".{glob.escape(target.name)}.*{_PARTIAL}"):
            shutil.rmtree(left, ignore_errors=True)
        made = tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=_PARTIAL)
    folder = Path(made)
    try:
        folder.chmod(0o755)
        tree = Tree(folder, target)
        yield tree
        if tree.differs():
            with written_to(out, "folder"):
                _put(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_others(out: Path, mark: str) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is no folder", hint="name a folder for the site alone")
    if any(out.iterdir()) and not (out / mark).is_file():
        raise UsageError(
            f"{out} holds something else than a site of imagecycle",
            hint="name a folder for the site alone: what is in it is replaced",
        )


def _put(new: Path, out: Path) -> None:
    """Have ``new`` take the place of ``out``; what was there is where ``new`` was."""
    if not out.exists():
        new.rename(out)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    names = (os.fsencode(new), os.fsencode(out))
    if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE) == 0:
        return
    if (number := ctypes.get_errno()) not in _NOT_POSSIBLE:
        raise OSError(number, os.strerror(number), str(out))
    old = new.with_name(f"{new.name.removesuffix(_PARTIAL)}.old{_PARTIAL}")
    out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _count_files(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))


def _same(one: Path, other: Path) -> bool:
    try:
        if one.stat().st_size != other.stat().st_size:
            return False
        with one.open("rb") as first, other.open("rb") as second:
            while piece := first.read(_CHUNK):
                if piece != second.read(_CHUNK):
                    return False
    except OSError:
        return False
    return True
