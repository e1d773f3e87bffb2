"""A picture of a machine's screen, and whether another one shows the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imagecycle.errors import ImagecycleError

_PNG = b"\x89PNG"
CURSOR = (32, 24)
"""Pixels within which a change is taken for a blinking cursor"""


@dataclass(frozen=True)
class ScreenPicture:
    """What a screen showed at one moment."""

    size: tuple[int, int]
    pixels: bytes

    def resembles(self, other: ScreenPicture) -> bool:
        """Whether both differ by no more than a cursor."""
        if self.size != other.size or len(self.pixels) != len(other.pixels):
            return False
        if self.pixels == other.pixels:
            return True
        if self.size == (0, 0):  # packed
            return False
        width = self.size[0] * 3
        starts = range(0, len(self.pixels), width)
        differing = [
            at for at in starts if self.pixels[at : at + width] != other.pixels[at : at + width]
        ]
        if differing[-1] - differing[0] > CURSOR[1] * width:
            return False
        columns = [
            at
            for start in differing
            for at in range(width)
            if self.pixels[start + at] != other.pixels[start + at]
        ]
        return max(columns) - min(columns) <= CURSOR[0] * 3


def read(path: Path) -> ScreenPicture:
    """A picture in the format PPM (P6), as QEMU writes it; one in PNG is not unpacked.

    :raises ImagecycleError: when it is none.
    """
    try:
        content = path.read_bytes()
        if content.startswith(_PNG):
            return ScreenPicture((0, 0), content)
        kind, width, height, _depth = content.split(None, 4)[:4]
        size = (int(width), int(height))
    except (OSError, ValueError) as error:
        raise ImagecycleError(f"no picture of the screen: {error}") from None
    if kind != b"P6":
        raise ImagecycleError("no picture of the screen: an unknown format")
    return ScreenPicture(size, content[-size[0] * size[1] * 3 :])
