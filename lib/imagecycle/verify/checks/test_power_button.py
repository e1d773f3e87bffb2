"""A server can be stopped and started again."""

import re

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.power_off import CLEAN
from imagecycle.verify.pristine import Pristine
from imagecycle.verify.session import Ended, Subject

LOGIND = ("/etc/systemd/{logind.conf,logind.conf.d/*}", "/usr/lib/systemd/logind.conf.d/*")
MANAGER = ("/etc/systemd/{system.conf,system.conf.d/*}",)
_DEAF = re.compile(r"HandlePowerKey\s*=\s*(?!poweroff)\S+")
_SLOW = re.compile(r"DefaultTimeout(Stop|Start)Sec\s*=\s*(infinity|\d{4,}s?|\d+\s*(m(in)?|h)\b)")


def test_is_heard(pristine: Pristine, defects: Defects) -> None:
    """Stop, resize and shelve take minutes, and then cut the power: data is lost."""
    lines = [(path, line) for path, line in pristine.lines(*LOGIND) if _DEAF.match(line)]
    lines += [(path, line) for path, line in pristine.lines(*MANAGER) if _SLOW.match(line)]
    found = (Finding(path, f"says {line}") for path, line in lines if path in pristine.foreign)
    assert defects(found) == []


def test_shuts_down_cleanly(end: Ended, subject: Subject) -> None:
    """Stop, resize and shelve take a minute each, and then cut the power: data is lost."""
    how = f"still running after {end.seconds:.0f} s" if end.reason is None else end.reason
    assert end.reason == CLEAN, f"under {subject.firmware.upper()}: {how}"


def test_leaves_file_systems_clean(end: Ended) -> None:
    """Every start after a stop begins with a file system repair, and some day fails with it."""
    assert list(end.unclean) == []
