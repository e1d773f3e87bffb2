"""What an install medium says it is: the system, its version and its architecture.

Vendors leave a file for that: Red Hat and its relatives ``.treeinfo``, Debian and Ubuntu
``.disk/info``, SUSE ``media.1/products``. What those do not say, libosinfo is asked for, whose
database knows media by their labels.
"""

from __future__ import annotations

import re
import struct
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from imagecycle.errors import ImagecycleError
from imagecycle.systems import osinfo, treeinfo
from imagecycle.systems.iso_editing import Medium

TREEINFO, DISK_INFO, PRODUCTS = f"/{treeinfo.NAME}", "/.disk/info", "/media.1/products"
_DISTROS = (
    (r"Red Hat Enterprise Linux|RHEL", "rhel"),
    (r"AlmaLinux", "almalinux"),
    (r"Rocky", "rocky"),
    (r"Oracle", "ol"),
    (r"CentOS", "centos"),
    (r"Scientific Linux|SLC", "slc"),
    (r"Fedora", "fedora"),
    (r"Ubuntu", "ubuntu"),
    (r"Debian", "debian"),
    (r"openSUSE|Leap", "opensuse"),
    (r"SLES|SUSE Linux Enterprise", "sles"),
)
"""What media call themselves, and Glance's os_distro"""
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_DISK = re.compile(
    r"^(?P<name>[A-Za-z/ -]+?)\s+(?P<version>\d[\d.]*).*?(?P<arch>amd64|arm64|i386)", re.DOTALL
)
_PRODUCT = re.compile(
    r"^\S+\s+(?P<name>[A-Za-z-]+?)(?:\d+)?(?:-SP\d+)?\s+(?P<version>\d+(?:\.\d+)?)"
)


_DESCRIPTOR = 16 * 2048
"""Where the primary volume descriptor of an ISO image is: ECMA-119, 8.4"""
_PAD = 150 * 2048
"""What mkisofs adds behind an image, and not every copy has"""
_TAIL = (".rpm", ".deb", ".squashfs", "/squashfs.img", "/repodata/repomd.xml")


@dataclass(frozen=True)
class Identity:
    """What a medium is; ``version`` and ``arch`` are empty where it does not say."""

    name: str
    """In its own words: ``Rocky Linux 9.6``"""
    distro: str
    version: str
    arch: str
    packages: bool
    """Whether there is something on it to install, and not only an installer"""

    def __str__(self) -> str:
        return f"{self.name}{f' for {self.arch}' if self.arch else ''}"


def identify(iso: Path) -> Identity | None:
    """What an ISO image says it is; None where it says nothing that is known.

    :raises ImagecycleError: when it is no ISO image, or not the whole of one.
    """
    _refuse_truncated(iso)
    medium = Medium(iso)
    files = medium.files()
    if not files:
        raise ImagecycleError(
            f"{iso.name} is no ISO image",
            hint="a page with an error message in place of the file? compare its size",
        )
    readers = ((TREEINFO, _treeinfo), (DISK_INFO, _disk_info), (PRODUCTS, _products))
    for path, read in readers:
        if path in files:
            with tempfile.TemporaryDirectory(prefix="medium-") as scratch:
                text = medium.extract(path, Path(scratch) / "info").read_text(errors="replace")
            found = read(text, files)
            return found if found is None or found.arch else _completed(found, iso, files)
    return _known_by_its_label(iso, files)


def damaged(iso: Path) -> list[str]:
    """The files of a medium that differ from the checksums in its ``.treeinfo``."""
    medium = Medium(iso)
    files = set(medium.files())
    if TREEINFO not in files:
        return []
    with tempfile.TemporaryDirectory(prefix="medium-") as scratch:
        copy = Path(scratch) / "file"
        info = treeinfo.read(medium.extract(TREEINFO, copy).read_text(errors="replace"))
        listed = [path for path in (info.checksums if info else ()) if f"/{path}" in files]
        return [
            f"/{path}"
            for path in listed
            if info and info.differs(path, medium.extract(f"/{path}", copy))
        ]


def of_tree(info: treeinfo.TreeInfo) -> Identity | None:
    """What an install tree says it is; its packages may be elsewhere."""
    return _identity(info.family, info.version, info.arch, packages=True)


def unfit(found: Identity, distro: str, version: str, arch: str) -> str:
    """Why a medium cannot install a system; nothing when it can.

    :param version: as the catalog has it; a medium may be more exact, as 9.6 is of 9.
    """
    wanted = version.removeprefix("stream")
    if found.distro != distro:
        return f"it is {found}, and no medium of {distro}"
    if found.version and wanted[:1].isdigit() and not _is_of(found.version, wanted):
        return f"it is {found}, and the catalog says {version}"
    if found.arch and found.arch != arch:
        return f"it is {found}, and the catalog says {arch}"
    if not found.packages:
        return f"it is {found}, but an installer without packages"
    return ""


def _is_of(exact: str, wanted: str) -> bool:
    return exact.split(".")[: len(wanted.split("."))] == wanted.split(".")


def _refuse_truncated(iso: Path) -> None:
    """:raises ImagecycleError: when an image is shorter than it says."""
    with iso.open("rb") as stream:
        stream.seek(_DESCRIPTOR)
        head = stream.read(132)
    if len(head) < 132 or head[1:6] != b"CD001":
        return
    (blocks,), (size,) = struct.unpack_from("<I", head, 80), struct.unpack_from("<H", head, 128)
    whole, there = blocks * size, iso.stat().st_size
    if there + _PAD < whole:
        raise ImagecycleError(
            f"{iso.name} is truncated: {there} of {whole} bytes are there",
            hint="fetch it again, and take its checksum from the vendor and not from the file",
        )


def _known_by_its_label(iso: Path, files: list[str]) -> Identity | None:
    known = osinfo.detect(iso)
    if known is None:
        return None
    packages = any(path.endswith(_TAIL) for path in files)
    return _identity(known.name, known.version, known.arch, packages)


def _completed(found: Identity, iso: Path, files: list[str]) -> Identity:
    """An identity with the architecture that libosinfo knows, where that is of the same system."""
    known = _known_by_its_label(iso, files)
    fits = known is not None and known.distro == found.distro
    return replace(found, arch=known.arch) if fits and known is not None else found


def _treeinfo(text: str, files: list[str]) -> Identity | None:
    packages = any(path.endswith("/repodata/repomd.xml") or path.endswith(".rpm") for path in files)
    info = treeinfo.read(text)
    return _identity(info.family, info.version, info.arch, packages) if info else None


def _disk_info(text: str, files: list[str]) -> Identity | None:
    found = _DISK.match(text.strip())
    if found is None:
        return None
    name = found["name"].replace("-Server", "").strip()
    packages = any(path.startswith(("/casper/", "/pool/", "/live/")) for path in files)
    return _identity(name, found["version"], found["arch"], packages)


def _products(text: str, files: list[str]) -> Identity | None:
    found = _PRODUCT.match(text.strip())
    if found is None:
        return None
    packages = any(path.endswith((".rpm", ".squashfs", "/squashfs.img")) for path in files)
    arch = next(
        (arch for arch in ("x86_64", "aarch64") if any(f"/boot/{arch}/" in f for f in files)), ""
    )
    return _identity(found["name"], found["version"], arch, packages)


def _identity(name: str, version: str, arch: str, packages: bool) -> Identity | None:
    for pattern, distro in _DISTROS:
        if re.search(pattern, name):
            known = _ARCHITECTURES.get(arch, arch)
            return Identity(f"{name} {version}", distro, version, known, packages)
    return None
