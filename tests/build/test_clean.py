"""What cleaning takes off a system, and what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagecycle.build import clean
from imagecycle.build.offline import MountedSystem
from imagecycle.systems.debian import Debian

SHADOW = """root:$y$j9T$salt$hash:19000:0:99999:7:::
daemon:*:19000:0:99999:7:::
site:!:19000:0:99999:7:::
guest::19000:0:99999:7:::
"""


@pytest.fixture
def system(tmp_path: Path) -> MountedSystem:
    files = {
        "etc/apt/apt.conf.d/50site": "x",
        "etc/apt/apt.conf.d/99mmdebstrap": "x",
        "etc/dpkg/dpkg.cfg.d/99mmdebstrap": "x",
        "etc/.resolv.conf.systemd-resolved.bak": "nameserver 192.0.2.1\n",
        "etc/group-": "x",
        "etc/gshadow-": "x",
        "etc/passwd-": "x",
        "etc/shadow-": "root:$y$j9T$salt$hash:19000:0:99999:7:::\n",
        "etc/subgid-": "x",
        "etc/subuid-": "x",
        "var/cache/debconf/config.dat": "x",
        "var/cache/debconf/config.dat-old": "x",
        "var/lib/dpkg/status": "x",
        "var/lib/dpkg/status-old": "x",
        "var/lib/systemd/timers/stamp-apt-daily.timer": "",
        "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
        "etc/shadow": SHADOW,
        "etc/ssh/ssh_host_ed25519_key": "secret",
        "etc/ssh/ssh_host_ed25519_key.pub": "public",
        "etc/ssh/sshd_config": "UsePAM yes\n",
        "home/site/.bash_history": "ls",
        "root/.ssh/authorized_keys": "key",
        "tmp/.hidden": "x",
        "var/cache/apt/archives/a.deb": "x",
        "var/lib/cloud/instance/user-data.txt": "x",
        "var/lib/apt/lists/mirror_InRelease": "x",
        "var/lib/dbus/machine-id": "0123456789abcdef0123456789abcdef\n",
        "var/lib/dhcp/dhclient.leases": "x",
        "var/lib/systemd/random-seed": "x",
        "var/log/apt/history.log": "x",
        "var/log/cloud-init.log": "x",
        "var/log/journal/0123/system.journal": "x",
        "var/log/wtmp": "x",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return MountedSystem(tmp_path)


@pytest.mark.parametrize(
    "gone",
    [
        "/etc/.resolv.conf.systemd-resolved.bak",
        "/etc/apt/apt.conf.d/99mmdebstrap",
        "/etc/dpkg/dpkg.cfg.d/99mmdebstrap",
        "/etc/group-",
        "/etc/gshadow-",
        "/etc/passwd-",
        "/etc/shadow-",
        "/etc/ssh/ssh_host_ed25519_key",
        "/etc/ssh/ssh_host_ed25519_key.pub",
        "/etc/subgid-",
        "/etc/subuid-",
        "/home/site/.bash_history",
        "/root/.ssh",
        "/tmp/.hidden",
        "/var/cache/apt/archives/a.deb",
        "/var/lib/apt/lists/mirror_InRelease",
        "/var/lib/cloud/instance",
        "/var/lib/dbus/machine-id",
        "/var/lib/dhcp/dhclient.leases",
        "/var/lib/dpkg/status-old",
        "/var/lib/systemd/random-seed",
        "/var/lib/systemd/timers/stamp-apt-daily.timer",
        "/var/log/cloud-init.log",
        "/var/log/journal/0123",
    ],
)
def test_what_machines_must_not_share_is_removed(system: MountedSystem, gone: str) -> None:
    assert system.exists(gone)
    clean.clean(system, Debian())
    assert not system.exists(gone)


def test_configuration_and_folders_stay(system: MountedSystem) -> None:
    clean.clean(system, Debian())
    for kept in (
        "/etc/apt/apt.conf.d/50site",
        "/etc/ssh/sshd_config",
        "/tmp",
        "/var/cache/debconf/config.dat",
        "/var/lib/cloud",
        "/var/lib/dpkg/status",
        "/var/log/journal",
    ):
        assert system.exists(kept)


def test_the_machine_id_is_there_and_empty(system: MountedSystem) -> None:
    clean.clean(system, Debian())
    assert system.read("/etc/machine-id") == b""


def test_logs_are_emptied_where_they_stand(system: MountedSystem) -> None:
    clean.clean(system, Debian())
    assert system.read("/var/log/wtmp") == b""
    assert system.read("/var/log/apt/history.log") == b""


def test_no_account_keeps_a_password_nor_an_empty_one(system: MountedSystem) -> None:
    counts = clean.clean(system, Debian())
    fields = [line.split(":") for line in system.read("/etc/shadow").decode().splitlines()]
    assert {field[0]: field[1] for field in fields} == {
        "root": "*",
        "daemon": "*",
        "site": "!",
        "guest": "*",
    }
    assert all(field[2] == "19000" for field in fields)
    assert counts["passwords"] == 2


def test_cleaning_a_clean_system_finds_nothing_more_to_remove(system: MountedSystem) -> None:
    clean.clean(system, Debian())
    counts = clean.clean(system, Debian())
    assert {kind for kind, count in counts.items() if count} <= {"logs"}
