"""What an install medium says it is: the system, its version and its architecture.

Vendors leave a file for that: Red Hat and its relatives ``.treeinfo``, Debian and Ubuntu
``.disk/info``, SUSE ``media.1/products``.
"""

from __future__ import annotations

import configparser
import contextlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from imagecycle.errors import ImagecycleError
from imagecycle.systems.iso_editing import Medium

TREEINFO, DISK_INFO, PRODUCTS = "/.treeinfo", "/.disk/info", "/media.1/products"
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


@dataclass(frozen=True)
class Identity:
    """What a medium is; ``arch`` is empty where it does not say."""

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

    :raises ImagecycleError: when it is no ISO image.
    """
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
            return read(text, files)
    return None


def unfit(found: Identity, distro: str, version: str, arch: str) -> str:
    """Why a medium cannot install a system; nothing when it can.

    :param version: as the catalog has it; a medium may be more exact, as 9.6 is of 9.
    """
    wanted = version.removeprefix("stream")
    if found.distro != distro:
        return f"it is {found}, and no medium of {distro}"
    if wanted[:1].isdigit() and not _is_of(found.version, wanted):
        return f"it is {found}, and the catalog says {version}"
    if found.arch and found.arch != arch:
        return f"it is {found}, and the catalog says {arch}"
    if not found.packages:
        return f"it is {found}, but an installer without packages"
    return ""


def _is_of(exact: str, wanted: str) -> bool:
    return exact.split(".")[: len(wanted.split("."))] == wanted.split(".")


def _treeinfo(text: str, files: list[str]) -> Identity | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    with contextlib.suppress(configparser.Error):
        parser.read_string(text)
    if not parser.has_section("general"):
        return None
    general = parser["general"]
    name, version = general.get("family", ""), general.get("version", "")
    packages = any(path.endswith("/repodata/repomd.xml") or path.endswith(".rpm") for path in files)
    return _identity(name, version, general.get("arch", ""), packages)


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
