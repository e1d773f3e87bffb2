"""The documentation says of each operation of virt-sysprep what really becomes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagecycle.build import clean
from imagecycle.build.offline import MountedSystem
from imagecycle.systems.debian import Debian
from sabotages import checks

DOCUMENT = Path(__file__).parents[2] / "docs/cleaning.rst"
ROW = re.compile(r"   \* - ``([a-z-]+)``\n     - (.*)\n     -(.*)\n")
OPERATIONS = (
    "abrt-data",
    "backup-files",
    "bash-history",
    "blkid-tab",
    "ca-certificates",
    "crash-data",
    "cron-spool",
    "customize",
    "dhcp-client-state",
    "dhcp-server-state",
    "dovecot-data",
    "firewall-rules",
    "flag-reconfiguration",
    "fs-uuids",
    "ipa-client",
    "kerberos-data",
    "kerberos-hostkeytab",
    "logfiles",
    "lvm-system-devices",
    "lvm-uuids",
    "machine-id",
    "mail-spool",
    "net-hostname",
    "net-hwaddr",
    "net-nmconn",
    "pacct-log",
    "package-manager-cache",
    "pam-data",
    "passwd-backups",
    "puppet-data-log",
    "rh-subscription-manager",
    "rhn-systemid",
    "rpm-db",
    "samba-db-log",
    "script",
    "smolt-uuid",
    "ssh-hostkeys",
    "ssh-userdir",
    "sssd-db-log",
    "tmp-files",
    "udev-persistent-net",
    "user-account",
    "utmp",
    "yum-uuid",
)
"""Of `virt-sysprep --list-operations`, guestfs-tools 1.48, and what came later"""


@pytest.fixture(scope="module")
def rows() -> dict[str, tuple[str, str]]:
    """What becomes of each operation, and the remark."""
    found = ROW.findall(DOCUMENT.read_text())
    return {operation: (here, remark.strip()) for operation, here, remark in found}


def test_every_operation_stands_in_the_table_once(rows: dict[str, tuple[str, str]]) -> None:
    assert sorted(rows) == sorted(OPERATIONS)
    assert len(ROW.findall(DOCUMENT.read_text())) == len(OPERATIONS)


def test_what_is_removed_is_removed_by_a_rule_of_that_name(
    rows: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "etc").mkdir()
    rules = clean.clean(MountedSystem(tmp_path), Debian())
    removed = {name for here, _ in rows.values() for name in _named(here, "removed")}
    assert removed <= rules.keys()


def test_what_is_checked_is_checked_by_a_check_of_that_name(
    rows: dict[str, tuple[str, str]],
) -> None:
    checked = {name for here, _ in rows.values() for name in _named(here, "checked")}
    assert checked <= checks.offline().keys()


def test_each_operation_is_done_checked_or_left_out_with_a_reason(
    rows: dict[str, tuple[str, str]],
) -> None:
    for operation, (here, remark) in rows.items():
        named = [*_named(here, "removed"), *_named(here, "checked")]
        assert bool(named) != (here == "left out"), operation
        assert remark or here != "left out", operation


def _named(here: str, word: str) -> list[str]:
    """The names behind ``word:``, as in ``removed: ``a``, ``b``; checked: ``c```."""
    for part in here.split("; "):
        if part.startswith(f"{word}: "):
            return re.findall(r"``([^`]+)``", part)
    return []
