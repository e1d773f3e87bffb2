"""Writing an uncompressed cpio archive in the form that the kernel unpacks as initramfs.

The form is described in the kernel's documentation, "initramfs buffer format" (newc). Debian's
``cpio`` program is not on every machine, and reads its input from a folder only.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

_FILE = 0o100644
_PROGRAM = 0o100755
_FOLDER = 0o40755


def write(archive: Path, members: Mapping[str, Path], folders: Iterable[str] = ()) -> None:
    """Write files under the given names; the archive's size is a multiple of 512 bytes.

    :param members: may be executable, and stay so.
    :param folders: made besides those that members are in.
    """
    parents = {str(p) for name in members for p in PurePosixPath(name).parents} - {"."}
    with archive.open("wb") as stream:
        for inode, name in enumerate(sorted({*parents, *folders}), start=len(members) + 1):
            stream.write(_header(name, inode, _FOLDER, 0))
        for inode, (name, path) in enumerate(members.items(), start=1):
            status = path.stat()
            mode = _PROGRAM if status.st_mode & 0o100 else _FILE
            stream.write(_header(name, inode, mode, status.st_size))
            with path.open("rb") as member:
                shutil.copyfileobj(member, stream, 4 * 2**20)
            stream.write(b"\0" * (-status.st_size % 4))
        stream.write(_header("TRAILER!!!", 0, 0, 0))
        stream.write(b"\0" * (-stream.tell() % 512))


def _header(name: str, inode: int, mode: int, size: int) -> bytes:
    encoded = name.encode() + b"\0"
    if size >= 2**32:
        raise ValueError(f"{name} is too large for a cpio archive: {size} bytes")
    numbers = (inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + encoded
    return head + b"\0" * (-len(head) % 4)
