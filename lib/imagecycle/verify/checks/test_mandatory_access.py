"""Mandatory access control guards the server as the system is made to."""

import re
from collections.abc import Iterator

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine


def test_is_not_switched_off(pristine: Pristine, defects: Defects) -> None:
    """A service that is broken into can do all that its account can: what confines it is off."""
    assert defects(_off(pristine)) == []


def _off(pristine: Pristine) -> Iterator[Finding]:
    for path, line in pristine.lines("/etc/selinux/config", "/etc/sysconfig/selinux"):
        match = re.match(r"SELINUX\s*=\s*(\w+)", line)
        if match and match[1] != "enforcing":
            yield Finding(path, f"says {line}")
    for path in pristine.found("/etc/apparmor.d/{disable,force-complain}/*"):
        if path not in pristine.owned:
            yield Finding(path, "switches a profile off")
    for path in pristine.found("/.autorelabel"):
        yield Finding(path, "lets the first start take minutes")
