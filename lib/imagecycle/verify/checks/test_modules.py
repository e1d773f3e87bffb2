"""The kernel's modules: those that virtual hardware needs may be loaded, the others are there."""

import re
from collections.abc import Iterator

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

SETTINGS = ("/etc/modprobe.d/*", "/usr/lib/modprobe.d/*", "/etc/modprobe.conf")
LOADED = ("/etc/modules", "/etc/modules-load.d/*.conf", "/usr/lib/modules-load.d/*.conf")
RAM_DISKS = (
    "/etc/initramfs-tools/{initramfs.conf,update-initramfs.conf,conf.d/*}",
    "/etc/{dracut.conf,dracut.conf.d/*.conf}",
)
NEEDED = re.compile(
    r"virtio\w*|v?fat|nls_\w+|isofs|iso9660|udf|sr_mod|cdrom|sd_mod|scsi_mod|ahci|ata_piix|ata_generic"
    r"|e1000e?|8139cp|ext4|xfs|btrfs|nvme\w*|floppy|i2c_piix4|i6300esb|kvm\w*|ptp_kvm|qemu_fw_cfg"
    r"|ipv6|af_packet|overlay|veth|tun|bridge|nf_\w+|ip6?_tables|x_tables|nfnetlink\w*"
    r"|vmxnet3|hv_\w+|xen_\w+|ena|mlx[45]\w*|ixgbevf|iavf|8250\w*|serio_raw|button|evdev|loop|squashfs"
)
"""What drives the hardware that clouds give to servers, the config drive included"""
_KEPT_OUT = re.compile(
    r"(?:blacklist\s+(\S+)|install\s+(\S+)\s+\S*/(?:true|false)|alias\s+(\S+)\s+off)\s*"
)
_ONE_MACHINE = re.compile(
    r"(MODULES=['\"]?(?:dep|list)\b|hostonly=['\"]?\s*yes|update_initramfs=no).*"
)
HARMLESS = {"floppy", "evbug", "serio_raw"}


def test_drive_virtual_hardware(pristine: Pristine, defects: Defects) -> None:
    """Servers lack their disk, network card or config drive: its driver is never loaded."""
    assert defects(_kept_out(pristine)) == []


def _kept_out(pristine: Pristine) -> Iterator[Finding]:
    for path, line in pristine.lines(*SETTINGS):
        match = _KEPT_OUT.match(line)
        name = next(filter(None, match.groups()), "").replace("-", "_") if match else ""
        if path in pristine.foreign and re.match(r"options\s+ipv6\s.*disable=1", line):
            yield Finding(path, f"says {line}: there is no IPv6")
        if path in pristine.foreign and NEEDED.fullmatch(name) and name not in HARMLESS:
            yield Finding(path, f"keeps {name} out")


def test_to_be_loaded_are_there(pristine: Pristine, defects: Defects) -> None:
    """A unit fails at every boot, for it loads modules of the builder's machine."""
    assert defects(_absent(pristine)) == []


def _absent(pristine: Pristine) -> Iterator[Finding]:
    known = "".join(
        pristine.text(path)
        for path in pristine.found("/usr/lib/modules/*/modules.{dep,builtin,alias}")
    ).replace("-", "_")
    for path, line in pristine.lines(*LOADED):
        name = line.split()[0].replace("-", "_")
        there = re.search(rf"(/|^alias |\s){re.escape(name)}(\.ko|\s|$)", known, re.MULTILINE)
        if known and path in pristine.foreign and not there and not line.startswith(";"):
            yield Finding(path, f"loads {name}, which no kernel of the image has")


def test_of_later_ram_disks_drive_every_bus(pristine: Pristine, defects: Defects) -> None:
    """The first update of the kernel fits the initial RAM disk to one machine, and resize or
    migration to another bus ends the server."""
    assert (
        defects(
            Finding(path, f"says {line}")
            for path, line in pristine.lines(*RAM_DISKS)
            if path in pristine.foreign and _ONE_MACHINE.match(line)
        )
        == []
    )
