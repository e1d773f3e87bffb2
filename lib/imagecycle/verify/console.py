"""What a machine says on its serial console, and the words after which it will never be ready."""

from __future__ import annotations

import re
import time
from pathlib import Path

KEPT_BYTES = 8 * 2**20
"""More than any boot prints; the rest of an endless log is left out."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>c78]|\r|\x00|\x07")

FATAL = {
    "No bootable device": "the firmware found nothing to boot on the disk",
    "BdsDxe: No bootable option or device was found": "the firmware found nothing to boot",
    "UEFI Interactive Shell": "the firmware found nothing to boot and opened its shell",
    "grub rescue>": "GRUB found neither its modules nor its configuration",
    "Kernel panic - not syncing": "the kernel panicked",
    "(initramfs)": "the initial RAM disk found no root file system",
    "Entering emergency mode": "the initial RAM disk gave up",
    "Datasource DataSourceNone": "contextualisation did not find the config drive",
    "You are in emergency mode": "systemd gave up and entered emergency mode",
}
"""Seen on the console or in the firmware's log, and what a person would say of it."""

_FINISHED = re.compile(r"Cloud-init v\. \S+ finished at")


def read(path: Path) -> str:
    """The text of a console log without what only a terminal understands; empty if there is none.

    A line that was drawn again with carriage returns appears once for each drawing.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(KEPT_BYTES)
    except FileNotFoundError:
        return ""
    return _ESCAPES.sub("", raw.decode(errors="replace"))


def fatal(text: str) -> str | None:
    """Why a machine that printed ``text`` will not come up; None while it still may."""
    for sign, meaning in FATAL.items():
        if sign in text:
            return meaning
    return None


class Watch:
    """Looks at console logs as they grow, each byte about once."""

    OVERLAP = 200

    def __init__(self, *paths: Path) -> None:
        self._seen = dict.fromkeys(paths, 0)
        self.finished: float | None = None
        """``time.monotonic()`` when contextualisation was seen to have finished"""

    def fatal(self) -> str | None:
        """What :func:`fatal` says of the text that has come since the last call."""
        for path, seen in self._seen.items():
            if not path.exists() or path.stat().st_size == seen:
                continue
            with path.open("rb") as stream:
                stream.seek(max(0, seen - self.OVERLAP))
                fresh = stream.read(KEPT_BYTES)
                self._seen[path] = stream.tell()
            text = _ESCAPES.sub("", fresh.decode(errors="replace"))
            if meaning := fatal(text):
                return meaning
            if self.finished is None and _FINISHED.search(text):
                self.finished = time.monotonic()
        return None
