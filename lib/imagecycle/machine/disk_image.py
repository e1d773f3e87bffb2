"""Whether the file of a release's disk is one that a cloud can boot by itself.

A qcow2 file may be cut off, or lean on other files: on a backing file, which holds what it leaves
out, or on one that holds all of its data. QEMU follows such names wherever they lead, to files of
this machine that are nobody's image. Clouds refuse them, and so does verification, before anything
is opened that a name in the file leads to. It may also hold snapshots, earlier states with whatever
was cleaned away since.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from imagecycle import command
from imagecycle.errors import ImagecycleError

QEMU_IMG = "qemu-img"
MAGIC = b"QFI\xfb"
INFO_LIMIT = 60.0
CHECK_LIMIT = 300.0
LARGEST = 8 * 2**40
"""Bytes; no file system that this is likely to run on holds larger files"""
_UNREADABLE = (1, 2)
"""``qemu-img check`` exits with them when it could not look, and when it has found errors"""
_BEYOND = "exceeding the end of the file"


def check(disk: Path, hint: str) -> None:
    """Look at a disk's own description of itself, and at its tables; not at its data.

    :param hint: the way out.
    :raises ImagecycleError: saying what is wrong with it.
    """
    if wrong := _wrong(disk):
        raise ImagecycleError(f"{disk} {wrong}", hint=hint)


def _wrong(disk: Path) -> str:
    with disk.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            return f"is no qcow2 image{_instead(disk)}"
    argv = [QEMU_IMG, "info", "--output=json", "-f", "qcow2", "--force-share", str(disk)]
    shown = command.run(argv, timeout=INFO_LIMIT, check=False)
    if shown.returncode:
        return f"cannot be read: {_last_words(shown.stderr, disk)}"
    return _leans_on_others(json.loads(shown.stdout)) or _damage(disk)


def _leans_on_others(described: dict[str, Any]) -> str:
    more = described.get("format-specific", {}).get("data", {})
    if backing := described.get("backing-filename"):
        return f"is not whole: it needs the backing file {backing!a}"
    if data := more.get("data-file"):
        return f"is not whole: its data is in another file, {data!a}"
    if described.get("encrypted") or more.get("encrypt"):
        return "is encrypted, and no cloud has its key"
    if kept := described.get("snapshots"):
        names = ", ".join(ascii(str(one.get("name", ""))) for one in kept[:3])
        return f"carries earlier states of itself, which whoever has it can read: {names}"
    if described.get("dirty-flag"):
        return "was copied while a virtual machine wrote to it"
    if int(described["virtual-size"]) > LARGEST:
        size = int(described["virtual-size"]) // 2**40
        return f"claims to be {size} TiB large, and at most {LARGEST // 2**40} TiB are tried"
    return ""


def _damage(disk: Path) -> str:
    argv = [QEMU_IMG, "check", "-f", "qcow2", "--force-share", str(disk)]
    checked = command.run(argv, timeout=CHECK_LIMIT, check=False)
    if checked.returncode not in _UNREADABLE:
        return ""
    said = checked.stdout + checked.stderr
    if _BEYOND in said:
        return "is cut off: there should be data where the file has ended"
    first = next((line for line in said.splitlines() if "ERROR" in line), "")
    return f"is damaged: {first or _last_words(said, disk)}"


def _instead(disk: Path) -> str:
    """What another image is, as far as QEMU knows it."""
    shown = command.run(
        [QEMU_IMG, "info", "--output=json", "--force-share", disk], timeout=INFO_LIMIT, check=False
    )
    kind = json.loads(shown.stdout).get("format", "raw") if shown.returncode == 0 else "raw"
    return f" but {kind}" if kind != "raw" else ""


def _last_words(said: str, disk: Path) -> str:
    words = said.strip().splitlines()[-1] if said.strip() else "qemu-img does not say why"
    return words.removeprefix(f"{QEMU_IMG}: ").replace(f"Could not open '{disk}': ", "")
