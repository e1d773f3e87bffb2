"""Wildcards of the rules for files that no package owns."""

import pytest

from imagecycle import systems
from imagecycle.systems.linux import Linux
from imagecycle.systems.unowned import matches


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/etc/fstab", "/etc/fstab"),
        ("/etc/*.conf", "/etc/a.conf"),
        ("/var/log/**", "/var/log/a/b/c.log"),
        ("/etc/{a,b}.conf", "/etc/b.conf"),
        ("/etc/[a-z]", "/etc/[a-z]"),
    ],
)
def test_a_pattern_is_that_of_a_path(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/etc/fstab", "/etc/fstab~"),
        ("/etc/*.conf", "/etc/d/a.conf"),
        ("/var/log/**", "/var/logs"),
        ("/etc/{a,b}.conf", "/etc/c.conf"),
        ("/etc/a.conf", "/etc/abconf"),
        ("/etc/[a-z]", "/etc/a"),
    ],
)
def test_a_pattern_is_not_that_of_another_path(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


@pytest.mark.parametrize(
    "system",
    [system for system in systems.SYSTEMS if isinstance(system, Linux)],
    ids=lambda system: system.name,
)
def test_every_rule_has_a_place_and_a_reason(system: Linux) -> None:
    for rule in system.unowned:
        assert rule.path.startswith("/"), rule
        assert rule.reason, rule
        assert not (rule.leads_to_owned and rule.copy_of), rule


@pytest.mark.parametrize("path", ["/etc/.updated", "/var/.updated"])
def test_what_systemd_notes_when_it_starts_is_explained(path: str) -> None:
    """Debian 13 has it where the installation was started to be customised."""
    assert any(rule.matches(path) for rule in systems.linux("debian").unowned)


@pytest.mark.parametrize("name", ["vmlinuz", "config", "System.map"])
def test_a_kernel_in_boot_is_a_copy_of_the_packages_own(name: str) -> None:
    """As Debian 14 has it."""
    path, own = f"/boot/{name}-7.2.12+deb14-amd64", f"/usr/lib/modules/7.2.12+deb14-amd64/{name}"
    (rule,) = [one for one in systems.linux("debian").unowned if one.matches(path)]
    assert rule.copy_of and rule.source(path) == own
