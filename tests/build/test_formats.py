"""The finished disk in other formats."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from imagecycle.artifacts import Artifact, checksums
from imagecycle.build import formats
from imagecycle.build.formats import Disk
from imagecycle.errors import ImagecycleError
from imagecycle.model import Release

VIRTUAL = 64 * 2**20


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    raw = tmp_path / "raw"
    with raw.open("wb") as stream:
        stream.write(b"boot" * 2**16)
        stream.seek(VIRTUAL // 2)
        stream.write(b"data" * 2**16)
        stream.truncate(VIRTUAL)
    made = Artifact("debian-12-x86_64-server", Release.parse("20261122"), tmp_path / "release")
    made.folder.mkdir()
    subprocess.run(
        ["qemu-img", "convert", "-q", "-c", "-O", "qcow2", raw, made.disk], check=True, timeout=60
    )
    return made


def original(artifact: Artifact) -> Disk:
    return Disk(artifact.disk, "qcow2", artifact.disk.stat().st_size, checksums(artifact.disk))


@pytest.mark.parametrize("wanted", ["raw", "vmdk"])
def test_a_disk_is_converted_once_and_recorded(artifact: Artifact, wanted: str) -> None:
    before = original(artifact)
    made = formats.convert(artifact, before, wanted)
    assert made.path == artifact.folder / f"disk.{wanted}"
    assert made.hashes == {"sha512": hashlib.sha512(made.path.read_bytes()).hexdigest()}
    assert made.size == made.path.stat().st_size
    assert made.others == (before.hashes,)
    when = made.path.stat().st_mtime_ns
    assert formats.convert(artifact, before, wanted) == made
    assert made.path.stat().st_mtime_ns == when
    assert json.loads((artifact.folder / "formats.json").read_text()).keys() == {wanted}


def test_a_raw_disk_keeps_its_holes(artifact: Artifact) -> None:
    made = formats.convert(artifact, original(artifact), "raw")
    assert made.size == VIRTUAL
    assert made.path.stat().st_blocks * 512 < VIRTUAL / 8


def test_the_own_format_is_the_disk_itself_and_knows_the_others(artifact: Artifact) -> None:
    before = original(artifact)
    assert formats.convert(artifact, before, "qcow2") == before
    assert sorted(path.name for path in artifact.folder.iterdir()) == ["disk.qcow2"]
    raw = formats.convert(artifact, before, "raw")
    again = formats.convert(artifact, before, "qcow2")
    assert (again.path, again.others) == (artifact.disk, (raw.hashes,))


def test_what_was_made_from_another_disk_is_made_again(artifact: Artifact) -> None:
    formats.convert(artifact, original(artifact), "raw")
    argv = ["qemu-io", "-f", "qcow2", "-c", "write -P 7 1M 1M", artifact.disk]
    subprocess.run(argv, check=True, timeout=60, stdout=subprocess.DEVNULL)
    made = formats.convert(artifact, original(artifact), "raw")
    with made.path.open("rb") as stream:
        stream.seek(2**20)
        assert stream.read(4) == b"\7\7\7\7"


def test_a_lost_or_cut_file_is_made_again(artifact: Artifact) -> None:
    before = original(artifact)
    made = formats.convert(artifact, before, "raw")
    made.path.unlink()
    assert formats.convert(artifact, before, "raw") == made
    made.path.write_bytes(b"short")
    assert formats.convert(artifact, before, "raw") == made
    assert made.path.stat().st_size == VIRTUAL


def test_what_cannot_be_converted_leaves_nothing(artifact: Artifact) -> None:
    before = original(artifact)
    artifact.disk.write_bytes(b"no disk")
    with pytest.raises(ImagecycleError):
        formats.convert(artifact, before, "raw")
    left = sorted(path.name for path in artifact.folder.iterdir())
    assert left == [".formats.lock", "disk.qcow2"]
