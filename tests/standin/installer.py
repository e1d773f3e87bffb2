"""A stand-in for an installer: a kernel of this machine, and an initial RAM disk that tells on the
console what it was given: the kernel's arguments, and the answers on the medium.
"""

from __future__ import annotations

import gzip
import io
import platform
import subprocess
import tempfile
from pathlib import Path

BUSYBOX = Path("/bin/busybox")
"""Of Debian's package busybox-static"""
_MODULES = ("ata_piix", "virtio_pci", "virtio_scsi", "sr_mod", "isofs")

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /medium
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
for module in $(/bin/busybox cat /modules/order); do /bin/busybox insmod /modules/$module; done
tries=0
while [ ! -b /dev/sr0 ] && [ $tries -lt 100 ]; do /bin/busybox sleep 0.1; tries=$((tries + 1)); done
/bin/busybox mount -t iso9660 -o ro /dev/sr0 /medium
echo "stand-in: arguments: $(/bin/busybox cat /proc/cmdline)"
[ -d /sys/firmware/efi ] && echo "stand-in: firmware: uefi" || echo "stand-in: firmware: bios"
for file in ks.cfg nocloud/user-data autoinst.xml agama.json preseed.cfg; do
    [ ! -f /medium/$file ] || echo "stand-in: answers: $(/bin/busybox sha256sum /medium/$file)"
done
echo "stand-in: done"
/bin/busybox poweroff -f
"""


def kernel() -> bytes:
    """The newest kernel of this machine that has modules."""
    return _newest().read_bytes()


def initrd() -> bytes:
    """An initial RAM disk with what reads a medium."""
    release = _newest().name.removeprefix("vmlinuz-")
    files = {"init": (0o755, INIT.encode()), "bin/busybox": (0o755, BUSYBOX.read_bytes())}
    order = []
    for path in _modules(release):
        order.append(path.name)
        files[f"modules/{path.name}"] = (0o644, path.read_bytes())
    files["modules/order"] = (0o644, "\n".join(order).encode())
    return gzip.compress(_cpio(files), compresslevel=1)


def efi_loader(prefix: str) -> tuple[str, bytes]:
    """GRUB for UEFI, whose menu is at ``prefix`` of the image that it lies in."""
    modules = "part_gpt part_msdos fat iso9660 search search_label search_fs_file all_video efi_gop"
    return "BOOTX64.EFI", _grub("x86_64-efi", prefix, modules)


def grub_bios(prefix: str) -> bytes:
    """GRUB for BIOS, whose menu is at ``prefix`` of the medium."""
    return _grub("i386-pc-eltorito", prefix, "biosdisk iso9660 search search_label search_fs_file")


def _grub(form: str, prefix: str, modules: str) -> bytes:
    more = "normal linux configfile echo test gzio gfxterm loadenv"
    with tempfile.NamedTemporaryFile() as image:  # it cannot write to a pipe
        subprocess.run(
            [
                "grub-mkimage",
                "-O",
                form,
                "-p",
                prefix,
                "-o",
                image.name,
                *f"{modules} {more}".split(),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
        return Path(image.name).read_bytes()


def _newest() -> Path:
    found = [
        path
        for path in sorted(Path("/boot").glob("vmlinuz-*"))
        if Path("/lib/modules", path.name.removeprefix("vmlinuz-")).is_dir()
    ]
    assert found, "no kernel in /boot; scripts/setup installs one"
    assert platform.machine() == "x86_64"
    return found[-1]


def _modules(release: str) -> list[Path]:
    """The modules, each after those that it needs."""
    found: list[Path] = []
    for name in _MODULES:
        said = subprocess.run(
            ["modprobe", "--set-version", release, "--show-depends", name],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout
        for line in said.splitlines():
            words = line.split()
            if words[:1] == ["insmod"] and Path(words[1]) not in found:
                found.append(Path(words[1]))
    return found


def _cpio(files: dict[str, tuple[int, bytes]]) -> bytes:
    """An archive in the form newc; folders come before what is in them."""
    archive = io.BytesIO()
    folders = sorted({name.rpartition("/")[0] for name in files} - {""})
    entries = [(name, 0o40755, b"") for name in folders]
    entries += [(name, 0o100000 | mode, content) for name, (mode, content) in files.items()]
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], start=1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        for part in (head, content):
            archive.write(part + b"\0" * (-len(part) % 4))
    return archive.getvalue()
