"""Mandatory access control is on, as the system's vendor ships it."""

from collections.abc import Mapping

from imagecycle.systems.linux import Linux


def test_is_enforced(told: Mapping[str, str], system: Linux) -> None:
    """A hole in one service opens the whole server, which the vendor's confinement prevents."""
    wanted = system.access_control
    active = told["lsm"].strip().split(",")
    assert not wanted or wanted in active, f"{wanted} is not among {', '.join(active)}"
    if wanted == "apparmor":
        assert told["apparmor"] == "Y"
    if wanted == "selinux":
        assert told["selinux"] == "Enforcing"
