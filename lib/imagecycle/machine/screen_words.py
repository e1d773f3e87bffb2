"""The words on a graphical screen, read by tesseract.

Windows shows what it waits for in windows of its own, and writes it nowhere else. Where the program
is not installed, no words are read, and nothing is decided from a screen.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from imagecycle import command
from imagecycle.errors import ImagecycleError
from imagecycle.machine import screen_picture

PROGRAM = "tesseract"
TIME_LIMIT = 60.0


def available() -> bool:
    """Whether screens can be read here."""
    return shutil.which(PROGRAM) is not None


def read(picture: Path) -> str:
    """The words on a picture in PNG or PPM, line by line; empty where they cannot be read."""
    if not available():
        return ""
    try:
        with tempfile.NamedTemporaryFile(suffix=".pgm") as file:
            screen_picture.enlarge(picture, Path(file.name))
            argv = [PROGRAM, file.name, "-", "--psm", "11"]
            shown = command.run(argv, timeout=TIME_LIMIT, env={"OMP_THREAD_LIMIT": "1"}).stdout
    except (OSError, ImagecycleError):
        return ""
    return "\n".join(line.strip() for line in shown.splitlines() if line.strip())
