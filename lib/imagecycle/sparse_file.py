"""Reading a file that is mostly holes, without reading the holes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import BinaryIO


def pieces(stream: BinaryIO, size: int, length: int) -> Iterator[memoryview]:
    """The first bytes of a file in pieces, the zeros of its holes included.

    A piece is good until the next one is asked for. What is no file has no holes.

    :param size: how many bytes to give, from the beginning.
    :param length: of a piece, in bytes, at most.
    :raises OSError: when the file is shorter than ``size``.
    """
    buffer, zeros = memoryview(bytearray(length)), memoryview(bytes(length))
    stream.seek(0)
    position = 0
    for begin, end in _data(stream, size):
        while position < begin:
            piece = zeros[: begin - position]
            position += len(piece)
            yield piece
        stream.seek(begin)
        while position < end:
            count = stream.readinto(buffer[: end - position])  # type: ignore[attr-defined]
            if not count:
                raise OSError(f"the file ended after {position} of {size} bytes")
            position += count
            yield buffer[:count]


def _data(stream: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Where data begins and ends; the last one, perhaps empty, ends with the file."""
    try:
        descriptor = stream.fileno()
        length = os.fstat(descriptor).st_size
    except OSError:
        yield 0, size
        return
    position = 0
    while position < min(size, length):
        try:
            begin = os.lseek(descriptor, position, os.SEEK_DATA)
            end = os.lseek(descriptor, begin, os.SEEK_HOLE)
        except OSError as error:
            # no data is left; or the file system does not tell
            begin = length if error.errno == errno.ENXIO else position
            end = length
        yield min(begin, size), min(end, size)
        position = end
    if length < size:
        yield length, size
