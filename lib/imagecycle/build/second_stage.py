"""A machine of another architecture in which the packages of a root file system are configured.

Emulating a system's programs costs ten times the work of this machine's processor. So all that
needs none of them has been done before (:mod:`imagecycle.build.foreign_packages`), and one machine
does the rest: ``installer/second-stage`` is its first process.
"""

from __future__ import annotations

import lzma
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

from imagecycle import command
from imagecycle.build import cpio
from imagecycle.errors import CommandFailed, ImagecycleError
from imagecycle.machine.platforms import Platform

INITRAMFS = "initramfs"
DONE = "second stage: done"
TIME_LIMIT = 3600.0
"""Seconds; it takes about ten minutes of a processor of 2020"""
_MEMORY_MIB = 1024
_PROCESSORS = 2
_MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
"""What mounts the root file system; a kernel may have some of it built in"""
_LIBRARIES = ("libc.so.6", "libresolv.so.2")
"""Of busybox"""
_SHOWN = 12  # last lines of the console, in a message
_INIT = """\
#!/bin/busybox sh
busybox=/bin/busybox
$busybox mount -t devtmpfs dev /dev
for module in {modules}; do
    $busybox insmod "/modules/$module"
done
$busybox mount -t ext4 -o nobarrier,noatime /dev/vda /root
$busybox mkdir -p /root/mnt
$busybox mount -t ext4 -o nobarrier,noatime /dev/vdb /root/mnt
exec $busybox switch_root /root /bin/sh /mnt/second-stage
"""


def run(platform: Platform, root: Path, disk: Path, beside: Path) -> None:
    """Start a machine on the two disks in which the packages are installed.

    :param root: what ``disk`` was made from: kernel, modules and busybox are taken from there.
    :param beside: made from what :func:`.foreign_packages.prepare` has left.
    :raises ImagecycleError: when it does not come to its end.
    """
    (kernel,) = (root / "boot").glob("vmlinuz-*")
    initrd, console = root.with_name("second-stage.cpio"), root.with_name("second-stage.log")
    with tempfile.TemporaryDirectory(dir=root.parent) as folder:
        _write_initrd(root, kernel.name.removeprefix("vmlinuz-"), Path(folder), initrd)
    argv = [
        *(platform.emulator, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-machine", platform.machines[0], "-accel", "tcg,thread=multi"),
        *("-cpu", platform.processor, "-smp", str(_PROCESSORS), "-m", str(_MEMORY_MIB)),
        *("-kernel", str(kernel), "-initrd", str(initrd)),
        *("-append", f"console={platform.serial} quiet panic=-1 mitigations=off rdinit=/init"),
        *_drive("root", disk),
        *_drive("beside", beside),
        *("-device", "virtio-rng-pci"),
        *("-chardev", f"file,id=console,path={console}", "-serial", "chardev:console"),
    ]
    try:
        command.run(argv, timeout=TIME_LIMIT)
    except CommandFailed as failure:
        raise ImagecycleError(_why(failure.message, console), hint=_hint(failure)) from None
    if DONE not in console.read_text(errors="replace"):
        raise ImagecycleError(
            _why(f"the packages could not be installed for {platform.arch}", console),
            hint="the package mirror may be in the middle of an update: try again later",
        )


def take(disk: Path, image: Path, beside: Path, initramfs: Path) -> None:
    """Take what the second stage has made.

    :param image: receives the root file system without what was deleted in it.
    :param initramfs: receives the installer's.
    """
    command.run(["e2fsck", "-f", "-y", disk], timeout=300, check=False)  # 1: it had to mend
    command.run(["e2fsck", "-f", "-n", disk], timeout=300)
    command.run(["e2image", "-r", "-a", disk, image], timeout=300)
    command.run(["debugfs", "-R", f"dump /{INITRAMFS} {initramfs}", beside], timeout=60)
    if not initramfs.exists() or not initramfs.stat().st_size:
        raise ImagecycleError("the second stage has left no initramfs")


def _drive(name: str, disk: Path) -> tuple[str, ...]:
    drive = f"if=none,id={name},file={disk},format=raw,cache=unsafe,discard=unmap"
    return ("-drive", drive, "-device", f"virtio-blk-pci,drive={name}")


def _why(message: str, console: Path) -> str:
    said = console.read_text(errors="replace").splitlines() if console.exists() else []
    return "\n".join([message, *(f"  | {line}" for line in said[-_SHOWN:])])


def _hint(failure: CommandFailed) -> str:
    if failure.returncode in (-signal.SIGSEGV, -signal.SIGABRT):
        return "the emulator crashed, which it does now and then: try again"
    return "look at the free disk space and memory with `imagecycle doctor`"


def _write_initrd(root: Path, release: str, scratch: Path, initrd: Path) -> None:
    """What mounts the root file system; Debian's own is made with the system's own programs."""
    members: dict[str, Path] = {"bin/busybox": _program(root, "busybox")}
    names = []
    for module in _modules(root, release):
        plain = scratch / module.name.removesuffix(".xz")
        content = module.read_bytes()
        plain.write_bytes(lzma.decompress(content) if module.suffix == ".xz" else content)
        members[f"modules/{plain.name}"] = plain
        names.append(plain.name)
    libraries = root / "lib"  # in /usr or not
    for name in _LIBRARIES:
        (members[f"lib/{name}"],) = libraries.glob(f"*/{name}")
    for loader in (*libraries.glob("ld-linux*.so.?"), *(root / "lib64").glob("ld-linux*.so.?")):
        members[f"{loader.parent.name}/{loader.name}"] = loader.resolve()
    init = scratch / "init"
    init.write_text(_INIT.format(modules=" ".join(names)))
    init.chmod(0o755)
    members["init"] = init
    cpio.write(initrd, members, folders=("dev", "root"))


def _program(root: Path, name: str) -> Path:
    return next(path for path in (root / "usr/bin" / name, root / "bin" / name) if path.exists())


def _modules(root: Path, release: str) -> Iterator[Path]:
    """The files of the modules and of what they depend on, in the order in which they go in."""
    command.run(["depmod", "--basedir", root, release], timeout=120)
    folder = root / "lib/modules" / release
    files: dict[str, list[str]] = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, needed = line.partition(":")
        name = path.rpartition("/")[2].partition(".")[0].replace("-", "_")
        files[name] = [*reversed(needed.split()), path]
    seen: set[str] = set()
    for name in _MODULES:
        for path in files.get(name, ()):
            if path not in seen:
                seen.add(path)
                yield folder / path
