"""Files that are no disk a cloud could boot, or not by themselves."""

import subprocess
from pathlib import Path

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.machine import disk_image

HINT = "build it again"


def qemu_img(*words: object) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, timeout=60, capture_output=True)


def made(folder: Path, *options: object) -> Path:
    disk = folder / "disk.qcow2"
    qemu_img("create", "-f", "qcow2", *options, disk, "64M")
    return disk


def refusal(disk: Path) -> str:
    with pytest.raises(ImagecycleError) as caught:
        disk_image.check(disk, HINT)
    assert caught.value.hint == HINT
    assert caught.value.message.startswith(f"{disk} ")
    return caught.value.message


def test_sound_disk_is_let_through(tmp_path: Path) -> None:
    disk_image.check(made(tmp_path), HINT)


@pytest.mark.parametrize("content", [b"", b"no disk", b"QFI\xfb", bytes(2**20)])
def test_file_that_is_no_disk_is_named(tmp_path: Path, content: bytes) -> None:
    disk = tmp_path / "disk.qcow2"
    disk.write_bytes(content)
    assert "is no qcow2 image" in refusal(disk) or "cannot be read" in refusal(disk)


@pytest.mark.parametrize("kind", ["vmdk", "vdi", "vpc"])
def test_image_of_another_kind_is_named(tmp_path: Path, kind: str) -> None:
    disk = tmp_path / "disk.qcow2"
    qemu_img("create", "-f", kind, disk, "64M")
    assert f"is no qcow2 image but {kind}" in refusal(disk)


def test_disk_that_was_cut_off_is_named(tmp_path: Path) -> None:
    disk, raw = tmp_path / "disk.qcow2", tmp_path / "disk.raw"
    raw.write_bytes(b"data" * 2**20)
    qemu_img("convert", "-f", "raw", "-O", "qcow2", raw, disk)
    with disk.open("r+b") as stream:
        stream.truncate(disk.stat().st_size // 2)
    assert "is cut off" in refusal(disk)


def test_damaged_disk_is_named(tmp_path: Path) -> None:
    disk = made(tmp_path)
    with disk.open("r+b") as stream:
        stream.seek(40)  # where its table of tables is
        stream.write(b"\xff" * 8)
    assert "Active L1 table offset invalid" in refusal(disk)


def test_backing_file_is_named_and_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    qemu_img("create", "-f", "raw", secret, "1M")
    disk = made(tmp_path, "-F", "raw", "-b", secret)
    assert f"it needs the backing file '{secret}'" in refusal(disk)
    secret.unlink()  # found out without opening it
    assert f"it needs the backing file '{secret}'" in refusal(disk)


def test_name_of_a_backing_file_cannot_reach_the_terminal(tmp_path: Path) -> None:
    disk = made(tmp_path, "-F", "raw", "-u", "-b", "x\x1b[2J")
    assert "\x1b" not in refusal(disk)


def test_data_in_another_file_is_named(tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert f"its data is in another file, '{other}'" in refusal(
        made(tmp_path, "-o", f"data_file={other}")
    )


def test_earlier_states_are_named(tmp_path: Path) -> None:
    disk = made(tmp_path)
    qemu_img("snapshot", "-c", "before cleaning", disk)
    assert "earlier states of itself, which whoever has it can read: 'before cleaning'" in refusal(
        disk
    )


def test_disk_that_was_in_use_is_named(tmp_path: Path) -> None:
    disk = made(tmp_path, "-o", "compat=1.1,lazy_refcounts=on")
    with disk.open("r+b") as stream:
        stream.seek(79)  # the lowest byte of its incompatible features
        stream.write(b"\x01")
    assert "was copied while a virtual machine wrote to it" in refusal(disk)


def test_encrypted_disk_is_named(tmp_path: Path) -> None:
    disk = made(tmp_path)
    with disk.open("r+b") as stream:
        stream.seek(32)  # the method of encryption, in the header
        stream.write(b"\0\0\0\1")
    assert "is encrypted" in refusal(disk)


def test_disk_that_claims_to_be_endless_is_named(tmp_path: Path) -> None:
    disk = tmp_path / "disk.qcow2"
    qemu_img("create", "-f", "qcow2", "-o", "cluster_size=2M", disk, "100T")
    assert "100 TiB" in refusal(disk)
