"""The finished disk: compressed, measured, and proven to hold what the installed one held."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from imagecycle import command
from imagecycle.artifacts import checksums
from imagecycle.errors import ImagecycleError

CONVERT_TIMEOUT = 3600.0
_WORKERS = "8"


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a raw disk without its holes, or without copying where the file system can."""
    command.run(
        ["cp", "--sparse=always", "--reflink=auto", source, target], timeout=CONVERT_TIMEOUT
    )


def enlarge(raw: Path, size: int) -> None:
    """Make a raw disk larger, and its last partition, the root's, with it.

    :raises ImagecycleError: when the root partition is not the last one.
    """
    table = json.loads(command.run(["sfdisk", "--json", raw], timeout=30).stdout)["partitiontable"]
    parts = table["partitions"]
    last = max(parts, key=lambda part: int(part["start"]))
    if last is not max(parts, key=lambda part: int(part["size"])):
        raise ImagecycleError(
            "the disk cannot be enlarged: its root partition is not the last one",
            hint="let the answer file make the root partition last",
        )
    number = re.search(r"\d+$", str(last["node"]).removeprefix(str(raw)))
    assert number is not None  # sfdisk names a partition after its disk and its number
    os.truncate(raw, size)
    command.run(
        ["sfdisk", "--quiet", "--no-reread", "--force", "-N", number[0], raw],
        stdin=", +\n",
        timeout=60,
    )


def unpack(disk: Path, raw: Path) -> None:
    """Write a qcow2 disk as a raw one."""
    command.run(
        ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", "-W", "-m", _WORKERS, disk, raw],
        timeout=CONVERT_TIMEOUT,
        hint="is there room on the disk? see `imagecycle doctor`",
    )


def finish(raw: Path, target: Path, compression: str) -> dict[str, Any]:
    """Write a raw disk as qcow2 and say what it is, for the build record.

    :param compression: ``zstd``, ``zlib`` or ``none``.
    """
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-W", "-m", _WORKERS]
    if compression != "none":
        argv += ["-c", "-o", f"compression_type={compression}"]
    command.run(
        [*argv, str(raw), str(target)],
        timeout=CONVERT_TIMEOUT,
        hint="is there room on the disk? see `imagecycle doctor`",
    )
    return {
        "file": target.name,
        "format": "qcow2",
        "compression": compression,
        "size": target.stat().st_size,
        "virtual_size": _virtual_size(target),
        **checksums(target),
    }


def need_room(folder: Path, needed: int) -> None:
    """:raises ImagecycleError: when a folder's file system has less than ``needed`` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ImagecycleError(
            f"{folder} has {free / 2**30:.1f} GiB free, and {needed / 2**30:.1f} GiB are needed",
            hint="remove old releases below `artifacts`, or set another `home` for the site",
        )


def data_in(disk: Path) -> int:
    """Bytes of a disk that are not holes."""
    listed = command.run(["qemu-img", "map", "--output=json", disk], timeout=300).stdout
    return sum(int(one["length"]) for one in json.loads(listed) if one["data"])


def _virtual_size(disk: Path) -> int:
    described = command.run(["qemu-img", "info", "--output=json", disk], timeout=60).stdout
    return int(json.loads(described)["virtual-size"])
