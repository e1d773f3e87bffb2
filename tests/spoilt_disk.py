"""Changes the system on a disk that does not run, to make defects for verification to find.

The disk itself is never touched: changes go into a copy-on-write overlay, which is offered as a
raw file by QEMU's storage daemon and mounted through a loop device.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

LIMIT = 120.0
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
LINUX_ROOT = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
EFI_SYSTEM = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"


def overlay(disk: Path, made: Path) -> Path:
    """A copy-on-write overlay of a disk."""
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(disk.resolve())]
    subprocess.run([*argv, str(made)], check=True, timeout=LIMIT)
    return made


@contextlib.contextmanager
def raw(disk: Path) -> Iterator[Path]:
    """A qcow2 disk as a raw file that can be written, for the length of a ``with`` block."""
    with tempfile.TemporaryDirectory(prefix="sabotage-") as name:
        point, ready = Path(name) / "disk", Path(name) / "ready"
        point.touch()
        argv = [
            "qemu-storage-daemon",
            *("--blockdev", f"driver=file,node-name=file,filename={disk.resolve()}"),
            *("--blockdev", "driver=qcow2,node-name=disk,file=file,discard=unmap"),
            *("--export", f"fuse,id=fuse,node-name=disk,mountpoint={point},writable=on"),
            *("--pidfile", str(ready)),
        ]
        daemon = subprocess.Popen(argv)
        try:
            deadline = time.monotonic() + LIMIT
            while not ready.exists():
                assert daemon.poll() is None, "the storage daemon has ended"
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield point
        finally:
            daemon.terminate()
            daemon.wait(LIMIT)


def partitions(image: Path) -> list[dict[str, int | str]]:
    """The partition table, as sfdisk shows it."""
    argv = ["sfdisk", "--json", str(image)]
    shown = subprocess.run(argv, check=True, timeout=LIMIT, capture_output=True, text=True)
    found: list[dict[str, int | str]] = json.loads(shown.stdout)["partitiontable"]["partitions"]
    return found


@contextlib.contextmanager
def mounted(image: Path, kinds: tuple[str, ...] = (LINUX, LINUX_ROOT)) -> Iterator[Path]:
    """The first partition of a kind, mounted."""
    part = next(p for p in partitions(image) if p["type"] in kinds)
    start, size = int(part["start"]) * 512, int(part["size"]) * 512
    with tempfile.TemporaryDirectory(prefix="sabotage-") as point:
        options = f"loop,offset={start},sizelimit={size}"
        subprocess.run(["mount", "-o", options, image, point], check=True, timeout=LIMIT)
        try:
            yield Path(point)
        finally:
            subprocess.run(["umount", point], check=True, timeout=LIMIT)


@contextlib.contextmanager
def root_of(disk: Path, made: Path) -> Iterator[Path]:
    """The root file system of an overlay ``made`` from a disk, mounted for changes."""
    overlay(disk, made)
    with raw(made) as image, mounted(image) as root:
        yield root
