"""A disk is made larger, with its root partition and the file system in it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from imagecycle.build import disk, offline
from imagecycle.errors import ImagecycleError

pytestmark = pytest.mark.integration

MIB = 2**20
KINDS = {"ext4": (["mke2fs", "-q", "-t", "ext4"], 48), "btrfs": (["mkfs.btrfs", "-q"], 160)}
KINDS |= {"xfs": (["mkfs.xfs", "-q"], 320)}
TABLE = "start={small}, size=2048, type=uefi\nstart={large}, size={size}, type=linux\n"


def made(folder: Path, kind: str, label: str = "gpt", *, last: bool = True) -> Path:
    """A disk with a small partition and a large one, in which there is a file."""
    words, size = KINDS[kind]
    system, raw = folder / "system", folder / "disk.raw"
    with system.open("wb") as stream:
        stream.truncate(size * MIB)
    subprocess.run([*words, system], check=True, timeout=60, capture_output=True)
    small, large = (2048, 4096) if last else (4096 + size * 2048, 4096)
    with raw.open("wb") as stream:
        stream.seek(large * 512)
        stream.write(system.read_bytes())
        stream.truncate((size + 5) * MIB)
    table = f"label: {label}\n{TABLE.format(small=small, large=large, size=size * 2048)}"
    table = table.replace("uefi", "ef") if label == "dos" else table
    argv = ["sfdisk", "-q", raw]
    subprocess.run(argv, input=table.encode(), check=True, timeout=60, capture_output=True)
    with offline.mounted(raw, folder, read_only=False) as files:
        files.write("/etc/hostname", b"server", 0o644)
    return raw


@pytest.mark.parametrize(
    ("kind", "label"), [("ext4", "gpt"), ("ext4", "dos"), ("btrfs", "gpt"), ("xfs", "gpt")]
)
def test_the_room_grows_and_what_is_there_stays(kind: str, label: str, tmp_path: Path) -> None:
    raw = made(tmp_path, kind, label)
    with offline.opened(raw, tmp_path) as files:
        before = files.room()
    size = raw.stat().st_size + 100 * MIB
    disk.enlarge(raw, size)
    offline.grow(raw, tmp_path)
    with offline.opened(raw, tmp_path) as files:
        assert files.room() > before + 80 * MIB
        assert files.read("/etc/hostname") == b"server"
    assert raw.stat().st_size == size
    argv = ["sfdisk", "--verify", raw]
    said = subprocess.run(argv, check=True, timeout=60, capture_output=True, text=True)
    assert "backup GPT" not in said.stdout + said.stderr
    argv = ["sfdisk", "--json", raw]
    shown = subprocess.run(argv, check=True, timeout=60, capture_output=True, text=True).stdout
    assert json.loads(shown)["partitiontable"]["partitions"][0]["size"] == 2048


def test_a_root_partition_that_is_not_the_last_is_left_alone(tmp_path: Path) -> None:
    raw = made(tmp_path, "ext4", last=False)
    before = raw.read_bytes()
    with pytest.raises(ImagecycleError, match="its root partition is not the last one"):
        disk.enlarge(raw, 200 * MIB)
    assert raw.read_bytes() == before
