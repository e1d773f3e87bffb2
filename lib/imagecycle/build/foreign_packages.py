"""The packages of another architecture: fetched and unpacked here, as far as nothing of them runs.

The scripts of packages must be run by the system's own programs. ``dpkg`` of this machine unpacks
any package; the scripts that it would run before that are kept back for the machine in which the
packages are configured: :mod:`imagecycle.build.second_stage`.
"""

from __future__ import annotations

import io
import re
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command, log

INSTALLER = Path(__file__).parent / "installer"
PACKAGES = "packages"
TIME_LIMIT = 1200.0
"""Seconds"""
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
