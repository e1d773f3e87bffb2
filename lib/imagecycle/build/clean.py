"""What machines made from one image must not share, and what nobody needs: taken off the disk."""

from __future__ import annotations

from imagecycle.build.offline import System

REMOVED = {
    "host keys": ("/etc/ssh/ssh_host_*",),
    "random seeds": (
        "/var/lib/systemd/random-seed",
        "/var/lib/systemd/credential.secret",
        "/boot/efi/loader/random-seed",
    ),
    "leases": (
        "/var/lib/dhcp/*",
        "/var/lib/dhclient/*",
        "/var/lib/NetworkManager/*",
        "/var/lib/systemd/network/*",
    ),
    "package caches": (
        "/var/cache/apt/*.bin",
        "/var/cache/apt/archives/*.deb",
        "/var/cache/apt/archives/partial/*",
        "/var/lib/apt/lists/*",
        "/var/cache/dnf/*",
        "/var/cache/yum/*",
        "/var/cache/zypp/*",
    ),
    "instance data": ("/var/lib/cloud/*", "/etc/udev/rules.d/70-persistent-net.rules"),
    "journals": ("/var/log/journal/*", "/var/log/installer"),
    "old logs": ("/var/log/*.gz", "/var/log/*.[0-9]", "/var/log/cloud-init*.log"),
    "traces of people": (
        "/root/.ssh",
        "/root/.bash_history",
        "/root/.cache",
        "/root/.lesshst",
        "/root/.viminfo",
        "/root/.wget-hsts",
        "/home/*/.bash_history",
    ),
    "temporary files": ("/tmp/*", "/tmp/.[!.]*", "/var/tmp/*", "/var/tmp/.[!.]*"),
}
"""What is removed, by the name under which the build record counts it."""

MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
SHADOW = "/etc/shadow"
LOCKED = "*"


def clean(system: System) -> dict[str, int]:
    """Clean a Linux system; returns how many things of each kind were taken off."""
    counts: dict[str, int] = {}
    for kind, patterns in REMOVED.items():
        found = [path for pattern in patterns for path in system.glob(pattern)]
        for path in found:
            system.remove(path)
        counts[kind] = len(found)
    logs = system.files_below("/var/log")
    for path in logs:
        system.empty(path)
    counts["logs"] = len(logs)
    counts["machine ids"] = _clean_machine_ids(system)
    counts["passwords"] = _lock_passwords(system)
    return counts


def _clean_machine_ids(system: System) -> int:
    etc, dbus = MACHINE_IDS
    known = system.exists(etc) and bool(system.read(etc).strip())
    # empty and not away: systemd then makes one at boot, and does not take it for a first boot
    system.write(etc, b"", 0o444)
    system.remove(dbus)
    return int(known)


def _lock_passwords(system: System) -> int:
    if not system.exists(SHADOW):
        return 0
    locked, lines = 0, []
    for line in system.read(SHADOW).decode().splitlines():
        account, _, rest = line.partition(":")
        password, _, others = rest.partition(":")
        if not password.startswith(("!", "*")):
            locked, line = locked + 1, f"{account}:{LOCKED}:{others}"
        lines.append(line)
    if locked:
        system.write(SHADOW, ("\n".join(lines) + "\n").encode(), 0o640)
    return locked
