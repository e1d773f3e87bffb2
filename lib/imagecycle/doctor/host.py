"""The doctor looks at the machine: accelerator, disk, memory."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from imagecycle import command
from imagecycle.catalog import load
from imagecycle.doctor.finding import Finding, failed, ok, warning
from imagecycle.machine import accelerator as accelerators
from imagecycle.shipped import SETUP
from imagecycle.site import Site

GIB = 2**30
SPACE_NEEDED = 6 * GIB
"""One build of a 3 GiB disk: install tree, disk, compressed disk."""
SPACE_WANTED = 20 * GIB
MEMORY_BESIDE = 512
"""MiB for all but the guest that is installed."""
QEMU_USER = "libvirt-qemu"


def accelerator(site: Site, fresh: bool) -> Finding:
    """What guests run with."""
    found = accelerators.find(site, fresh=fresh)
    if found.kind == accelerators.KVM:
        return ok(f"KVM: {found.reason}")
    return warning(
        f"software emulation: {found.reason}",
        "everything works, only slower; KVM needs a machine with hardware virtualisation",
    )


def state_folder(site: Site, fresh: bool) -> Finding:
    """Whether this user may write there, and QEMU's user may enter."""
    folder = _existing(site.home)
    if not os.access(folder, os.W_OK | os.X_OK):
        return failed(
            f"this user may not write to {folder}",
            "run as root, or name another folder with `home` in the site's settings",
        )
    if os.geteuid() != 0:
        return ok(f"{site.home} (whether {QEMU_USER} may enter it, only root can tell)")
    words = ["setpriv", "--reuid", QEMU_USER, "--regid", QEMU_USER, "--init-groups"]
    entered = command.run([*words, "test", "-x", folder], timeout=10, check=False)
    if entered.returncode == 1 and not entered.stderr:
        return failed(
            f"{QEMU_USER}, as whom libvirt runs QEMU, may not enter {folder}",
            "give others the right to enter it and all folders above it (chmod o+x), "
            "or name another folder with `home` in the site's settings",
        )
    if entered.returncode != 0:
        return failed(f"there is no user {QEMU_USER}", SETUP)
    return ok(str(site.home))


def disk_space(site: Site, fresh: bool) -> Finding:
    """Room for a build in the state folder."""
    folder = _existing(site.home)
    free = shutil.disk_usage(folder).free
    seen = f"{free / GIB:.1f} GiB free for {site.home}"
    way_out = f"a build needs about {SPACE_NEEDED // GIB} GiB; make room, or move `home`"
    if free < SPACE_NEEDED:
        return failed(seen, way_out)
    return warning(seen, way_out) if free < SPACE_WANTED else ok(seen)


def memory(site: Site, fresh: bool) -> Finding:
    """Memory for the guest of an installation, of the systems whose media are configured."""
    text = Path("/proc/meminfo").read_text()
    match = re.search(r"^MemAvailable:\s+(\d+) kB$", text, re.MULTILINE)
    available = int(match[1]) // 1024 if match else 0
    families = load(site.catalog)
    installed = [one for one in families if one.media.configured] or families
    guest = max(one.install_memory_mib for one in installed)
    seen = f"{available} MiB available; an installation takes up to {guest} MiB"
    way_out = "end other programs, or lower memory.install in the catalog"
    if available < guest:
        return failed(seen, way_out)
    return warning(seen, way_out) if available < guest + MEMORY_BESIDE else ok(seen)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    while not folder.exists():
        folder = folder.parent
    return folder
