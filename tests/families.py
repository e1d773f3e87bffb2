"""A family and the artifacts of its releases, for tests of what comes after verification."""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagecycle.artifacts import Artifact, checksums
from imagecycle.model import Family, Media, Release

FAMILY = Family(
    slug="debian-12-x86_64-server",
    title="Debian 12 Server",
    distro="debian",
    version="12",
    codename="bookworm",
    os_type="linux",
    arch="x86_64",
    flavour="server",
    description="",
    oz_name="Debian",
    oz_version="12",
    media=Media("tree"),
    unattended=Path("debian.preseed.j2"),
    admin_user="debian",
    disk_gib=3,
    min_ram_mib=512,
    install_memory_mib=1024,
    firmware=("bios",),
    packages=(),
    files=(),
    commands=(),
    properties={"hw_disk_bus": "virtio"},
    leave_out_checks=(),
    explained=(),
    end_of_support=None,
    source=Path("images/debian-12.yaml"),
)


def family(**changes: Any) -> Family:
    return dataclasses.replace(FAMILY, **changes)


def qcow2(path: Path, size: int) -> None:
    """A file that a format inspector takes for a disk of 1 GiB: a header, then noise."""
    header = bytearray(104)
    header[0:8] = b"QFI\xfb" + (3).to_bytes(4, "big")
    header[20:24] = (16).to_bytes(4, "big")  # clusters of 64 KiB
    header[24:32] = (2**30).to_bytes(8, "big")
    header[36:40] = (2).to_bytes(4, "big")  # the first-level table
    header[40:48] = (3 * 2**16).to_bytes(8, "big")
    header[48:56] = (2**16).to_bytes(8, "big")
    header[56:60] = (1).to_bytes(4, "big")
    header[96:100] = (4).to_bytes(4, "big")
    header[100:104] = (104).to_bytes(4, "big")
    with path.open("wb") as stream:
        stream.write(header)
        left = size - len(header)
        while left > 0:
            left -= stream.write(os.urandom(min(left, 2**20)))


def artifact(
    root: Path, release: str, *, size: int = 3 * 2**20, packages: Mapping[str, str] | None = None
) -> Artifact:
    """A release that was built and verified, as the earlier stages leave it.

    :param packages: that are in it, with their versions; None leaves no list.
    """
    folder = root / FAMILY.slug / release
    folder.mkdir(parents=True)
    made = Artifact(FAMILY.slug, Release.parse(release), folder)
    qcow2(made.disk, size)
    sums = checksums(made.disk)
    build = {
        "family": FAMILY.slug,
        "release": release,
        "input_digest": "17" * 32,
        "disk": {
            "file": "disk.qcow2",
            "format": "qcow2",
            "size": size,
            "virtual_size": 2**30,
            **sums,
        },
        "built_at": "2026-11-22T12:00:00+00:00",
    }
    verify = {
        "verdict": "passed",
        "disk_sha256": sums["sha256"],
        "started_at": "2026-11-22T12:08:30+00:00",
        "ended_at": "2026-11-22T12:10:00+00:00",
        "checks": [{"outcome": "passed"}, {"outcome": "passed"}, {"outcome": "left out"}],
    }
    records: dict[str, Any] = {"build": build, "verify": verify}
    if packages is not None:
        listed = [{"name": name, "version": version} for name, version in packages.items()]
        records["packages"] = {"packages": listed}
    for name, record in records.items():
        (folder / f"{name}.json").write_text(json.dumps(record))
    return made
