"""The finished disk in the formats that clouds want, each made once and kept beside it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagecycle import command, log
from imagecycle.artifacts import CHUNK, Artifact, lock_file, write_json
from imagecycle.build.disk import CONVERT_TIMEOUT, data_in, need_room
from imagecycle.errors import ImagecycleError
from imagecycle.sparse_file import pieces

RECORD = "formats"
_OPTIONS = {"raw": (), "vmdk": ("-o", "subformat=streamOptimized")}
"""Of ``qemu-img convert``: a stream-optimized vmdk is what can be sent and what Glance accepts"""
_GROWTH = {"raw": 1.0, "vmdk": 0.75}
"""Of the data in a disk, in bytes on disk: vmdk is compressed"""


@dataclass(frozen=True)
class Disk:
    """A release's disk as a cloud gets it."""

    path: Path
    format: str
    size: int
    """Of the file, in bytes"""
    hashes: Mapping[str, str]
    """Hexadecimal digests by the algorithm's name"""
    others: tuple[Mapping[str, str], ...] = field(default=())
    """Digests of the same disk in other formats"""


def convert(artifact: Artifact, original: Disk, wanted: str) -> Disk:
    """The disk in the wanted format: itself, the one made before, or one made now.

    :param original: as it was built and verified, with its sha512.
    :raises ImagecycleError: when it cannot be converted; nothing half-made is left.
    """
    lock = artifact.folder / ".formats.lock"
    if wanted == original.format and artifact.record(RECORD) is None:
        return original
    with lock_file(lock, str(artifact.folder), f"converting to {wanted}", wait=CONVERT_TIMEOUT):
        record = _valid(artifact, original)
        if wanted == original.format:
            return _with_others(original, record)
        path = artifact.folder / f"disk.{wanted}"
        known = record.get(wanted)
        if known is None or not path.exists() or path.stat().st_size != known["size"]:
            with log.step(f"converting the disk to {wanted}"):
                known = _convert(original, path, wanted)
            record[wanted] = known
            write_json(artifact.folder / f"{RECORD}.json", record)
        made = Disk(path, wanted, known["size"], {"sha512": known["sha512"]})
        others = {name: entry for name, entry in record.items() if name != wanted}
        return _with_others(made, others, original)


def _valid(artifact: Artifact, original: Disk) -> dict[str, Any]:
    """What was made from this very disk before."""
    record = artifact.record(RECORD) or {}
    return {
        name: entry
        for name, entry in record.items()
        if isinstance(entry, dict) and entry.get("of") == original.hashes["sha512"]
    }


def _with_others(disk: Disk, record: Mapping[str, Any], original: Disk | None = None) -> Disk:
    others = [{"sha512": entry["sha512"]} for entry in record.values()]
    if original is not None:
        others.insert(0, dict(original.hashes))
    return Disk(disk.path, disk.format, disk.size, disk.hashes, tuple(others))


def _convert(original: Disk, path: Path, wanted: str) -> dict[str, Any]:
    need_room(path.parent, int(data_in(original.path) * _GROWTH[wanted]))
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    made = Path(name)
    try:
        hint = "is there room on the disk? see `imagecycle doctor`"
        argv = ["qemu-img", "convert", "-f", original.format, "-O", wanted, *_OPTIONS[wanted]]
        command.run([*argv, str(original.path), name], timeout=CONVERT_TIMEOUT, hint=hint)
        hint = "the disk of this machine may be faulty"
        argv = ["qemu-img", "compare", "-f", original.format, "-F", wanted]
        command.run([*argv, str(original.path), name], timeout=CONVERT_TIMEOUT, hint=hint)
        found = {
            "of": original.hashes["sha512"],
            "size": made.stat().st_size,
            "sha512": _sha512(made),
        }
        made.chmod(0o644)
        made.replace(path)
        return found
    finally:
        made.unlink(missing_ok=True)


def _sha512(path: Path) -> str:
    digest, size = hashlib.sha512(), path.stat().st_size
    try:
        with path.open("rb") as stream:
            for piece in pieces(stream, size, CHUNK):
                digest.update(piece)
    except OSError as error:
        raise ImagecycleError(
            f"cannot read {path}: {error}", hint="look at the artifact folder's file system"
        ) from None
    return digest.hexdigest()
