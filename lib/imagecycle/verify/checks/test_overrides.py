"""What packages bring still counts: nobody has hidden it or told the system to pass it over."""

import re
from collections.abc import Iterator

from imagecycle.systems.files import FILE, LINK
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FOLDERS = (
    *("binfmt.d", "environment.d", "modprobe.d", "modules-load.d", "sysctl.d", "sysusers.d"),
    *("tmpfiles.d", "udev/rules.d", "udev/hwdb.d", "dbus-1/system.d", "polkit-1/rules.d"),
    *("systemd/network", "systemd/system-preset", "systemd/user-preset", "NetworkManager/conf.d"),
    *("systemd/system-generators", "systemd/user-generators", "sysupdate.d", "dracut.conf.d"),
)
"""Below /etc, where a file takes the place of one of the same name that a package brings"""
BROUGHT = ("/usr/lib", "/usr/share", "/lib")
PRESETS = "/{etc,usr/lib,usr/local/lib}/systemd/{system,user}-preset/*.preset"


def test_hide_nothing_of_packages(pristine: Pristine, defects: Defects) -> None:
    """Devices, folders or settings are missing on every server: their package's file is passed
    over."""
    assert defects(_hidden(pristine)) == []


def _hidden(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.found(*(f"/etc/{folder}/*" for folder in FOLDERS)):
        rest = path.removeprefix("/etc")
        places = [f"{place}{rest}" for place in BROUGHT]
        hidden = next((place for place in places if place in pristine.owned), "")
        entry = pristine.entries[path]
        target = pristine.resolved(path)
        if entry.kind == LINK and target == "/dev/null":
            yield Finding(path, f"hides {hidden or 'what a package may bring'}")
        elif hidden and entry.kind == FILE and path in pristine.foreign:
            yield Finding(path, f"{'replaces' if entry.size else 'hides'} {hidden}")


def test_let_packages_start_their_services(pristine: Pristine, defects: Defects) -> None:
    """What users install is never started: a preset of the builder keeps it off."""
    off = re.compile(r"disable\s+\S")
    assert (
        defects(
            Finding(path, f"says {line}")
            for path, line in pristine.lines(PRESETS)
            if path in pristine.foreign and off.match(line)
        )
        == []
    )
