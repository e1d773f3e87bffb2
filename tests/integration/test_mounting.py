"""Disks with several file systems: all are looked into, and none leads out of the folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from imagecycle.build import mounting, offline, partitions
from imagecycle.errors import ImagecycleError

pytestmark = [pytest.mark.integration, pytest.mark.machines]

MIB = 2**20
ROOT, BOOT, EFI, DATA = range(1, 5)
SIZES = {ROOT: 128, BOOT: 16, EFI: 34, DATA: 112}
"""In MiB; Btrfs wants at least 109"""
FSTAB = """\
# the root
UUID=11111111-1111-1111-1111-111111111111 / ext4 defaults 0 1
LABEL=boot /boot ext4 defaults 0 2
UUID=ABCD-0123 /boot/efi vfat umask=0077 0 2
PARTLABEL=data /srv btrfs subvol=/inner,noatime 0 0
UUID=99999999-1111-1111-1111-111111111111 /missing ext4 nofail 0 2
LABEL=boot /leak ext4 defaults 0 2
LABEL=boot /../../..{outside} ext4 defaults 0 2
"""


def run(*words: object, stdin: str | None = None) -> None:
    argv = [str(word) for word in words]
    subprocess.run(argv, check=True, timeout=60, capture_output=True, input=stdin, text=True)


def files(folder: Path, **contents: str) -> Path:
    for name, words in contents.items():
        place = folder / name.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(words)
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@pytest.fixture
def disk(tmp_path: Path, outside: Path) -> Path:
    """A root, a /boot, an EFI partition, and a subvolume of Btrfs."""
    made, part = tmp_path / "disk.raw", tmp_path / "part"
    table = "label: gpt\n"
    table += "".join(
        f"size={size}MiB, name={'data' if number == DATA else 'part'}\n"
        for number, size in SIZES.items()
    )
    with made.open("wb") as stream:
        stream.truncate((sum(SIZES.values()) + 4) * MIB)
    run("sfdisk", "--quiet", made, stdin=table)
    root = files(tmp_path / "root", etc__fstab=FSTAB.format(outside=outside))
    for name in ("boot/efi", "srv", "missing"):
        (root / name).mkdir(parents=True)
    (root / "leak").symlink_to(outside)
    boot = files(tmp_path / "boot", vmlinuz="kernel")
    (boot / "efi").mkdir()
    data = files(tmp_path / "data", other="of the top")
    uuid = "11111111-1111-1111-1111-111111111111"
    commands = {
        ROOT: ("mkfs.ext4", "-q", "-U", uuid, "-d", root, part),
        BOOT: ("mkfs.ext4", "-q", "-L", "boot", "-d", boot, part),
        EFI: ("mkfs.vfat", "-i", "ABCD0123", part),
        DATA: ("mkfs.btrfs", "-q", "-r", data, part),
    }
    for one in partitions.partitions(made):
        with part.open("wb") as stream:
            stream.truncate(one.size)
        run(*commands[one.number])
        run("dd", f"if={part}", f"of={made}", "bs=1M", f"seek={one.start // MIB}", "conv=notrunc")
        part.unlink()
    with_subvolume(made, tmp_path / "point")
    return made


def with_subvolume(disk: Path, point: Path) -> None:
    point.mkdir()
    data = partitions.partitions(disk)[DATA - 1]
    run("mount", "-o", f"loop,offset={data.start},sizelimit={data.size}", disk, point)
    try:
        run("btrfs", "subvolume", "create", point / "inner")
        (point / "inner/found").write_text("in the subvolume")
    finally:
        run("umount", point)


def test_file_systems_are_where_fstab_has_them(disk: Path, tmp_path: Path, outside: Path) -> None:
    before = disk.read_bytes()
    with offline.opened(disk, tmp_path, read_only=True) as system:
        paths = {entry.path for entry in system.entries()}
        assert system.read("/boot/vmlinuz") == b"kernel"
        assert system.read("/srv/found") == b"in the subvolume"
        assert list(outside.iterdir()) == []
    assert {"/etc/fstab", "/boot/vmlinuz", "/boot/efi", "/srv/found", "/missing"} <= paths
    assert "/srv/other" not in paths
    assert str(tmp_path) not in mounting.MOUNTS.read_text()
    assert disk.read_bytes() == before


def test_disk_without_a_file_system_is_named(tmp_path: Path) -> None:
    disk = tmp_path / "disk.raw"
    disk.write_bytes(bytes(MIB))
    with (
        pytest.raises(ImagecycleError, match="there is no file system on it"),
        offline.opened(disk, tmp_path),
    ):
        pass
