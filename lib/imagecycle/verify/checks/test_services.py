"""What the image starts, works."""

import re
from collections.abc import Iterable, Iterator, Mapping

from imagecycle.systems.files import LINK
from imagecycle.systems.unowned import matches
from imagecycle.verify import units
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine
from imagecycle.verify.units import BROUGHT, SYSTEM

_RECORD = "/var/lib/systemd/deb-systemd-helper-enabled"
NEEDED = {
    "the network": (
        "{systemd-networkd,NetworkManager,networking,network,wicked,dhcpcd,connman}{,.service}",
    ),
    "SSH": ("{ssh,sshd}{,.service,.socket}",),
    "contextualisation": ("cloud-{init,init-local,init-main,init-network}{,.service}",),
    "the right time": (
        "{systemd-timesyncd,chrony,chronyd,ntp,ntpd,ntpsec,openntpd,openntp}{,.service}",
    ),
    "the console's login": ("getty@tty1.service", "{getty,autovt}@*.service", "display-manager*"),
}
"""What a server cannot do without, and the units that do it"""
WAITING = {
    "systemd-networkd.service": "systemd-networkd-wait-online.service",
    "NetworkManager.service": "NetworkManager-wait-online.service",
}
"""What sets up the network, and the unit by which others wait until it has done so"""
NORMAL = ("multi-user.target", "graphical.target")


def test_none_has_failed(told: Mapping[str, str]) -> None:
    """Part of the system does not work from the first minute, and monitoring says so."""
    assert [line.split()[0] for line in told["failed"].splitlines()] == []


def test_those_switched_on_are_declared(pristine: Pristine, defects: Defects) -> None:
    """Something listens or runs on every server that nobody asked for."""
    assert defects(_undeclared(pristine)) == []


def _undeclared(pristine: Pristine) -> Iterator[Finding]:
    on = pristine.found(f"{SYSTEM}/*.{{wants,requires}}/*")
    meant = {path.rpartition("/")[2] for path in on if _is_meant(pristine, path)}
    known = _with_what_they_switch_on(pristine, meant)
    for path in on:
        name = path.rpartition("/")[2]
        if name not in known:
            yield Finding(name, f"is switched on in {path}")


def _is_meant(pristine: Pristine, path: str) -> bool:
    name, recorded = path.rpartition("/")[2], path.replace(SYSTEM, _RECORD)
    return recorded in pristine.entries or any(
        matches(one, name) for one in pristine.system.enabled
    )


def _with_what_they_switch_on(pristine: Pristine, named: Iterable[str]) -> set[str]:
    """Units and those that their packages switch on with them; see systemd.unit(5), ``Also=``."""
    known: set[str] = set()
    waiting = list(named)
    while waiting:
        unit = waiting.pop()
        if unit not in known:
            known.add(unit)
            for path in pristine.found(*(f"{place}/{unit}" for place in BROUGHT)):
                if path not in pristine.foreign:
                    for names in re.findall(r"(?m)^Also=(.+)$", pristine.text(path)):
                        waiting += names.split()
    return known


def test_those_of_packages_are_switched_on(pristine: Pristine, defects: Defects) -> None:
    """What a package starts by itself was switched off, and is missing on every server."""
    recorded = pristine.found(f"{_RECORD}/*.{{wants,requires}}/*")
    assert (
        defects(
            Finding(path.rpartition("/")[2], "was switched off")
            for path in recorded
            if path.replace(_RECORD, SYSTEM) not in pristine.entries
            and path.rpartition("/")[2] not in pristine.system.left_off
        )
        == []
    )


def test_none_is_masked(pristine: Pristine, defects: Defects) -> None:
    """A service was switched off for good: starting it by hand fails, too."""
    assert (
        defects(
            Finding(path.rpartition("/")[2], "is masked")
            for path in pristine.found(f"{SYSTEM}/*", "/etc/systemd/user/*")
            if _is_nothing(pristine, path) and path.rpartition("/")[2] not in pristine.system.masked
        )
        == []
    )


def _is_nothing(pristine: Pristine, path: str) -> bool:
    entry = pristine.entries[path]
    return pristine.resolved(path) == "/dev/null" if entry.kind == LINK else entry.size == 0


def test_servers_start_into_normal_operation(pristine: Pristine, defects: Defects) -> None:
    """Every server starts into a rescue shell, or without its services."""
    places = [f"{place}/default.target" for place in (SYSTEM, *BROUGHT)]
    default = next((p for p in map(pristine.resolved, places) if p in pristine.entries), "")
    name = default.rpartition("/")[2]
    assert defects([Finding("default.target", f"is {name}")] * (name not in NORMAL)) == []


def test_those_that_servers_need_are_on(pristine: Pristine, defects: Defects) -> None:
    """A server has no network, no right time, no login or no updates: nothing was told to start."""
    assert defects(_off(pristine)) == []


def _off(pristine: Pristine) -> Iterator[Finding]:
    on, brought = units.on(pristine), units.brought(pristine)
    if not brought:
        return  # a system without systemd
    for what, wanted in NEEDED.items():
        if not any(matches(unit, one) for unit in wanted for one in on):
            yield Finding(what, f"is not switched on: none of {', '.join(wanted)}")
    for unit in pristine.system.kept_on:
        if unit in brought and unit not in on:
            yield Finding(unit, "is not switched on")


def test_wait_for_the_network(pristine: Pristine, defects: Defects) -> None:
    """What needs the network starts before it is there: scripts of users fail, now and then."""
    on, brought = units.on(pristine), units.brought(pristine)
    pairs = {unit: waits for unit, waits in WAITING.items() if unit in on and waits in brought}
    masked = {unit for unit in WAITING.values() if _is_masked(pristine, unit)}
    is_waited = any(waits in on - masked for waits in pairs.values())
    assert (
        defects(
            Finding(waits, "is masked" if waits in masked else "is not switched on")
            for waits in pairs.values()
            if not is_waited
        )
        == []
    )


def _is_masked(pristine: Pristine, unit: str) -> bool:
    path = f"{SYSTEM}/{unit}"
    return path in pristine.entries and _is_nothing(pristine, path)
