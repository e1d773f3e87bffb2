"""What is in an initial RAM disk: archives of cpio one after the other, the last one packed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from imagecycle import command
from imagecycle.errors import ImagecycleError

TIME_LIMIT = 60.0
_HEADER = 110
_MAGIC = b"070701"


class Broken(Exception):
    """An initial RAM disk that no kernel can unpack."""


def modules(image: bytes) -> set[str] | None:
    """The names of the kernel modules in it, with ``_`` for ``-``; None where it is packed in a way
    that cannot be undone here.

    :raises Broken: where it ends too early, or is no archive.
    """
    found: set[str] = set()
    rest = image
    try:
        while rest:
            if rest.startswith(_MAGIC):
                names, rest = _archive(rest)
                found |= set(names)
            elif not any(map(rest.startswith, _KINDS)):
                return None
            else:
                names, _ = _archive(_unpacked(rest))
                return found | set(names)
            rest = rest.lstrip(b"\0")
    except ImagecycleError:  # there is no program for it here
        return None
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise Broken(str(error)) from None
    return found


def _archive(data: bytes) -> tuple[list[str], bytes]:
    """The modules in an archive, and what follows it; see the kernel's documentation,
    "initramfs buffer format"."""
    found: list[str] = []
    at = 0
    while data[at : at + 6] == _MAGIC:
        size, name_size = (int(data[at + n : at + n + 8], 16) for n in (54, 94))
        name = data[at + _HEADER : at + _HEADER + name_size - 1].decode(errors="replace")
        at = _aligned(_aligned(at + _HEADER + name_size) + size)
        if name == "TRAILER!!!":
            return found, data[at:]
        if match := re.search(r"/([^/]+)\.ko(\.(xz|gz|zst))?$", name):
            found.append(match[1].replace("-", "_"))
    raise EOFError("it has no end")


def _aligned(at: int) -> int:
    return (at + 3) & ~3


def _with(program: str) -> Callable[[bytes], bytes]:
    def unpack(data: bytes) -> bytes:
        with tempfile.TemporaryDirectory(prefix="ram-disk-") as name:
            packed, plain = Path(name) / "packed", Path(name) / "plain"
            packed.write_bytes(data)
            command.run([program, "-dqf", packed, "-o", plain], timeout=TIME_LIMIT, check=False)
            return plain.read_bytes()

    return unpack


_KINDS: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"\xfd7zXZ\0": lzma.decompress,
    b"\x5d\0\0": lzma.decompress,
    b"BZh": bz2.decompress,
    b"\x28\xb5\x2f\xfd": _with("zstd"),
}


def _unpacked(data: bytes) -> bytes:
    for magic, unpack in _KINDS.items():
        if data.startswith(magic):
            return unpack(data)
    raise ValueError("an unknown kind of compression")
