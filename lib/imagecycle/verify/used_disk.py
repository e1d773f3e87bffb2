"""The root file system of a machine that has been running: what its life has left on the disk.

The disk is not unpacked but offered as a raw file by QEMU's storage daemon, where this machine can
do that; that takes a moment. What is written meanwhile, such as the file system's recovery after
a machine was cut off, goes into a layer that is thrown away.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from imagecycle import command
from imagecycle.build import offline
from imagecycle.build.disk import unpack
from imagecycle.errors import ImagecycleError
from imagecycle.machine.virtual_machine import QEMU_IMG
from imagecycle.systems.linux import Linux
from imagecycle.verify.pristine import Pristine

STORAGE_DAEMON = "qemu-storage-daemon"
FUSE = Path("/dev/fuse")
START_LIMIT = 30.0


@contextlib.contextmanager
def opened(disk: Path, scratch: Path, system: Linux) -> Iterator[Pristine]:
    """The root file system of a machine's qcow2 disk, for the length of a ``with`` block.

    :param scratch: a folder that this may fill.
    :raises ImagecycleError: when the disk cannot be read, or holds no system.
    """
    scratch.mkdir(exist_ok=True)
    layer = scratch / "layer.qcow2"
    argv = [QEMU_IMG, "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(disk.resolve())]
    command.run([*argv, str(layer)], timeout=60)
    with _raw(layer, scratch) as raw, offline.opened(raw, scratch) as files:
        yield Pristine(files, system, raw)


@contextlib.contextmanager
def _raw(disk: Path, scratch: Path) -> Iterator[Path]:
    raw = scratch / "disk.raw"
    if not os.access(FUSE, os.R_OK | os.W_OK) or os.geteuid() != 0:
        unpack(disk, raw)
        yield raw
        return
    raw.touch()
    ready = scratch / "ready"
    argv = [
        STORAGE_DAEMON,
        *("--blockdev", f"driver=file,node-name=file,filename={disk}"),
        *("--blockdev", "driver=qcow2,node-name=disk,file=file"),
        *("--export", f"fuse,id=fuse,node-name=disk,mountpoint={raw},writable=on"),
        *("--pidfile", str(ready)),
    ]
    with command.background(argv, output=scratch / "storage.log") as daemon:
        deadline = time.monotonic() + START_LIMIT
        while not ready.exists():
            if daemon.poll() is not None or time.monotonic() > deadline:
                said = (scratch / "storage.log").read_text(errors="replace").strip()
                raise ImagecycleError(f"the disk of a machine cannot be read: {said}")
            time.sleep(0.02)
        yield raw
