"""The server's own disk is mounted as it should, and gives back what is deleted."""

import re
from collections.abc import Mapping


def test_fstab_is_in_order(told: Mapping[str, str]) -> None:
    """A later boot waits for a file system that is not there, or stops for a repair."""
    wrong = [line.strip() for line in told["fstab"].splitlines() if re.search(r"\[E\]", line)]
    assert wrong == []


def test_root_can_be_written(told: Mapping[str, str]) -> None:
    """Nothing can be changed on the server; the file system has met an error."""
    root = next((line for line in told["mounts"].splitlines() if line.startswith("/ ")), "")
    assert root, "what holds the root file system is not known"
    assert "rw" in root.split()[3].split(","), root


def test_deleted_data_is_given_back(told: Mapping[str, str]) -> None:
    """A server's disk takes its whole size of the cloud's storage, however little is on it."""
    assert "trimmed" in told["trim"], told["trim"]
    mounted = [line for line in told["mounts"].splitlines() if line.startswith("/ ")]
    by_mount = any("discard" in line.split()[3] for line in mounted)
    assert by_mount or told["trim_timer"] == "enabled", "neither `discard` nor fstrim.timer is on"


def test_nothing_is_swapped_to_the_root_disk(told: Mapping[str, str]) -> None:
    """Swapping eats the input and output that the user pays for, and secrets reach the disk."""
    assert told["swap"].splitlines() == []
