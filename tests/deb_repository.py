"""A package source for apt, with packages that are built here."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from signing import Signer

CONTROL = """\
Package: {name}
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@m.example>
Installed-Size: {size}
{depends}Description: {name}
"""


def package(
    folder: Path,
    name: str,
    files: dict[str, str] | None = None,
    *,
    depends: str = "",
    size: int = 8,
) -> None:
    """Build a package into a folder.

    :param size: KiB that it claims to need.
    """
    root = folder / f".{name}"
    (root / "DEBIAN").mkdir(parents=True)
    needs = f"Depends: {depends}\n" if depends else ""
    (root / "DEBIAN/control").write_text(CONTROL.format(name=name, size=size, depends=needs))
    for path, content in (files or {}).items():
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / path[1:]).write_text(content)
        if content.startswith("#!"):
            (root / path[1:]).chmod(0o755)
    argv = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", root, folder / f"{name}_1.0.deb"]
    subprocess.run(argv, check=True, timeout=60, capture_output=True)


def index(folder: Path, signer: Signer | None) -> None:
    """Write the index of the packages in a folder, signed or not."""
    stanzas = []
    for path in sorted(folder.glob("*.deb")):
        argv = ["dpkg-deb", "--field", path]
        fields = subprocess.run(argv, check=True, timeout=60, capture_output=True, text=True).stdout
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        stanzas.append(
            f"{fields.rstrip()}\nFilename: ./{path.name}\nSize: {path.stat().st_size}\n"
            f"SHA256: {digest}\n"
        )
    packages = "\n".join(stanzas).encode()
    (folder / "Packages").write_bytes(packages)
    release = (
        "Origin: site\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n"
        f" {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n"
    ).encode()
    (folder / "Release").write_bytes(release)
    (folder / "InRelease").unlink(missing_ok=True)
    if signer is not None:
        (folder / "InRelease").write_bytes(signer.around(release))
