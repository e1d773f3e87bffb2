import subprocess
from pathlib import Path

import pytest

from imagecycle.verify import ext4

MIB = 2**20
TABLE = "label: {label}\nstart=2048, size=8192, type={kind}\nstart=10240, size=16384, type={kind}\n"


def disk(folder: Path, label: str, kind: str) -> Path:
    """A qcow2 disk with two partitions, an ext4 file system on the second."""
    raw = folder / "disk.raw"
    with raw.open("wb") as stream:
        stream.truncate(16 * MIB)
    table = TABLE.format(label=label, kind=kind)
    subprocess.run(["sfdisk", "-q", raw], input=table.encode(), check=True, timeout=60)
    where = f"offset={10240 * 512}"
    subprocess.run(["mkfs.ext4", "-q", "-E", where, raw, "8M"], check=True, timeout=60)
    return raw


def qcow2(raw: Path) -> Path:
    made = raw.with_suffix(".qcow2")
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, made]
    subprocess.run(argv, check=True, timeout=60)
    return made


def spoil(raw: Path, offset: int, value: bytes) -> None:
    with raw.open("r+b") as stream:
        stream.seek(10240 * 512 + 1024 + offset)
        stream.write(value)


LABELS = [("gpt", "linux"), ("dos", "83")]


@pytest.mark.parametrize(("label", "kind"), LABELS)
def test_clean_file_system_is_clean(tmp_path: Path, label: str, kind: str) -> None:
    assert ext4.unclean(qcow2(disk(tmp_path, label, kind))) == []


@pytest.mark.parametrize(("label", "kind"), LABELS)
def test_journal_to_be_replayed_is_seen(tmp_path: Path, label: str, kind: str) -> None:
    raw = disk(tmp_path, label, kind)
    spoil(raw, 96, (0x42 | 0x4).to_bytes(4, "little"))
    assert ext4.unclean(qcow2(raw)) == ["partition 2"]


def test_file_system_with_errors_is_seen(tmp_path: Path) -> None:
    raw = disk(tmp_path, "gpt", "linux")
    spoil(raw, 58, (0x2).to_bytes(2, "little"))
    assert ext4.unclean(qcow2(raw)) == ["partition 2"]
