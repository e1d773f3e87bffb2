"""Reading what a boot loader would start."""

from pathlib import Path

import pytest

from imagecycle.build.offline import MountedSystem
from imagecycle.systems.debian import Debian
from imagecycle.verify import boot_entries
from imagecycle.verify.boot_entries import BootEntry
from imagecycle.verify.pristine import Pristine

MENU = """\
set timeout=0
menuentry 'Debian' --class debian {
    search --no-floppy --fs-uuid --set=root 0123
    linux   /boot/vmlinuz-6 root=UUID=0123 ro quiet
    initrd  /boot/initrd.img-6
}
submenu 'Advanced' {
    menuentry 'Debian, with Linux 6 (recovery mode)' {
        linux /boot/vmlinuz-6 root=UUID=0123 ro single
    }
}
"""
ENTRY = "title Fedora\nlinux /vmlinuz-7\ninitrd /initramfs-7.img\noptions root=UUID=4567 ro\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "boot/grub/grub.cfg": MENU,
        "boot/loader/entries/a.conf": ENTRY,
        "etc/default/grub": 'GRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX="console=tty0 a=b"\n',
        "etc/kernel/cmdline": "root=UUID=4567 ro\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def disk(root: Path) -> Pristine:
    return Pristine(MountedSystem(root), Debian(), root)


def test_entries_of_every_kind_of_boot_loader_are_found(disk: Pristine) -> None:
    debian, recovery, fedora = boot_entries.entries(disk)
    assert debian == BootEntry(
        "/boot/grub/grub.cfg",
        "Debian",
        "/boot/vmlinuz-6",
        ("root=UUID=0123", "ro", "quiet"),
        ("/boot/initrd.img-6",),
    )
    assert fedora == BootEntry(
        "/boot/loader/entries/a.conf",
        "Fedora",
        "/vmlinuz-7",
        ("root=UUID=4567", "ro"),
        ("/initramfs-7.img",),
    )
    assert recovery.arguments == ("root=UUID=0123", "ro", "single")


def test_only_the_recovery_mode_is_a_rescue(disk: Pristine) -> None:
    assert [one.is_a_rescue for one in boot_entries.entries(disk)] == [False, True, False]


def test_settings_of_the_next_menu_are_found(disk: Pristine) -> None:
    assert list(boot_entries.settings(disk)) == [
        ("/etc/default/grub", ("console=tty0", "a=b")),
        ("/etc/kernel/cmdline", ("root=UUID=4567", "ro")),
    ]


def test_a_system_without_a_boot_loader_has_no_entries(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    disk = Pristine(MountedSystem(tmp_path / "empty"), Debian(), tmp_path)
    assert boot_entries.entries(disk) == []
