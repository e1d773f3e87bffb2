"""The medium of the stand-in for Windows: what Oz's class takes, and what its Linux starts with."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from imagecycle.systems import windows_media
from imagecycle.verify.windows_disk import WindowsDisk
from standin.windows import boot_media

pytestmark = [pytest.mark.integration, pytest.mark.long]

PROGRAM = """\
import standin.windows.inside as inside
from standin.windows.guest import unreadable
from standin.windows.winrm_server import WinRM
assert inside.made_certificate("WIN-1")[0].startswith("-----BEGIN CERTIFICATE-----")
assert unreadable("if ($true) { Get-Date }") == ""
print("it would start", WinRM.__name__)
"""


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return boot_media.make(tmp_path_factory.mktemp("medium") / "windows.iso")


def test_it_has_the_layout_and_the_editions_of_the_real_one(medium: Path) -> None:
    for firmware in ("bios", "uefi"):
        windows_media.refuse_unbootable(medium, firmware)
    offered = windows_media.offered(medium)
    assert [(one.edition_id, one.installation_type) for one in offered] == [
        ("ServerStandard", "Server Core"),
        ("ServerStandard", "Server"),
    ]


def test_grub_finds_its_configuration_where_it_looks_for_it(medium: Path, tmp_path: Path) -> None:
    """The GRUB for CDs that Debian has signed looks in a place that is built into it."""
    image = boot_media._signed()["gcdx64.efi"].read_bytes()
    folder = "/boot/grub"
    assert f"{folder}\0".encode() in image and b"source $prefix/grub.cfg" in image
    argv = ["grub-fstest", medium, "cat", f"(loop0){folder}/grub.cfg"]
    shown = subprocess.run(argv, check=True, timeout=30, capture_output=True, text=True).stdout
    for word in ("linux", "initrd"):
        (name,) = re.findall(rf"^{word} (\S+)", shown, re.MULTILINE)
        argv = ["grub-fstest", medium, "hex", "-n", "16", f"(loop0){name}"]
        subprocess.run(argv, check=True, timeout=30, capture_output=True)


def test_its_images_have_a_registry_and_what_starts_them(medium: Path, tmp_path: Path) -> None:
    windows_media.unpack(medium, tmp_path / "files")
    drive = tmp_path / "drive"
    argv = ["wimapply", tmp_path / "files/sources/install.wim", "2", drive]
    subprocess.run(argv, check=True, timeout=120, capture_output=True)
    disk = WindowsDisk(Folder(drive), tmp_path)
    current = r"Microsoft\Windows NT\CurrentVersion"
    assert disk.value("SOFTWARE", current, "InstallationType") == "Server"
    state = r"Microsoft\Windows\CurrentVersion\Setup\State"
    assert disk.value("SOFTWARE", state, "ImageState") == "IMAGE_STATE_COMPLETE"
    for name in (
        "vmlinuz",
        "initrd",
        "rest",
        "core.img",
        "mbr.img",
        "shimx64.efi",
        "sealed/SYSTEM",
    ):
        assert (drive / boot_media.BOOT / name).stat().st_size


def test_its_ram_disk_has_all_that_its_program_imports(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    boot_media.system().unpack(root)
    (root / "tmp/program.py").write_text(PROGRAM)
    environment = {"PATH": "/bin:/usr/bin", "PYTHONPATH": "/site"}
    argv = [
        "busybox",
        "chroot",
        root,
        f"/bin/{boot_media.PYTHON.name}",
        "-s",
        "-B",
        "/tmp/program.py",
    ]
    done = subprocess.run(argv, check=True, timeout=120, capture_output=True, env=environment)
    assert done.stdout.decode().strip() == "it would start WinRM"
    for name in boot_media.PROGRAMS:
        assert os.access(root / "bin" / name, os.X_OK)


class Folder:
    """The files of a drive that is a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, folder: str) -> list[str]:
        place = self._root / folder
        return [one.name for one in place.iterdir()] if place.is_dir() else []

    def read(self, path: str) -> bytes:
        return (self._root / path).read_bytes()
