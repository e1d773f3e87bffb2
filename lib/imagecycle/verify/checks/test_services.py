"""What the image starts, works."""

from collections.abc import Iterator, Mapping

from imagecycle.systems.files import LINK
from imagecycle.systems.unowned import matches
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

SYSTEM = "/etc/systemd/system"
_RECORD = "/var/lib/systemd/deb-systemd-helper-enabled"
BROUGHT = ("/usr/lib/systemd/system", "/lib/systemd/system")
NORMAL = ("multi-user.target", "graphical.target")


def test_none_has_failed(told: Mapping[str, str]) -> None:
    """Part of the system does not work from the first minute, and monitoring says so."""
    assert [line.split()[0] for line in told["failed"].splitlines()] == []


def test_those_switched_on_are_declared(pristine: Pristine, defects: Defects) -> None:
    """Something listens or runs on every server that nobody asked for."""
    assert defects(_undeclared(pristine)) == []


def _undeclared(pristine: Pristine) -> Iterator[Finding]:
    places = f"{SYSTEM}/*.{{wants,requires}}/*"
    for path in pristine.found(places):
        name = path.rpartition("/")[2]
        recorded = path.replace(SYSTEM, _RECORD) in pristine.entries
        if not recorded and not any(matches(one, name) for one in pristine.system.enabled):
            yield Finding(name, f"is switched on in {path}")


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
