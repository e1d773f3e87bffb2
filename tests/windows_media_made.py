"""Media with the layout of Microsoft's, made for tests."""

import struct
import subprocess
from pathlib import Path

from imagecycle.systems import windows_media, windows_oz


def image(
    index: int,
    name: str,
    edition: str,
    arch: int = 9,
    language: str = "en-US",
    kind: str = "Server",
    build: int = 20348,
) -> str:
    """One entry of a list of images."""
    return (
        f'<IMAGE INDEX="{index}"><NAME>{name}</NAME><WINDOWS><ARCH>{arch}</ARCH>'
        f"<EDITIONID>{edition}</EDITIONID><INSTALLATIONTYPE>{kind}</INSTALLATIONTYPE>"
        f"<LANGUAGES><LANGUAGE>{language}</LANGUAGE></LANGUAGES>"
        f"<VERSION><BUILD>{build}</BUILD></VERSION></WINDOWS></IMAGE>"
    )


CORE = image(1, "Windows Server 2022 SERVERSTANDARDCORE", "ServerStandard", kind="Server Core")
FULL = image(2, "Windows Server 2022 SERVERSTANDARD", "ServerStandard")


def wim(folder: Path, *images: str) -> Path:
    """A file with a list of images, and no image."""
    listed = f"<WIM>{''.join(images)}</WIM>".encode("utf-16")
    header = bytearray(208)
    header[:8] = b"MSWIM\0\0\0"
    struct.pack_into("<QQ", header, 72, len(listed) | 2 << 56, 208)
    path = folder / "install.wim"
    path.write_bytes(bytes(header) + listed)
    return path


def tree(folder: Path, *images: str) -> Path:
    """The files of a medium that offers images; its boot images boot nothing."""
    for name in (windows_media.BIOS_BOOT, windows_media.UEFI_BOOT, windows_oz.ASKS_FOR_A_KEY):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() + bytes(4096))
    (folder / "sources").mkdir()
    wim(folder / "sources", *images)
    return folder


def iso(tree: Path) -> Path:
    """A medium of these files."""
    path = tree.parent / "a medium.iso"
    argv = ("genisoimage", "-quiet", "-udf", "-iso-level", "3", "-o", path, tree)
    subprocess.run(argv, check=True, timeout=60)
    return path
