"""The starts of the stand-in as processes on another kernel: all of it but firmware and kernel.

Run in a file system that is its RAM disk, with ``DISK`` naming the one block device that it may
touch; see ``tests/integration/test_windows_starts.py``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from standin.windows import inside

DISK = Path(os.environ["DISK"])
ADDRESS = "fa:16:3e:00:00:01"
PRESSED = Path("/tmp/power-button")
_run = inside.run


def run(*argv: str, stdin: str = "") -> None:
    """A program; what the kernel and ``mdev`` do for partitions is done here."""
    if argv[0] != "mdev":
        _run(*argv, stdin=stdin)
        return
    _run("partx", "-u", str(DISK))
    for folder in (Path("/sys/block") / DISK.name).glob(f"{DISK.name}p*"):
        major, minor = map(int, (folder / "dev").read_text().split(":"))
        node = DISK.parent / folder.name
        node.unlink(missing_ok=True)
        os.mknod(node, 0o60600, os.makedev(major, minor))


def parts(_disk: Path) -> Iterator[Path]:
    for one in DISK.parent.glob(f"{DISK.name}p*"):
        yield one.with_name(f"{DISK.name}{one.name.rpartition('p')[2]}")


def power(how: str) -> None:
    _run("umount", str(inside.C))
    print("power:", how, flush=True)
    os._exit(0)  # of all threads, as a machine ends


def console(line: str) -> None:
    with open("/tmp/console", "a") as port:
        port.write(f"{line}\r\n")


def await_power_button() -> None:
    while not PRESSED.exists():
        time.sleep(0.1)


class Files(type(Path())):  # type: ignore[misc]
    """The files of this kernel, with the address of a network card that is not there."""

    def read_text(self, *arguments: str, **options: str) -> str:
        if str(self).startswith("/sys/class/net"):
            return f"{ADDRESS}\n"
        return str(super().read_text(*arguments, **options))


if __name__ == "__main__":
    inside.run, inside.parts, inside.power, inside.console = run, parts, power, console  # type: ignore[assignment]
    inside.disks = lambda: (DISK, "virtio")
    inside.other_disks = lambda _disk: []
    inside.part = lambda _disk, number: f"{DISK}p{number}"
    inside.media = lambda: iter([Path("/media/sr0")])
    inside.network = lambda: None
    inside.await_power_button = await_power_button
    inside.Path = Files  # type: ignore[misc]
    if sys.argv[1] == "setup":
        inside.install()
        print("power: reboot")
    else:
        inside.start()
