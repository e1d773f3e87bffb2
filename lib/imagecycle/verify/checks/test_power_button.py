"""A server can be stopped and started again."""

from imagecycle.verify.power_off import CLEAN
from imagecycle.verify.session import Ended, Subject


def test_shuts_down_cleanly(end: Ended, subject: Subject) -> None:
    """Stop, resize and shelve take a minute each, and then cut the power: data is lost."""
    how = f"still running after {end.seconds:.0f} s" if end.reason is None else end.reason
    assert end.reason == CLEAN, f"under {subject.firmware.upper()}: {how}"


def test_leaves_file_systems_clean(end: Ended) -> None:
    """Every start after a stop begins with a file system repair, and some day fails with it."""
    assert list(end.unclean) == []
