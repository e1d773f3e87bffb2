"""The file systems that a server mounts when it starts are there."""

import re
from collections.abc import Iterator

from imagecycle.build.partitions import file_systems
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FILE = "/etc/fstab"
VIRTUAL = ("proc", "sysfs", "tmpfs", "devpts", "cgroup", "cgroup2", "debugfs", "efivarfs", "ramfs")
NETWORKED = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "glusterfs", "ceph", "9p", "sshfs", "davfs")


def test_names_nothing_that_servers_lack(pristine: Pristine, defects: Defects) -> None:
    """Every start waits a minute and a half for a disk or another machine, or stops there."""
    assert defects(_lacking(pristine)) == []


def _lacking(pristine: Pristine) -> Iterator[Finding]:
    known = file_systems(pristine.disk)
    named = {f"UUID={one.uuid}" for one in known} | {f"LABEL={one.label}" for one in known}
    named |= {f"PARTUUID={one.partition.uuid}" for one in known}
    named |= {f"PARTLABEL={one.partition.label}" for one in known}
    for _, line in pristine.lines(FILE):
        device, place, kind, options, *_ = [*line.split(), "", "", "", ""]
        bare = re.sub(r"^/dev/disk/by-(\w+)/", lambda m: f"{m[1].upper()}=", device).replace(
            '"', ""
        )
        if kind in NETWORKED or re.match(r"//|[\w.-]+:/", device):
            yield Finding(device, f"is of another machine, for {place}")
        elif place == "/" and "ro" in options.split(","):
            yield Finding(device, "stays read-only")
        elif kind in VIRTUAL or "noauto" in options.split(",") or device in VIRTUAL:
            continue
        elif re.match(r"/dev/(mapper|disk/by-path|disk/by-id)/", device):
            yield Finding(device, f"is of the builder's machine, for {place}")
        elif re.match(r"/dev/(?!disk/by-)", device):
            yield Finding(device, f"is named by its place, for {place}: it may be another one's")
        elif re.match(r"(PART)?(UUID|LABEL)=", bare) and bare not in named:
            yield Finding(device, f"is not on the disk, for {place}")
        elif device.startswith("/") and bare == device and device not in pristine.entries:
            yield Finding(device, f"is not there, for {place}")


def test_no_disk_is_to_be_unlocked(pristine: Pristine, defects: Defects) -> None:
    """Every start waits for a passphrase, or for a disk of the builder."""
    lines = pristine.lines("/etc/crypttab", "/etc/mdadm/mdadm.conf", "/etc/mdadm.conf")
    assert (
        defects(
            Finding(path, f"says {line}")
            for path, line in lines
            if path == "/etc/crypttab" or line.startswith("ARRAY")
        )
        == []
    )
