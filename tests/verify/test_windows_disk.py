"""The disk of a sealed Windows: its files and registry, and what the checks reject."""

from __future__ import annotations

import inspect
import subprocess
from pathlib import Path

import pytest

import windows_families
from imagecycle.errors import ImagecycleError
from imagecycle.verify import windows_declared, windows_disk
from imagecycle.verify.windows_disk import WindowsDisk
from sabotages import windows, windows_disks
from standin.windows.sealed import Drive

CHECKS = {name: check for name, check in windows.checks().items() if "sealed_disk" in name}


def rejected(drive: Drive, folder: Path, encrypted: tuple[int, ...] = ()) -> dict[str, str]:
    """What each check of the disk says that does not pass."""
    known = {
        "sealed": WindowsDisk(drive.with_registry(folder), folder, encrypted),
        "declared": windows_declared.of(windows_families.family(), ""),
    }
    found = {}
    for name, check in CHECKS.items():
        try:
            check(**{word: known[word] for word in inspect.signature(check).parameters})
        except AssertionError as error:
            found[name] = str(error)
    return found


def test_a_good_drive_is_rejected_by_no_check(tmp_path: Path) -> None:
    assert rejected(Drive(), tmp_path) == {}


@pytest.mark.parametrize("one", windows_disks.SABOTAGES, ids=lambda one: one.what.replace(" ", "-"))
def test_a_sabotage_is_rejected_by_its_check_alone(
    tmp_path: Path, one: windows_disks.Sabotage
) -> None:
    drive = Drive()
    one.deed(drive)
    found = rejected(drive, tmp_path)
    assert list(found) == [one.check]
    assert one.names in found[one.check]


def test_encryption_is_seen(tmp_path: Path) -> None:
    assert list(rejected(Drive(), tmp_path, (3,))) == [windows_disks.ENCRYPTED]


def test_every_check_of_the_disk_has_a_sabotage() -> None:
    named = {one.check for one in windows_disks.SABOTAGES} | {windows_disks.ENCRYPTED}
    assert named == set(CHECKS)


def test_capitals_and_control_sets_are_windows_own(tmp_path: Path) -> None:
    drive = Drive()
    drive.system["Select"]["Current"] = 2
    drive.system[r"ControlSet002\Services\viostor"] = {"Start": 0}
    disk = WindowsDisk(drive.with_registry(tmp_path), tmp_path)
    assert disk.found("windows/system32/DRIVERS/VIOSTOR.SYS")
    assert disk.found("windows/*/drivers/vio*") and not disk.found("Windows/none/*")
    assert disk.value("SYSTEM", r"CurrentControlSet\services\VIOSTOR", "start") == 0
    assert disk.value("SYSTEM", r"CurrentControlSet\Services\vioscsi", "Start") is None


def test_a_missing_or_damaged_registry_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImagecycleError, match="SYSTEM is missing"):
        WindowsDisk(Drive(), tmp_path).value("SYSTEM", "Select", "Current")
    drive = Drive()
    drive.files["Windows/System32/config/SYSTEM"] = b"regf" + bytes(5000)
    with pytest.raises(ImagecycleError, match="is damaged"):
        WindowsDisk(drive, tmp_path).value("SYSTEM", "Select", "Current")


def make(folder: Path, drive: Drive) -> Path:
    """A disk with a partition of NTFS that holds the drive."""
    volume, raw, disk = folder / "volume", folder / "made.raw", folder / "disk.qcow2"
    for path, size in ((volume, "40M"), (raw, "60M")):
        subprocess.run(["truncate", "-s", size, path], check=True)
    subprocess.run(
        ["mkntfs", "-Q", "-F", "-L", "Windows", volume],
        check=True,
        timeout=60,
        capture_output=True,
    )
    place = folder / "volume.mounted"
    place.mkdir()
    subprocess.run(["ntfs-3g", volume, place], check=True, timeout=60)
    try:
        drive.write(place)
    finally:
        subprocess.run(["umount", place], check=True, timeout=60)
    table = "label: gpt\nsize=1MiB\nsize=40MiB, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n"
    subprocess.run(["sfdisk", "-q", raw], input=table.encode(), check=True, timeout=60)
    with raw.open("r+b") as stream:
        stream.seek(2 * 2**20)
        stream.write(volume.read_bytes())
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, disk], check=True, timeout=60)
    return disk


@pytest.mark.integration
def test_a_real_drive_is_read_in_place_and_left_as_it_was(tmp_path: Path) -> None:
    disk = make(tmp_path, Drive().with_registry(tmp_path))
    before = disk.read_bytes()
    with windows_disk.opened(disk, tmp_path) as found:
        for name, check in CHECKS.items():
            if name != "sealed_disk.edition_is_the_declared_one":
                check(found)
    assert disk.read_bytes() == before
    assert not (tmp_path / "sealed.raw").exists()


@pytest.mark.integration
def test_a_volume_that_was_not_left_clean_is_seen(tmp_path: Path) -> None:
    from imagecycle.verify import ntfs

    disk = make(tmp_path, Drive())
    assert list(ntfs.unclean(disk)) == []
    volume = (tmp_path / "volume").read_bytes()
    at = volume.index(b"FILE0", volume.index(b"FILE0") + 3 * 1024)
    raw = bytearray((tmp_path / "made.raw").read_bytes())
    flags = raw.index(b"\x03\x01", 2 * 2**20 + at) + 2  # after NTFS's version, 3.1
    raw[flags] |= 1
    (tmp_path / "made.raw").write_bytes(raw)
    argv = ["qemu-img", "convert", "-O", "qcow2", tmp_path / "made.raw", disk]
    subprocess.run(argv, check=True, timeout=60)
    assert list(ntfs.unclean(disk)) == ["partition 2"]


@pytest.mark.integration
def test_a_disk_without_windows_is_said_so(tmp_path: Path) -> None:
    disk = make(tmp_path, Drive())
    with (
        pytest.raises(ImagecycleError, match="no NTFS on it has a registry"),
        windows_disk.opened(disk, tmp_path),
    ):
        pass
