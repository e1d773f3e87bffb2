"""The units of systemd that a system has and starts; see systemd.unit(5)."""

from __future__ import annotations

from imagecycle.verify.pristine import Pristine

SYSTEM = "/etc/systemd/system"
BROUGHT = ("/usr/lib/systemd/system", "/lib/systemd/system")


def on(pristine: Pristine) -> set[str]:
    """The names of the units that something starts, and of services of older kinds of init."""
    places = (f"{place}/*.{{wants,requires}}/*" for place in (SYSTEM, *BROUGHT))
    there = (
        path for path in pristine.found(*places) if pristine.resolved(path) in pristine.entries
    )
    found = {path.rpartition("/")[2] for path in there}
    return found | {path.rpartition("/")[2][3:] for path in pristine.found("/etc/rc{2,3}.d/S*")}


def brought(pristine: Pristine) -> set[str]:
    """The names of those that packages bring."""
    files = pristine.found(*(f"{place}/*" for place in BROUGHT))
    return {path.rpartition("/")[2] for path in files}
