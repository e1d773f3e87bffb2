"""What keeps a server from starting, or from starting as it should."""

import shutil
import struct
from pathlib import Path

from imagecycle.build.partitions import file_systems
from sabotages.table import (
    ADDED,
    Deed,
    Sabotage,
    append,
    both,
    bytes_at,
    link,
    put,
    remove,
    replace,
)

OFF, DIVERTED = (
    "kernel_arguments.switch_no_protection_off",
    "kernel_arguments.start_the_system_as_it_is",
)
WAITS, ROOT = "boot_loader.waits_for_nobody", "boot_loader.finds_the_root_by_what_it_is"
FSTAB = "fstab.names_nothing_that_servers_lack"
_MENU, _DEFAULTS = "/boot/grub/grub.cfg", "/etc/default/grub"
_SERIAL = "console=tty0 console=ttyS0,115200"


def _argument(argument: str) -> Deed:
    return replace(_MENU, f"ro {_SERIAL}", f"ro {_SERIAL} {argument}")


def _superblock(offset: int, value: bytes) -> Deed:
    """Change the superblock of the root file system, and its checksum: blkid looks at that too."""

    def deed(disk: Path) -> None:
        (root,) = (one for one in file_systems(disk) if one.kind.startswith("ext"))
        start = root.partition.start + 1024
        bytes_at(start + offset, value)(disk)
        with disk.open("rb") as file:
            file.seek(start)
            superblock = file.read(1024)
        if int.from_bytes(superblock[100:104], "little") & _METADATA_CHECKSUMS:
            checksum = _crc32c(superblock[:_CHECKSUM]).to_bytes(4, "little")
            bytes_at(start + _CHECKSUM, checksum)(disk)

    return deed


_METADATA_CHECKSUMS = 0x400
_CHECKSUM = 1020
"""Where a superblock keeps its own; see the kernel's documentation of ext4"""


def _crc32c(data: bytes) -> int:
    """Castagnoli's, as ext4 uses it: without the inversion at the end."""
    found = 0xFFFFFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (0x82F63B78 if found & 1 else 0)
    return found


def _without_ram_disk(root: Path) -> None:
    (image,) = (root / "boot").glob("initrd.img-*")
    image.unlink()


def _without_modules(root: Path) -> None:
    (kernel,) = (root / "boot").glob("vmlinuz-*")
    shutil.rmtree(root / "usr/lib/modules" / kernel.name.removeprefix("vmlinuz-"))


def _small_ram_disk(root: Path) -> None:
    """One that knows a single bus."""
    (image,) = (root / "boot").glob("initrd.img-*")
    name = b"usr/lib/modules/virtio_blk.ko\0"
    entry = b"070701" + b"%08X" * 13 % (*[0] * 11, len(name), 0) + name
    end = b"TRAILER!!!\0"
    image.write_bytes(
        entry.ljust((len(entry) + 3) & ~3, b"\0")
        + b"070701"
        + b"%08X" * 13 % (*[0] * 11, len(end), 0)
        + end
        + b"\0" * 512
    )


WEAK = (
    ("no mitigations", "mitigations=off"),
    ("AppArmor is off", "apparmor=0"),
    ("no audit", "audit=0"),
    ("no random addresses", "nokaslr"),
    ("page tables are shared", "pti=off"),
    ("SELinux is off", "selinux=0"),
    ("no IPv6", "ipv6.disable=1"),
)
OTHERWISE = (
    ("a rescue shell", "single"),
    ("another first program", "init=/bin/sh"),
    ("a fixed address", "ip=10.0.0.7::10.0.0.1:255.255.255.0::eth0:off"),
    ("contextualisation is off", "cloud-init=disabled"),
    ("a root shell on the way", "break=mount"),
    ("one processor", "maxcpus=1"),
)

SABOTAGES = (
    *(Sabotage(OFF, what, _argument(said), f"says {said}") for what, said in WEAK),
    *(Sabotage(DIVERTED, what, _argument(said), f"says {said}") for what, said in OTHERWISE),
    Sabotage(
        OFF,
        "no mitigations from the next kernel on",
        replace(_DEFAULTS, _SERIAL, f"{_SERIAL} mitigations=off"),
        f"{_DEFAULTS}: says mitigations=off",
    ),
    Sabotage(
        "kernel_arguments.show_the_boot_on_the_serial_console",
        "nothing on the serial console",
        replace(_MENU, _SERIAL, "console=tty0 quiet"),
        _MENU,
    ),
    Sabotage(
        WAITS, "a menu for half a minute", replace(_MENU, "set timeout=0", "set timeout=30"), _MENU
    ),
    Sabotage(
        WAITS, "a menu for ever", replace(_MENU, "set timeout=0", "set timeout=-1"), "timeout=-1"
    ),
    Sabotage(
        WAITS,
        "a menu for ever from the next kernel on",
        replace(_DEFAULTS, "GRUB_TIMEOUT=0", "GRUB_TIMEOUT=-1"),
        _DEFAULTS,
    ),
    Sabotage(WAITS, "a menu with a password", append(_MENU, 'set superusers="root"\n'), "asks for"),
    Sabotage(
        ROOT,
        "a root by its place",
        replace(_MENU, "root=UUID=", "root=/dev/vda1 was="),
        "/dev/vda1",
    ),
    Sabotage(
        ROOT,
        "a root that is not there",
        replace(_MENU, "root=UUID=", "root=UUID=0"),
        "no file system has this UUID",
    ),
    Sabotage(
        "boot_loader.has_what_it_starts",
        "a kernel that is not there",
        replace(_MENU, "/boot/vmlinuz-", "/boot/vmlinuz-0"),
        "which is not there",
    ),
    Sabotage("boot_loader.has_what_it_starts", "no menu", remove(_MENU), "/boot: holds nothing"),
    Sabotage(
        "kernel.ram_disk_drives_every_bus",
        "no initial RAM disk",
        _without_ram_disk,
        "has no initial RAM disk",
        also=("boot_loader.has_what_it_starts", *ADDED),
    ),
    Sabotage(
        "kernel.ram_disk_drives_every_bus",
        "no modules",
        _without_modules,
        "has no modules",
        also=("integrity.files_are_as_they_were_packed", "tree.has_what_packages_bring"),
    ),
    Sabotage(
        "kernel.ram_disk_drives_every_bus",
        "an initial RAM disk for one bus",
        _small_ram_disk,
        "lacks virtio_scsi",
    ),
    Sabotage(
        FSTAB,
        "a disk by its place",
        append("/etc/fstab", "/dev/vdb /mnt ext4 defaults 0 2\n"),
        "/dev/vdb: is named by its place",
    ),
    Sabotage(
        FSTAB,
        "a disk that is not there",
        append("/etc/fstab", "UUID=11111111-2222-3333-4444-555555555555 none swap sw 0 0\n"),
        "is not on the disk",
        also=("fstab.swaps_to_no_file",),
    ),
    Sabotage(
        FSTAB,
        "a share of the builder's network",
        append("/etc/fstab", "nas.example:/build /mnt nfs nofail 0 0\n"),
        "nas.example:/build",
    ),
    Sabotage(
        FSTAB, "a root by its place", replace("/etc/fstab", "UUID=", "/dev/vda1#"), "/dev/vda1#"
    ),
    Sabotage(
        FSTAB,
        "a swap file that is not there",
        append("/etc/fstab", "/swapfile none swap sw 0 0\n"),
        "/swapfile: is not there",
        also=("fstab.swaps_to_no_file",),
    ),
    Sabotage(
        "fstab.no_disk_is_to_be_unlocked",
        "an encrypted disk",
        put("/etc/crypttab", "data UUID=1111 none luks\n"),
        "/etc/crypttab",
        also=ADDED,
    ),
    Sabotage(
        "file_systems.are_clean",
        "marked as having errors",
        _superblock(58, b"\x03\0"),
        "is marked as having errors",
        on_disk=True,
    ),
    Sabotage(
        "file_systems.are_clean",
        "errors were counted",
        _superblock(404, b"\x02\0\0\0"),
        "is marked as having errors",
        on_disk=True,
    ),
    Sabotage(
        "file_systems.are_clean",
        "not unmounted",
        _superblock(58, b"\0\0"),
        "was not unmounted",
        on_disk=True,
    ),
    Sabotage(
        "file_systems.survive_a_power_cut",
        "no journal",
        _superblock(92, b"\x38\0\0\0"),
        "has no journal",
        on_disk=True,
    ),
    Sabotage(
        FSTAB,
        "a root that stays read-only",
        replace("/etc/fstab", "ext4 rw", "ext4 ro"),
        "stays read-only",
    ),
    Sabotage(
        "file_systems.are_not_checked_now_and_then",
        "a check after 20 mounts",
        _superblock(54, struct.pack("<h", 20)),
        "after 20 mounts",
        on_disk=True,
    ),
    Sabotage(
        "file_systems.are_not_checked_now_and_then",
        "a check after half a year",
        _superblock(68, struct.pack("<I", 180 * 86400)),
        "after 180 days",
        on_disk=True,
    ),
    Sabotage(
        "file_systems.have_room",
        "no free blocks",
        _superblock(12, b"\0" * 4),
        "0 % of its blocks",
        on_disk=True,
    ),
    Sabotage(
        "file_systems.have_room",
        "no free inodes",
        _superblock(16, b"\0" * 4),
        "0 % of its inodes",
        on_disk=True,
    ),
    Sabotage(
        "file_systems.fit_their_partitions",
        "a file system that is larger than its partition",
        _superblock(4, b"\xff\xff\xff\x0f"),
        "is smaller than its file system",
        on_disk=True,
        also=("file_systems.have_room",),
    ),
    Sabotage(
        "file_systems.partition_table_is_whole",
        "no backup of the partition table",
        bytes_at(-512, b"\0" * 512),
        "its backup",
        on_disk=True,
    ),
    Sabotage(
        "file_systems.partition_table_is_whole",
        "a partition table with a wrong checksum",
        bytes_at(512 + 56, b"\0" * 16),
        "partition table: has a wrong checksum",
        on_disk=True,
    ),
    Sabotage(
        "mandatory_access.is_not_switched_off",
        "SELinux only warns",
        put("/etc/selinux/config", "SELINUX=permissive\n"),
        "SELINUX=permissive",
        also=ADDED,
    ),
    Sabotage(
        "mandatory_access.is_not_switched_off",
        "a profile of AppArmor is off",
        link("/etc/apparmor.d/disable/sbin.dhclient", "/etc/apparmor.d/sbin.dhclient"),
        "/etc/apparmor.d/disable/sbin.dhclient",
        also=ADDED,
    ),
    Sabotage(
        "mandatory_access.is_not_switched_off",
        "labels are made at the first start",
        both(put("/.autorelabel", "")),
        "/.autorelabel",
        also=ADDED,
    ),
)
