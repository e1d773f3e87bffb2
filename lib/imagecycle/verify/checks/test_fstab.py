"""The file systems that a server mounts when it starts are there."""

import re
from collections.abc import Iterator

from imagecycle.build.partitions import file_systems
from imagecycle.verify import boot_entries, mount_options
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FILE = "/etc/fstab"
VIRTUAL = ("proc", "sysfs", "tmpfs", "devpts", "cgroup", "cgroup2", "debugfs", "efivarfs", "ramfs")
ON_DISKS = ("ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "swap")
NETWORKED = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "glusterfs", "ceph", "9p", "sshfs", "davfs")
TEMPORARY = ("/tmp", "/var/tmp")
UNITS = (
    "/etc/systemd/system/tmp.mount",
    "/{etc,usr/lib,usr/local/lib}/systemd/system/tmp.mount.d/*.conf",
)
LEAST_ROOM, LEAST_PERCENT = 256 * 2**20, 10
UNIT = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
LASTING = ("/home", "/opt", "/root", "/srv", "/var/tmp")
STATE = ("/etc/", "/opt/", "/srv/", "/usr/", "/var/")
RISKY = re.compile(r"errors=panic|barrier=0|nobarrier|data=writeback|journal_async_commit")
"""Options by which ext4 and XFS forget what they have promised, or stop"""


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
        elif kind in ON_DISKS and not re.match(r"/|(PART)?(UUID|LABEL)=", bare):
            yield Finding(device, f"is no device, for {place}")
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


def test_mounts_what_is_there_as_it_is(pristine: Pristine, defects: Defects) -> None:
    """Servers stay read-only, stop at the boot, or lose files when their host fails."""
    assert defects(_misused(pristine)) == []


def _misused(pristine: Pristine) -> Iterator[Finding]:
    kinds = {
        f"{name}={value}": one.kind
        for one in file_systems(pristine.disk)
        for name, value in (("UUID", one.uuid), ("LABEL", one.label))
        if value
    }
    places: set[str] = set()
    for _, line in pristine.lines(FILE):
        device, place, kind, options, *_ = [*line.split(), "", "", "", ""]
        if not kind:
            yield Finding(device, "has neither place nor kind")
            continue
        for number in line.partition(" #")[0].split()[4:6]:
            if not number.isdecimal():
                yield Finding(device, f"has {number} where a number should be")
        if place in places and place.startswith("/"):
            yield Finding(device, f"is mounted on {place}, as another one is")
        places.add(place)
        known = kinds.get(device.replace('"', ""), kind)
        if kind not in (known, "auto"):
            yield Finding(device, f"is {known}, and to be mounted as {kind} on {place}")
        for option in options.split(","):
            if RISKY.fullmatch(option):
                yield Finding(device, f"is mounted with {option}: a power cut costs files")
            if option == "noexec" and place in ("/", "/usr", "/var"):
                yield Finding(device, f"is mounted with {option} on {place}: no program runs")
            if option == "nosuid" and place in ("/", "/usr"):
                yield Finding(device, f"is mounted with {option} on {place}: sudo does not work")
            if kind == "proc" and re.match(r"hidepid=(?!0|off)", option) and "gid=" not in options:
                yield Finding(device, f"is mounted with {option}: services cannot see each other")
            if not mount_options.is_known(option, kind):
                yield Finding(device, f"is mounted with {option}, which {kind} does not know")
    arguments = {one for entry in boot_entries.entries(pristine) for one in entry.arguments}
    if "/" not in places and "rw" not in arguments:
        yield Finding("/", "is not named: it stays read-only")


def test_swaps_to_no_file(pristine: Pristine, defects: Defects) -> None:
    """Swapping eats the input and output that the user pays for, and secrets reach the disk."""
    lines = (line.split() for _, line in pristine.lines(FILE))
    found = [line[0] for line in lines if len(line) > 2 and line[2] == "swap"]
    found += [one.partition.uuid for one in file_systems(pristine.disk) if one.kind == "swap"]
    assert defects(Finding(device, "is for swapping") for device in found) == []


def test_gives_temporary_files_room(pristine: Pristine, defects: Defects) -> None:
    """Installations, archives and uploads end with "No space left", for /tmp is a small part of the
    memory."""
    said = [(line.split(), FILE) for _, line in pristine.lines(FILE)]
    mounts = [(words[1], words[3]) for words, _ in said if len(words) > 3 and words[2] == "tmpfs"]
    found = [
        Finding(FILE, f"gives {place} {size}")
        for place, options in mounts
        if place in TEMPORARY and (size := _small(options))
    ]
    for path, line in pristine.lines(*UNITS):
        if line.startswith("Options=") and (size := _small(line.removeprefix("Options="))):
            found.append(Finding(path, f"gives /tmp {size}"))
    assert defects(found) == []


def _small(options: str) -> str:
    """The size among the options of a tmpfs, where it is small; see tmpfs(5)."""
    for option in options.split(","):
        match = re.fullmatch(r"size=(\d+)([kKmMgG%]?)", option)
        if match and match[2] == "%" and int(match[1]) < LEAST_PERCENT:
            return match[0]
        if match and match[2] != "%" and int(match[1]) * UNIT[match[2].lower()] < LEAST_ROOM:
            return match[0]
        if re.fullmatch(r"nr_inodes=\d{1,3}", option):
            return option
    return ""


def test_covers_nothing_of_the_system(pristine: Pristine, defects: Defects) -> None:
    """What packages keep in a folder cannot be seen, or is gone after each restart: something empty
    is mounted over it."""
    mounts = [line.split() for _, line in pristine.lines(FILE)]
    covered = [words for words in mounts if len(words) > 2 and words[2] in ("tmpfs", "ramfs")]
    used = {path for path in pristine.brought if path.startswith(STATE)}
    found = [
        Finding(words[0], f"is mounted over {words[1]}, where packages keep files")
        for words in covered
        if any(path.startswith(f"{words[1].rstrip('/')}/") for path in used)
    ]
    found += [
        Finding(words[0], f"is mounted on {words[1]}, which is to outlive a restart")
        for words in covered
        if words[1].rstrip("/") in LASTING
    ]
    assert defects(found) == []
