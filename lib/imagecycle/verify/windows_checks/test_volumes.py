"""The disk that the user pays for can be used."""

from imagecycle.verify.cases import SECOND_DISK
from imagecycle.verify.session import Subject
from imagecycle.verify.windows_fixtures import Said

SLACK = 64 * 2**20
"""Bytes that tables and alignment may take at a disk's end"""


def test_drive_is_as_large_as_the_disk(said: Said) -> None:
    """A larger flavour brings no more room on drive C."""
    volumes = said["volumes"]
    unused = volumes["partition"] - volumes["size"]
    assert unused < SLACK, f"the file system leaves {unused // 2**20} MiB of its partition unused"


def test_nothing_lies_behind_the_drive(said: Said) -> None:
    """Drive C cannot grow: a recovery partition lies behind it."""
    assert said["volumes"]["is_last"], "another partition lies behind drive C"


def test_partition_ends_with_the_disk(said: Said) -> None:
    """A larger flavour brings no more room on drive C."""
    volumes = said["volumes"]
    unused = volumes["disk"] - volumes["taken"]
    assert unused < SLACK, f"{unused // 2**20} MiB of the disk are in no partition"


def test_second_disk_is_there_and_online(said: Said, instance: Subject) -> None:
    """A volume that is attached stays offline until somebody logs in and brings it online."""
    if instance.case.second_disk:
        found = [one for one in said["disks"] if one["size"] == SECOND_DISK]
        assert found, f"the disks have {', '.join(str(one['size']) for one in said['disks'])} bytes"
        assert not found[0]["offline"], "the second disk is offline"
        assert not found[0]["read_only"], "the second disk is read-only"


def test_file_system_is_sound(said: Said) -> None:
    """Every start begins with a check of the disk, and some day fails with it."""
    volumes = said["volumes"]
    assert (volumes["file_system"], volumes["health"]) == ("NTFS", "Healthy")


def test_drive_is_not_encrypted(said: Said) -> None:
    """A server that moves to another host asks for a recovery key that nobody has."""
    assert said["encryption"] == []
