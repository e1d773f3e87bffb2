"""An ISO with virtio drivers as the virtio-win project lays it out, made for tests."""

import subprocess
from collections.abc import Collection
from pathlib import Path

DRIVERS = ("viostor", "vioscsi", "NetKVM", "Balloon", "vioserial", "viorng", "vioinput")
RELEASES = ("2k12R2", "2k16", "2k19", "2k22", "2k25", "w10", "w11")
INF = "[Version]\r\nSignature=$WINDOWS NT$\r\nDriverVer = 07/21/2025,100.101.104.28500\r\n"


def make(
    folder: Path, *, releases: Collection[str] = RELEASES, without: Collection[str] = ()
) -> Path:
    """The ISO; ``without`` names files such as ``viostor/2k22/amd64/viostor.sys``."""
    tree = folder / "virtio"
    for driver in DRIVERS:
        for release in releases:
            for arch in ("amd64", "x86"):
                place = tree / driver / release / arch
                place.mkdir(parents=True)
                name = driver.lower()
                encoding = "utf-16" if driver == "NetKVM" else "ascii"
                (place / f"{name}.inf").write_bytes(INF.encode(encoding))
                (place / f"{name}.sys").write_text(f"{driver} {release} {arch}")
                (place / f"{name}.cat").write_text("signature")
    (tree / "guest-agent").mkdir()
    (tree / "guest-agent" / "qemu-ga-x86_64.msi").write_text("agent")
    (tree / "virtio-win_license.txt").write_text("license")
    for name in without:
        (tree / name).unlink()
    path = folder / "virtio-win.iso"
    argv = ("genisoimage", "-quiet", "-J", "-r", "-o", path, tree)
    subprocess.run(argv, check=True, timeout=60)
    return path
