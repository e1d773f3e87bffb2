"""Root file systems of systems with RPM, made with Debian's rpm of packages that are built here."""

from __future__ import annotations

import sqlite3
import struct
import subprocess
from pathlib import Path

from signing import Signer

SPEC = """\
Name: {name}
Version: {version}
Release: 1.el9
{epoch}
Summary: {name}
License: MIT
BuildArch: noarch
%description
{name}
%install
mkdir -p %{{buildroot}}/usr/share/{name} %{{buildroot}}/etc
echo {name} >%{{buildroot}}/usr/share/{name}/data
echo setting >%{{buildroot}}/etc/{name}.conf
%files
%dir /usr/share/{name}
/usr/share/{name}/data
%config /etc/{name}.conf
"""
PACKAGES = (("alpha", "1.0", ""), ("beta", "2.5", "Epoch: 3"))


def build(folder: Path) -> list[Path]:
    """Build the packages."""
    for name, version, epoch in PACKAGES:
        spec = folder / f"{name}.spec"
        spec.write_text(SPEC.format(name=name, version=version, epoch=epoch))
        _run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder}/build", spec)
    return sorted((folder / "build" / "RPMS").rglob("*.rpm"))


def install(root: Path, packages: list[Path], folder: str) -> None:
    """Install packages into a root file system, with the database, SQLite, in a folder."""
    where = (f"--root={root}", f"--dbpath={folder}")
    _run("rpm", *where, "--install", "--nodeps", "--nosignature", *packages)


def as_ndb(root: Path, folder: str) -> None:
    """Turn the database into one of SUSE's form."""
    place, blobs = _emptied(root, folder)
    slots, content, block = b"", b"", 4096 // 16
    for number, blob in enumerate(blobs, start=1):
        part = struct.pack("<4sIII", b"BlbS", number, 1, len(blob)) + blob
        part += struct.pack("<II4s", 0, len(blob), b"BlbE")
        part += b"\0" * (-len(part) % 16)
        slots += struct.pack("<4sIII", b"Slot", number, block, len(part) // 16)
        content, block = content + part, block + len(part) // 16
    free = struct.pack("<4sIII", b"Slot", 0, 0, 0)
    head = struct.pack("<4sIIIIIII", b"RpmP", 0, 1, 1, len(blobs) + 1, 0, 0, 0)
    page = (head + slots + free * 256)[:4096]
    (place / "Packages.db").write_bytes(page + content)


def _run(*words: str | Path) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=120)


def as_berkeley(root: Path, folder: str) -> None:
    """Turn the database into one of the form that Red Hat's had before SQLite."""
    place, blobs = _emptied(root, folder)
    lines = ["VERSION=3", "format=bytevalue", "type=hash", "db_lorder=1234", "HEADER=END"]
    for number, blob in enumerate([struct.pack("<I", len(blobs)), *blobs]):
        lines += [f" {struct.pack('<I', number).hex()}", f" {blob.hex()}"]
    dump = place / "dump"
    dump.write_text("\n".join([*lines, "DATA=END", ""]))
    _run("db5.3_load", "-f", dump, place / "Packages")
    dump.unlink()


def _emptied(root: Path, folder: str) -> tuple[Path, list[bytes]]:
    """The place of a database, without it, and the headers that were in it."""
    place = root / folder[1:]
    connection = sqlite3.connect(place / "rpmdb.sqlite")
    blobs = [blob for (blob,) in connection.execute("SELECT blob FROM Packages")]
    connection.close()
    for path in place.iterdir():
        path.unlink()
    return place, blobs


def sign(packages: list[Path], signer: Signer) -> None:
    """Sign packages as their vendor does."""
    for package in packages:
        macros = ("_gpg_name vendor", f"_gpg_path {signer.home}", "__gpg /usr/bin/gpg")
        words = [word for one in macros for word in ("--define", one)]
        _run("rpmsign", *words, "--addsign", package)
