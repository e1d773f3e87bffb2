"""Which kernel modules an initial RAM disk holds."""

import gzip
import lzma
import subprocess
from pathlib import Path

import pytest

from imagecycle.verify import ram_disk


def archive(folder: Path, *names: str) -> bytes:
    """A cpio archive with empty files of these names, as the kernel reads it."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    argv = ["cpio", "--quiet", "-o", "-H", "newc"]
    listing = "\n".join(names).encode()
    return subprocess.run(
        argv, cwd=folder, input=listing, stdout=subprocess.PIPE, check=True
    ).stdout


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, zstd])
def test_modules_are_found_whatever_the_compression(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    image = pack(archive(tmp_path, "lib/modules/6/virtio-blk.ko", "lib/modules/6/sd_mod.ko.xz"))
    assert ram_disk.modules(image) == {"virtio_blk", "sd_mod"}


def test_an_archive_before_the_packed_one_is_passed(tmp_path: Path) -> None:
    early = archive(tmp_path, "kernel/x86/microcode/GenuineIntel.bin")
    image = early + zstd(archive(tmp_path, "usr/lib/modules/6/virtio_pci.ko.zst"))
    assert ram_disk.modules(image) == {"virtio_pci"}


@pytest.mark.parametrize("image", [b"nonsense", b"\x02\x21\x4c\x18 as lz4 packs it"])
def test_what_is_packed_in_another_way_is_not_judged(image: bytes) -> None:
    assert ram_disk.modules(image) is None


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, zstd])
def test_what_was_cut_off_is_broken(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    image = pack(archive(tmp_path, *(f"lib/modules/6/{number}.ko" for number in range(50))))
    with pytest.raises(ram_disk.Broken):
        ram_disk.modules(image[: len(image) // 2])


@pytest.mark.parametrize("image", [b"\x28\xb5\x2f\xfdnonsense", b"\x1f\x8bnonsense", b"070701"])
def test_what_is_none_is_broken(image: bytes) -> None:
    with pytest.raises(ram_disk.Broken):
        ram_disk.modules(image)
