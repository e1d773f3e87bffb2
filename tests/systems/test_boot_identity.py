"""What an installer's kernel and initial RAM disk say they are."""

from __future__ import annotations

import gzip
import platform
from pathlib import Path

import pytest

from imagecycle.build import cpio
from imagecycle.systems import boot_identity, medium_identity
from standin import installer

RELEASE = """DISTRIB_ID=Debian
DISTRIB_DESCRIPTION="Debian GNU/Linux installer"
DISTRIB_RELEASE="12 (bookworm) - installer build 20230607"
"""
KERNELS = {
    "x86_64": {0x202: b"HdrS", 0x236: b"\x7f\0"},
    "i386": {0x202: b"HdrS", 0x236: b"\x02\0"},
    "aarch64": {56: b"ARM\x64"},
    "": {},
}


@pytest.fixture
def initrd(tmp_path: Path) -> Path:
    """One with other files before and behind."""
    (tmp_path / "release").write_text(RELEASE)
    (tmp_path / "other").write_bytes(b"x" * 999)
    names = {"bin/sh": "other", "etc/lsb-release": "release", "etc/mtab": "other"}
    cpio.write(tmp_path / "archive", {name: tmp_path / file for name, file in names.items()})
    path = tmp_path / "initrd.gz"
    path.write_bytes(gzip.compress((tmp_path / "archive").read_bytes()))
    return path


def kernel(path: Path, arch: str) -> Path:
    head = bytearray(2048)
    for at, content in KERNELS[arch].items():
        head[at : at + len(content)] = content
    path.write_bytes(head)
    return path


@pytest.mark.parametrize("arch", KERNELS)
def test_an_installer_tells_its_system_and_its_architecture(
    arch: str, initrd: Path, tmp_path: Path
) -> None:
    found = boot_identity.identify(kernel(tmp_path / "linux", arch), initrd, "debian")
    assert found is not None
    assert (found.distro, found.version, found.arch) == ("debian", "12", arch)
    assert found.name == "Debian GNU/Linux installer 12"


def test_the_kernel_of_this_machine_is_of_its_architecture(tmp_path: Path) -> None:
    (tmp_path / "linux").write_bytes(installer.kernel())
    assert boot_identity.architecture(tmp_path / "linux") == platform.machine()


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (("debian", "12", "x86_64"), ""),
        (("debian", "13", "x86_64"), "and the catalog says 13"),
        (("debian", "12", "aarch64"), "and the catalog says aarch64"),
        (("ubuntu", "12", "x86_64"), "and no medium of ubuntu"),
    ],
)
def test_another_installer_is_no_medium_of_a_system(
    wanted: tuple[str, str, str], why: str, initrd: Path, tmp_path: Path
) -> None:
    found = boot_identity.identify(kernel(tmp_path / "linux", "x86_64"), initrd, wanted[0])
    assert found is not None
    assert medium_identity.unfit(found, *wanted).endswith(why)
    assert bool(medium_identity.unfit(found, *wanted)) == bool(why)


@pytest.mark.parametrize(
    "content", [b"", b"text", gzip.compress(b"text", mtime=0), b"\x1f\x8b\x08broken"]
)
def test_what_says_nothing_is_not_guessed(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "initrd").write_bytes(content)
    (tmp_path / "linux").write_bytes(b"kernel")
    assert boot_identity.identify(tmp_path / "linux", tmp_path / "initrd", "debian") is None
