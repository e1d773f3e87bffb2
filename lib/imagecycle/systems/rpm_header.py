"""The header of an RPM package, as RPM's databases keep it.

The form is that of RPM's documentation, "RPM v4 header format": the number of entries and the size
of the data, the entries with tag, type, offset and count, then the data; all in network byte order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

NAME, VERSION, RELEASE, EPOCH, ARCH = 1000, 1001, 1002, 1003, 1022
OLD_FILE_NAMES, FILE_DIGESTS = 1027, 1035
FOLDER_INDEXES, BASE_NAMES, FOLDER_NAMES = 1116, 1117, 1118
MAGIC = bytes.fromhex("8eade80100000000")
"""Before a header in a stream of them"""
_INT32, _TEXT, _TEXTS, _TRANSLATED = 4, 6, 8, 9
_ENTRY = struct.Struct(">IIII")
_COUNTS = struct.Struct(">II")


@dataclass(frozen=True)
class Header:
    """What a package says of itself."""

    entries: dict[int, tuple[int, int, int]]
    data: bytes

    def texts(self, tag: int) -> list[str]:
        """The texts of a tag; none where the package has no such tag."""
        kind, offset, count = self.entries.get(tag, (0, 0, 0))
        if kind not in (_TEXT, _TEXTS, _TRANSLATED):
            return []
        found = []
        for _ in range(count):
            end = self.data.index(b"\0", offset)
            found.append(self.data[offset:end].decode(errors="replace"))
            offset = end + 1
        return found

    def numbers(self, tag: int) -> Sequence[int]:
        """The numbers of a tag."""
        kind, offset, count = self.entries.get(tag, (0, 0, 0))
        return struct.unpack_from(f">{count}I", self.data, offset) if kind == _INT32 else ()

    def text(self, tag: int) -> str:
        return next(iter(self.texts(tag)), "")

    @property
    def version(self) -> str:
        """``3:2.5-1.el9``: with epoch, where there is one, and release."""
        epoch = "".join(f"{number}:" for number in self.numbers(EPOCH))
        return f"{epoch}{self.text(VERSION)}-{self.text(RELEASE)}"

    def files(self) -> list[str]:
        """The paths of all files, folders and links of the package."""
        folders = self.texts(FOLDER_NAMES)
        names, indexes = self.texts(BASE_NAMES), self.numbers(FOLDER_INDEXES)
        if not names:
            return self.texts(OLD_FILE_NAMES)
        return [folders[index] + name for name, index in zip(names, indexes, strict=True)]

    def digests(self) -> dict[str, str]:
        """The sum of each file that has content, by path."""
        pairs = zip(self.files(), self.texts(FILE_DIGESTS), strict=False)
        return {path: digest for path, digest in pairs if digest}


def parse(blob: bytes) -> Header:
    """A header without magic before it.

    :raises ValueError: when it is none.
    """
    header, end = _parse(blob, 0)
    if end > len(blob):
        raise ValueError("an RPM header is cut off")
    return header


def stream(content: bytes) -> Iterator[Header]:
    """Headers one after another, each behind the magic, as ``rpmdb --exportdb`` writes them."""
    position = 0
    while content.startswith(MAGIC, position):
        header, position = _parse(content, position + len(MAGIC))
        yield header


def _parse(blob: bytes, start: int) -> tuple[Header, int]:
    try:
        count, size = _COUNTS.unpack_from(blob, start)
        first = start + _COUNTS.size
        entries: dict[int, tuple[int, int, int]] = {}
        for number in range(count):
            tag, kind, offset, items = _ENTRY.unpack_from(blob, first + number * _ENTRY.size)
            entries.setdefault(tag, (kind, offset, items))
    except struct.error:
        raise ValueError("an RPM header is cut off") from None
    data = first + count * _ENTRY.size
    return Header(entries, blob[data : data + size]), data + size
