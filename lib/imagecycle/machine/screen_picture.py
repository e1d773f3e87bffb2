"""A picture of a machine's screen, and whether another one shows the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

from imagecycle.errors import ImagecycleError

CURSOR = (32, 24)
"""Pixels within which a change is taken for a blinking cursor"""
_FORMATS = ("PPM", "PNG")
"""In which QEMU and libvirt write what a screen shows"""


@dataclass(frozen=True)
class ScreenPicture:
    """What a screen showed at one moment."""

    size: tuple[int, int]
    """Width and height in pixels"""
    pixels: bytes
    """Red, green and blue of each, row by row"""

    def resembles(self, other: ScreenPicture) -> bool:
        """Whether both differ by no more than a cursor."""
        if self.size != other.size:
            return False
        if self.pixels == other.pixels:
            return True
        changed = ImageChops.difference(self._image(), other._image()).getbbox()
        assert changed is not None
        left, top, right, bottom = changed
        return right - left <= CURSOR[0] and bottom - top <= CURSOR[1]

    def _image(self) -> Image.Image:
        return Image.frombytes("RGB", self.size, self.pixels)


def read(path: Path) -> ScreenPicture:
    """A picture in PPM or PNG.

    :raises ImagecycleError: when it is none.
    """
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            return ScreenPicture(picture.size, picture.convert("RGB").tobytes())
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImagecycleError(f"no picture of the screen: {error}") from None


def enlarge(path: Path, into: Path) -> None:
    """Write a picture twice as large, in shades of grey.

    Letters of a screen are too small for programs that read them.

    :param into: its name says the format.
    :raises ImagecycleError: when the first is no picture.
    """
    found = read(path)
    width, height = found.size
    # green is nearly as light as all three together, and leaves blue screens their contrast
    grey = found._image().getchannel("G")
    grey.resize((2 * width, 2 * height), Image.Resampling.NEAREST).save(into)
