"""The root file system of a release as it was before any boot.

A booted machine has already written over much of what the build left. So the pristine disk is
plugged into the running instance as a second disk, read-only, and looked at from there: the guest
knows its own file system, and nothing has to be unpacked outside.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from imagecycle.errors import ImagecycleError
from imagecycle.machine import hardware
from imagecycle.machine.monitor import Monitor
from imagecycle.verify.session import Session

MOUNT = "/run/imagecycle-pristine"
SERIAL = "pristine"
_MOUNT_SCRIPT = f"""
set -e
source=$(findmnt -no SOURCE /)
case $(findmnt -no FSTYPE /) in
    ext?) options=ro,noload ;;
    xfs) options=ro,norecovery,nouuid ;;
    *) options=ro ;;
esac
disk=/dev/disk/by-id/virtio-{SERIAL}
number=$(cat /sys/class/block/$(basename "$source")/partition 2>/dev/null || true)
device=$disk${{number:+-part$number}}
i=0
until [ -e "$device" ]; do
    [ $i -lt 150 ] || {{ echo "$device did not appear"; exit 1; }}
    sleep 0.1
    i=$((i + 1))
done
mkdir -p {MOUNT}
mount -o "$options" "$device" {MOUNT}
""".strip()


@dataclass(frozen=True)
class Pristine:
    """The mounted file system; ``root`` runs commands as root where it is mounted."""

    root: Any
    """A testinfra host"""

    @classmethod
    def attach(cls, session: Session, monitor: Monitor, root: Any) -> Pristine:
        """Plug the disk in and mount it.

        :raises ImagecycleError: when the guest does not see it or cannot mount it.
        """
        monitor.execute(
            "blockdev-add",
            node_name=SERIAL,
            driver="qcow2",
            read_only=True,
            file={"driver": "file", "filename": str(session.disk), "read-only": True},
        )
        place = {"bus": hardware.HOTPLUG_BUS} if session.q35 else {}
        monitor.execute(
            "device_add", driver="virtio-blk-pci", id=SERIAL, drive=SERIAL, serial=SERIAL, **place
        )
        mounted = root.run(_MOUNT_SCRIPT)
        if mounted.rc != 0:
            said = (mounted.stdout + mounted.stderr).strip()
            raise ImagecycleError(f"the pristine disk cannot be looked at: {said}")
        return cls(root)

    def run(self, script: str) -> str:
        """The output of a shell script that runs in the top folder of the file system."""
        shown = self.root.run(f"cd {MOUNT} || exit 1\n{script}")
        return str(shown.stdout)

    def found(self, *places: str) -> list[str]:
        """Those of the places that exist, with a leading ``/``; wildcards are allowed."""
        patterns = " ".join(place.lstrip("/") for place in places)
        script = f'for path in {patterns}; do [ -e "$path" ] && echo "/$path"; done; true'
        return self.run(script).splitlines()

    def files(self, *folders: str, beside: tuple[str, ...] = ()) -> list[str]:
        """The files that are not empty below the folders, but for the named ones."""
        places = " ".join(folder.lstrip("/") for folder in folders)
        less = " ".join(f"! -path {shlex.quote(path.lstrip('/'))}" for path in beside)
        script = f"find {places} -type f -size +0 {less} 2>/dev/null | sort"
        return [f"/{line}" for line in self.run(script).splitlines()]
