"""What machines made from one image must not share, and what nobody needs: taken off the disk."""

from __future__ import annotations

from imagecycle import log
from imagecycle.systems import selinux
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.linux import Linux

MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
SHADOW = "/etc/shadow"
LOCKED = "*"


def clean(files: SystemFiles, system: Linux) -> dict[str, int]:
    """Clean a system on a disk.

    :returns: how many things of each kind were taken off.
    """
    counts: dict[str, int] = {}
    for kind, patterns in system.removed.items():
        found = [path for pattern in patterns for path in files.glob(pattern)]
        for path in found:
            files.remove(path)
        counts[kind] = len(found)
    logs = files.files_below("/var/log")
    for path in logs:
        files.empty(path)
    counts["logs"] = len(logs)
    counts["machine ids"] = _clean_machine_ids(files)
    counts["passwords"] = _lock_passwords(files)
    return counts


def label(files: SystemFiles, system: Linux) -> None:
    """Set the labels of all files anew, where the system has any; after all else is done."""
    if system.has_labels and (contexts := selinux.contexts(files)):
        with log.step("SELinux labels"):
            files.relabel(contexts)


def _clean_machine_ids(files: SystemFiles) -> int:
    etc, dbus = MACHINE_IDS
    known = files.exists(etc) and bool(files.read(etc).strip())
    # empty and not away: systemd then makes one at boot, and does not take it for a first boot
    files.write(etc, b"", 0o444)
    files.remove(dbus)
    return int(known)


def _lock_passwords(files: SystemFiles) -> int:
    if not files.exists(SHADOW):
        return 0
    locked, lines = 0, []
    for line in files.read(SHADOW).decode().splitlines():
        account, _, rest = line.partition(":")
        password, _, others = rest.partition(":")
        if not password.startswith(("!", "*")):
            locked, line = locked + 1, f"{account}:{LOCKED}:{others}"
        lines.append(line)
    if locked:
        files.write(SHADOW, ("\n".join(lines) + "\n").encode(), 0o640)
    return locked
