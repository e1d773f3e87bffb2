"""A boot loader, kernel or initial RAM disk that does not start, or cannot be updated."""

from sabotages.table import (
    ADDED,
    ALTERED,
    Sabotage,
    append,
    bytes_at,
    cut,
    lines_out,
    purged,
    put,
    replace,
)

STARTS, UPDATED = "boot_loader.has_what_it_starts", "boot_loader.can_be_updated"
ROOT_DEVICE = "boot_loader.finds_the_root_by_what_it_is"
_DEFAULTS = "/etc/default/grub"

SABOTAGES = (
    Sabotage(
        "kernel.is_updated",
        "a kernel for ever",
        purged("linux-image-cloud-amd64"),
        "is never updated",
    ),
    Sabotage(
        STARTS, "a kernel that was cut off", cut("/boot/vmlinuz-*", 4096), "is cut off", ALTERED
    ),
    Sabotage(
        STARTS,
        "an initial RAM disk that was cut off",
        cut("/boot/initrd.img-*", 0),
        "is cut off",
        ("kernel.ram_disk_drives_every_bus",),
    ),
    Sabotage(
        "kernel.ram_disk_drives_every_bus",
        "an initial RAM disk of which half is there",
        cut("/boot/initrd.img-*", 5_000_000),
        "cannot be unpacked",
    ),
    Sabotage(
        STARTS,
        "a menu without the initial RAM disk",
        lines_out("/boot/grub/grub.cfg", "initrd"),
        "without its initial RAM disk",
    ),
    Sabotage(
        ROOT_DEVICE,
        "another kind for the root",
        replace("/boot/grub/grub.cfg", "ro console=tty0", "ro rootfstype=xfs console=tty0"),
        "says rootfstype=xfs, and the root is ext4",
    ),
    Sabotage(
        "boot_loader.starts_what_is_there_by_default",
        "a kernel that is started for ever",
        append(_DEFAULTS, "GRUB_DEFAULT=saved\nGRUB_SAVEDEFAULT=true\n"),
        "says GRUB_SAVEDEFAULT",
    ),
    Sabotage(
        ROOT_DEVICE,
        "a root by its place from the next menu on",
        append(_DEFAULTS, "GRUB_DISABLE_LINUX_UUID=true\n"),
        "GRUB_DISABLE_LINUX_UUID",
    ),
    Sabotage(
        UPDATED,
        "the builder's disk for the boot loader",
        append(
            "/var/cache/debconf/config.dat",
            "\nName: grub-pc/install_devices\nTemplate: grub-pc/install_devices\n"
            "Value: /dev/sda\nOwners: grub-pc\n",
        ),
        "install_devices is /dev/sda",
    ),
    Sabotage(
        UPDATED,
        "a map of the builder's disks",
        put("/boot/grub/device.map", "(hd0) /dev/sda\n"),
        "/boot/grub/device.map",
        ADDED,
    ),
    Sabotage(
        "boot_loader.is_where_firmware_looks",
        "no boot loader for BIOS",
        bytes_at(0, b"\0" * 440),
        "first sector: holds no boot loader",
        on_disk=True,
    ),
)
