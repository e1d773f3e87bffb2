"""What kernel and initial RAM disk of an installer say they are: for trees, which are no medium.

The kernel tells its architecture (the kernel's documentation, "The Linux/x86 Boot Protocol" and
"Booting AArch64 Linux"), Debian's initial RAM disk its version, in ``/etc/lsb-release``.
"""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from pathlib import Path

from imagecycle.systems.medium_identity import Identity

_RELEASE = "etc/lsb-release"
_X86, _X86_AT = b"HdrS", 0x202
_LOAD_FLAGS_AT, _IN_64_BITS = 0x236, 1
_ARM, _ARM_AT = b"ARM\x64", 56
_HEADER = 110
"""Bytes of a cpio header in the form newc"""


def identify(kernel: Path, initrd: Path, distro: str) -> Identity | None:
    """What an installer is; None where neither file says anything.

    :param distro: of the catalog, for what the initial RAM disk does not say.
    """
    arch, said = architecture(kernel), release(initrd)
    if not arch and not said:
        return None
    name = said.get("DISTRIB_DESCRIPTION", "an installer")
    version = (re.match(r"[\d.]+", said.get("DISTRIB_RELEASE", "")) or [""])[0]
    known = said.get("DISTRIB_ID", "").lower() or distro
    return Identity(f"{name} {version}".strip(), known, version, arch, packages=True)


def architecture(kernel: Path) -> str:
    """The machine that a kernel is for, in the catalog's words; empty where it does not say."""
    with kernel.open("rb") as stream:
        head = stream.read(1024)
    if head[_ARM_AT : _ARM_AT + 4] == _ARM:
        return "aarch64"
    if head[_X86_AT : _X86_AT + 4] == _X86 and len(head) == 1024:
        flags = struct.unpack_from("<H", head, _LOAD_FLAGS_AT)[0]
        return "x86_64" if flags & _IN_64_BITS else "i386"
    return ""


def release(initrd: Path) -> dict[str, str]:
    """``/etc/lsb-release`` of a compressed initial RAM disk, by name."""
    try:
        with gzip.open(initrd) as stream:
            text = _member(stream, _RELEASE).decode(errors="replace")
    except (OSError, EOFError, ValueError, zlib.error):
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name: value.strip('"') for name, _, value in pairs}


def _member(stream: gzip.GzipFile, wanted: str) -> bytes:
    """A file of a cpio archive; empty where there is none.

    :raises ValueError: when it is no such archive.
    """
    while (header := stream.read(_HEADER)) and len(header) == _HEADER:
        if header[:6] not in (b"070701", b"070702"):
            raise ValueError("no cpio archive")
        size, length = int(header[54:62], 16), int(header[94:102], 16)
        name = stream.read(length)[:-1].decode(errors="replace")
        stream.read(-(_HEADER + length) % 4)
        if name == "TRAILER!!!":
            break
        content = stream.read(size)
        stream.read(-size % 4)
        if name.removeprefix("./") == wanted:
            return content
    return b""
