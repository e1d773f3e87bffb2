"""Whose rules for sudo are looked at, on small systems in folders."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from imagecycle import systems
from imagecycle.build.offline import MountedSystem
from imagecycle.verify.checks.test_sudo import test_gives_nobody_more_than_the_system_does as check
from imagecycle.verify.findings import Defects
from imagecycle.verify.pristine import Pristine

OWN = 'root ALL=(ALL:ALL) ALL\nDefaults!/usr/sbin/visudo env_keep += "EDITOR"\n'
DEFECTS = Defects("sudo.gives_nobody_more_than_the_system_does", frozenset(), ())


def system_with(folder: Path, rules: str, path: str = "/etc/sudoers") -> Pristine:
    """A system whose package of sudo brings rules that are its own."""
    digest = hashlib.md5(OWN.encode()).hexdigest()
    status = (
        "Package: sudo\nStatus: install ok installed\nVersion: 1\n"
        f"Conffiles:\n /etc/sudoers {digest}\n\n"
    )
    for place, said in {"/etc/sudoers": OWN, path: rules, "/var/lib/dpkg/status": status}.items():
        (folder / place[1:]).parent.mkdir(parents=True, exist_ok=True)
        (folder / place[1:]).write_text(said)
    return Pristine(MountedSystem(folder), systems.linux("debian"), folder / "disk.raw")


def test_the_vendors_own_rules_are_the_systems(tmp_path: Path) -> None:
    check(system_with(tmp_path, OWN), DEFECTS)


@pytest.mark.parametrize("path", ["/etc/sudoers", "/etc/sudoers.d/builder"])
def test_a_rule_that_was_added_is_named(tmp_path: Path, path: str) -> None:
    system = system_with(tmp_path, f"builder ALL=(ALL) NOPASSWD: ALL\n{OWN}", path)
    with pytest.raises(AssertionError, match=f"{path}: says: builder ALL"):
        check(system, DEFECTS)
