"""A root file system for another architecture: unpacked here, finished in a machine of its own.

The scripts of packages must be run by the system's own programs, and emulating those costs ten
times the work of this machine's processor. So all that needs none of them is done here: packages
are fetched and unpacked, and Python's modules compiled. Then one machine of the other architecture
is started on the result, in which ``dpkg`` configures the packages; see ``installer/second-stage``,
which is its first process.
"""

from __future__ import annotations

import io
import lzma
import re
import shutil
import signal
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command, log
from imagecycle.build import cpio
from imagecycle.errors import CommandFailed, ImagecycleError
from imagecycle.machine.platforms import Platform

INSTALLER = Path(__file__).parent / "installer"
PACKAGES = "packages"
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
_PYTHONS = re.compile(r"python3\.\d+")


def options(stage: Path, chosen: Sequence[str]) -> list[str]:
    """What ``mmdebstrap`` is told, so that it fetches and runs nothing.

    :param stage: receives the packages.
    """
    merged = 'for d in bin sbin lib; do mkdir -p "$1/usr/$d" && ln -s "usr/$d" "$1/$d"; done'
    return [
        "--variant=extract",
        "--include=?essential",
        "--include=?priority(required)",
        f"--include={','.join(('apt', *chosen))}",
        *([f"--setup-hook={merged}"] if "usr-is-merged" in chosen else []),
        f'--extract-hook=mv "$1"/var/cache/apt/archives/*.deb "{stage / PACKAGES}"',
    ]


def prepare(
    architecture: str, root: Path, stage: Path, chosen: Sequence[str], services: Sequence[str]
) -> None:
    """Do everything for the second stage that this machine can do.

    :param architecture: in Debian's word: ``arm64``.
    :param root: the root file system.
    :param stage: becomes the disk beside it; its packages are gone afterwards.
    :param services: those that are switched on.
    """
    shutil.copytree(INSTALLER, stage / "installer")
    (stage / "installer" / "second-stage").rename(stage / "second-stage")
    (stage / "services").write_text("".join(f"{service}\n" for service in services))
    with ThreadPoolExecutor() as pool:
        packages = list(pool.map(_examine, sorted((stage / PACKAGES).glob("*.deb"))))
    record = "".join(
        f"Package: {one.name}\nArchitecture: {architecture}\nAuto-Installed: 1\n\n"
        for one in sorted(packages, key=lambda one: one.name)
        if not (one.required or one.name in (*chosen, "apt"))
    )
    (root / "var/lib/apt/extended_states").write_text(record)
    _unpack(root, packages)
    (stage / "preinst").write_text("".join(_left_to_run(root, packages)))
    shutil.rmtree(stage / PACKAGES)
    if _compile_python(root):
        (stage / "compiled").write_text("#!/bin/sh\n# nothing is left to compile\n")
        (stage / "compiled").chmod(0o755)


def run(platform: Platform, root: Path, disk: Path, beside: Path) -> None:
    """Start a machine on the two disks in which the packages are installed.

    :param root: what ``disk`` was made from: kernel, modules and busybox are taken from there.
    :param beside: made from what :func:`prepare` has left.
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
    modules = list(_modules(root, release))
    for module in modules:
        plain = scratch / module.name.removesuffix(".xz")
        content = module.read_bytes()
        plain.write_bytes(lzma.decompress(content) if module.suffix == ".xz" else content)
        members[f"modules/{plain.name}"] = plain
    libraries = root / "usr/lib"
    for name in _LIBRARIES:
        (members[f"lib/{name}"],) = libraries.glob(f"*/{name}")
    for loader in (*libraries.glob("ld-linux*.so.?"), *(root / "usr/lib64").glob("ld-linux*.so.?")):
        members[f"{loader.parent.name}/{loader.name}"] = loader.resolve()
    init = scratch / "init"
    init.write_text(_INIT.format(modules=" ".join(n[8:] for n in members if n[:8] == "modules/")))
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


@dataclass(frozen=True)
class _Package:
    """A package whose file holds no ``preinst`` any more."""

    file: Path
    name: str
    architecture: str
    required: bool
    """Whether it is there for its own sake"""
    preinst: bytes
    """What ``dpkg`` would run before it unpacks the package"""


def _examine(deb: Path) -> _Package:
    form = "${Package} ${Architecture} ${Priority} ${Essential}"
    said = command.run(["dpkg-deb", "--show", f"--showformat={form}", deb], timeout=60).stdout
    name, architecture, priority, essential = said.split(" ")
    required = essential == "yes" or priority == "required"
    return _Package(deb, name, architecture, required, _take_preinst(deb))


def _take_preinst(deb: Path) -> bytes:
    """Rewrite a package without this script: an ``ar`` archive, see deb(5)."""
    taken = b""
    changed = deb.with_suffix(".changed")
    with deb.open("rb") as source, changed.open("wb") as target:
        target.write(source.read(8))
        while header := source.read(60):
            name, size = header[:16].decode().strip().rstrip("/"), int(header[48:58])
            content = source.read(size)
            source.read(size % 2)
            if name.startswith("control.tar"):
                name = "control.tar"
                taken, content = _parted(content)
            target.write(name.ljust(16).encode() + header[16:48])
            target.write(str(len(content)).ljust(10).encode() + header[58:60])
            target.write(content + b"\n" * (len(content) % 2))
    changed.replace(deb)
    return taken


def _parted(control: bytes) -> tuple[bytes, bytes]:
    """The ``preinst`` of a control archive, and the archive without it, not compressed."""
    taken, rest = b"", io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(control)) as old,
        tarfile.open(fileobj=rest, mode="w", format=tarfile.GNU_FORMAT) as new,
    ):
        for member in old:
            content = old.extractfile(member) if member.isreg() else None
            if content is not None and member.name.removeprefix("./") == "preinst":
                taken = content.read()
            else:
                new.addfile(member, content)
    return taken, rest.getvalue()


def _unpack(root: Path, packages: Sequence[_Package]) -> None:
    """Unpack with this machine's ``dpkg``, whose own settings leave out nothing of the system."""
    argv = ["dpkg", f"--root={root}", "--log=/dev/null", "--path-include=/*", "--no-triggers"]
    argv += ["--force-architecture", "--force-depends", "--force-unsafe-io", "--unpack"]
    files = [one.file for one in packages]
    command.run([*argv, *files], env={"LC_ALL": "C.UTF-8"}, timeout=TIME_LIMIT)


def _left_to_run(root: Path, packages: Sequence[_Package]) -> Iterator[str]:
    """Put each ``preinst`` where ``dpkg`` keeps it; its package, architecture and place, in lines.

    The first one makes the accounts.
    """
    kept = root / "var/lib/dpkg/info"
    for one in sorted(packages, key=lambda one: (one.name != "base-passwd", one.name)):
        if one.preinst:
            own = f"{one.name}:{one.architecture}"  # of what several architectures may share
            name = own if (kept / f"{own}.list").exists() else one.name
            script = kept / f"{name}.preinst"
            script.write_bytes(one.preinst)
            script.chmod(0o755)
            yield f"{one.name} {one.architecture} /{script.relative_to(root)}\n"


def _compile_python(root: Path) -> bool:
    """Compile Python's modules; whether this machine has the Python that can."""
    versions = [p.name for p in (root / "usr/lib").glob("python3.*") if _PYTHONS.fullmatch(p.name)]
    for version in versions:
        if not (program := shutil.which(version)):
            return False
        folders = [root / "usr/lib" / version, root / "usr/lib/python3/dist-packages"]
        words = ["-m", "compileall", "-q", "-j", "0", "-s", str(root), "-p", "/"]
        # what does not compile was not meant to
        command.run([program, *words, *folders], timeout=TIME_LIMIT, check=False)
    if versions:
        log.say(f"Python's modules are compiled for {', '.join(versions)}")
    return bool(versions)
