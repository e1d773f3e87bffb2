"""The words on a graphical screen, read by tesseract.

Windows shows what it waits for in windows of its own, and writes it nowhere else. Where the program
is not installed, no words are read, and nothing is decided from a screen.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from imagecycle import command
from imagecycle.errors import ImagecycleError

PROGRAM = "tesseract"
TIME_LIMIT = 60.0
_HEAD = re.compile(rb"P6\s+(\d+)\s+(\d+)\s+255\s", re.ASCII)


def available() -> bool:
    """Whether screens can be read here."""
    return shutil.which(PROGRAM) is not None


def read(picture: Path) -> str:
    """The words on a picture in PNG or PPM, line by line; empty where they cannot be read."""
    if not available():
        return ""
    try:
        content = _doubled(picture.read_bytes())
        with tempfile.NamedTemporaryFile(suffix=".pnm") as file:
            file.write(content)
            file.flush()
            argv = [PROGRAM, file.name, "-", "--psm", "11"]
            shown = command.run(argv, timeout=TIME_LIMIT, env={"OMP_THREAD_LIMIT": "1"}).stdout
    except (OSError, ImagecycleError):
        return ""
    return "\n".join(line.strip() for line in shown.splitlines() if line.strip())


def _doubled(content: bytes) -> bytes:
    """A PPM in shades of grey and twice as large: letters of a screen are too small to be read."""
    head = _HEAD.match(content)
    if head is None:
        return content
    width, height = int(head[1]), int(head[2])
    grey = content[head.end() + 1 :: 3][: width * height]  # green is nearly as light as all three
    wide = bytearray(2 * len(grey))
    wide[::2] = wide[1::2] = grey
    rows = (bytes(wide[at : at + 2 * width]) for at in range(0, len(wide), 2 * width))
    return b"P5\n%d %d\n255\n" % (2 * width, 2 * height) + b"".join(row + row for row in rows)
