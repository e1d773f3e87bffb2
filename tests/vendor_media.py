"""Small install media with the layouts of vendors', written for the tests.

A layout is what differs between vendors: which boot menus there are, where kernel and initial RAM
disk lie, how BIOS and UEFI boot it, and the files that tell what it is. Kernel, initial RAM disk
and loaders are given, so that the media can be real ones that boot.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import vendor_menus as menus

MBR = Path("/usr/lib/ISOLINUX/isohdpfx.bin")
ISOLINUX = Path("/usr/lib/ISOLINUX/isolinux.bin")
LDLINUX = Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")
GRUB_MBR = Path("/usr/lib/grub/i386-pc/boot_hybrid.img")


@dataclass(frozen=True)
class Layout:
    """A vendor's medium."""

    label: str
    kernel: str
    initrd: str
    menus: Mapping[str, str]
    """Boot menus by path"""
    efi_menu: str = ""
    """The menu in the image that UEFI boots from; empty: it leads to the medium's own"""
    isolinux: str = ""
    """The folder of ISOLINUX; empty: GRUB boots it from BIOS too"""
    bios: bool = True
    efi: str = ""
    """The path of the image that UEFI boots from; empty: none; ``partition``: behind the medium"""
    identity: Mapping[str, str] = field(default_factory=dict)
    """The files that tell what it is, by path"""


def treeinfo(family: str, version: str, arch: str, variant: str = "BaseOS") -> dict[str, str]:
    return {
        "/.treeinfo": f"[general]\narch = {arch}\nfamily = {family}\nname = {family} {version}\n"
        f"version = {version}\nvariant = {variant}\nplatforms = {arch},xen\n"
        f"[release]\nname = {family}\nshort = X\nversion = {version}\n[tree]\narch = {arch}\n"
        f"[checksums]\n"
    }


def _rhel(arch: str, label: str) -> dict[str, str]:
    old = "RHEL-9-6-0-BaseOS-x86_64"
    text = menus.RHEL_GRUB.replace(old, label)
    return {"/EFI/BOOT/grub.cfg": text if arch == "x86_64" else text.replace("efi /", " /")}


RHEL_9 = Layout(
    label="RHEL-9-6-0-BaseOS-x86_64",
    kernel="/images/pxeboot/vmlinuz",
    initrd="/images/pxeboot/initrd.img",
    menus={
        **_rhel("x86_64", "RHEL-9-6-0-BaseOS-x86_64"),
        "/isolinux/isolinux.cfg": menus.RHEL_ISOLINUX,
    },
    efi_menu=menus.RHEL_GRUB,
    isolinux="/isolinux",
    efi="/images/efiboot.img",
    identity=treeinfo("Red Hat Enterprise Linux", "9.6", "x86_64"),
)
ROCKY_9_ARM = Layout(
    label="Rocky-9-6-aarch64-dvd",
    kernel="/images/pxeboot/vmlinuz",
    initrd="/images/pxeboot/initrd.img",
    menus=_rhel("aarch64", "Rocky-9-6-aarch64-dvd"),
    efi_menu=_rhel("aarch64", "Rocky-9-6-aarch64-dvd")["/EFI/BOOT/grub.cfg"],
    bios=False,
    efi="/images/efiboot.img",
    identity=treeinfo("Rocky Linux", "9.6", "aarch64"),
)
FEDORA_44 = Layout(
    label="Fedora-S-dvd-x86_64-44",
    kernel="/images/pxeboot/vmlinuz",
    initrd="/images/pxeboot/initrd.img",
    menus={
        "/EFI/BOOT/grub.cfg": menus.RHEL_GRUB.replace("linuxefi", "linux"),
        "/boot/grub2/grub.cfg": menus.RHEL_GRUB.replace("linuxefi", "linux").replace(
            "initrdefi", "initrd"
        ),
    },
    efi_menu=menus.RHEL_GRUB.replace("linuxefi", "linux").replace("initrdefi", "initrd"),
    efi="partition",
    identity=treeinfo("Fedora", "44", "x86_64", "Server"),
)
CENTOS_7 = Layout(
    label="CentOS 7 x86_64",
    kernel="/isolinux/vmlinuz",
    initrd="/isolinux/initrd.img",
    menus={"/isolinux/isolinux.cfg": menus.RHEL_ISOLINUX},
    isolinux="/isolinux",
    identity=treeinfo("CentOS", "7", "x86_64", "CentOS"),
)
SLC_6 = Layout(
    label="SLC 6.10 x86_64",
    kernel="/isolinux/vmlinuz",
    initrd="/isolinux/initrd.img",
    menus={"/isolinux/isolinux.cfg": menus.SLC6},
    isolinux="/isolinux",
    identity=treeinfo("Scientific Linux CERN", "6.10", "x86_64", ""),
)
SLC_5 = Layout(
    label="Scientific Linux CERN 5.11",
    kernel="/isolinux/vmlinuz",
    initrd="/isolinux/initrd.img",
    menus={"/isolinux/isolinux.cfg": menus.SLC5},
    isolinux="/isolinux",
    identity=treeinfo("Scientific Linux CERN", "5.11", "x86_64", ""),
)
UBUNTU_24 = Layout(
    label="Ubuntu-Server 24.04.3 LTS amd64",
    kernel="/casper/vmlinuz",
    initrd="/casper/initrd",
    menus={"/boot/grub/grub.cfg": menus.UBUNTU_GRUB},
    efi="partition",
    identity={"/.disk/info": 'Ubuntu-Server 24.04.3 LTS "Noble Numbat" - Release amd64 (20250805)'},
)
UBUNTU_24_ARM = Layout(
    label="Ubuntu-Server 24.04.3 LTS arm64",
    kernel="/casper/vmlinuz",
    initrd="/casper/initrd",
    menus={"/boot/grub/grub.cfg": menus.UBUNTU_GRUB},
    bios=False,
    efi="partition",
    identity={"/.disk/info": 'Ubuntu-Server 24.04.3 LTS "Noble Numbat" - Release arm64 (20250805)'},
)
UBUNTU_24_DESKTOP = Layout(
    label="Ubuntu 24.04.3 LTS amd64",
    kernel="/casper/vmlinuz",
    initrd="/casper/initrd",
    menus={
        "/boot/grub/grub.cfg": menus.UBUNTU_GRUB.replace(
            "Try or Install Ubuntu Server", "Try or Install Ubuntu"
        ).replace("  ---", "  --- quiet splash")
    },
    efi="partition",
    identity={"/.disk/info": 'Ubuntu 24.04.3 LTS "Noble Numbat" - Release amd64 (20250805.1)'},
)
UBUNTU_20 = Layout(
    label="Ubuntu-Server 20.04.6 LTS amd64",
    kernel="/casper/vmlinuz",
    initrd="/casper/initrd",
    menus={
        "/boot/grub/grub.cfg": menus.UBUNTU_GRUB.replace("Try or Install", "Install"),
        "/isolinux/isolinux.cfg": "path\ninclude menu.cfg\ndefault vesamenu.c32\ntimeout 50\n",
        "/isolinux/menu.cfg": "include txt.cfg\n",
        "/isolinux/txt.cfg": menus.UBUNTU_TXT,
    },
    isolinux="/isolinux",
    efi="/boot/grub/efi.img",
    identity={"/.disk/info": 'Ubuntu-Server 20.04.6 LTS "Focal Fossa" - Release amd64 (20230314)'},
)
DEBIAN_12 = Layout(
    label="Debian 12.11.0 amd64 n",
    kernel="/install.amd/vmlinuz",
    initrd="/install.amd/initrd.gz",
    menus={
        "/boot/grub/grub.cfg": menus.DEBIAN_GRUB,
        "/isolinux/isolinux.cfg": "path\ninclude menu.cfg\ndefault vesamenu.c32\n",
        "/isolinux/txt.cfg": "label install\n\tmenu label ^Install\n\tkernel /install.amd/vmlinuz\n"
        "\tappend vga=788 initrd=/install.amd/initrd.gz --- quiet\n",
    },
    isolinux="/isolinux",
    efi="/boot/grub/efi.img",
    identity={
        "/.disk/info": 'Debian GNU/Linux 12.11.0 "Bookworm" - Official amd64 NETINST with firmware '
        "20250517-09:51"
    },
)
SLES_15 = Layout(
    label="SLE-15-SP7-Full-x86_641234",
    kernel="/boot/x86_64/loader/linux",
    initrd="/boot/x86_64/loader/initrd",
    menus={
        "/EFI/BOOT/grub.cfg": menus.SUSE_GRUB,
        "/boot/x86_64/loader/isolinux.cfg": menus.SUSE_ISOLINUX,
    },
    isolinux="/boot/x86_64/loader",
    efi="/boot/x86_64/efi",
    identity={"/media.1/products": "/ SLES15-SP7 15.7-0\n", "/media.1/media": "SUSE - SLES\n"},
)
LEAP_15_ARM = Layout(
    label="openSUSE-Leap-15.6-DVD-aarch640",
    kernel="/boot/aarch64/linux",
    initrd="/boot/aarch64/initrd",
    menus={"/EFI/BOOT/grub.cfg": menus.SUSE_GRUB.replace("/boot/x86_64/loader", "/boot/aarch64")},
    bios=False,
    efi="/boot/aarch64/efi",
    identity={"/media.1/products": "/ openSUSE-Leap 15.6-1\n"},
)
LEAP_16 = Layout(
    label="Install-Leap-16.0-x86_64",
    kernel="/boot/x86_64/loader/linux",
    initrd="/boot/x86_64/loader/initrd",
    menus={"/boot/grub2/grub.cfg": menus.AGAMA_GRUB},
    efi="partition",
    identity={"/media.1/products": "/ openSUSE-Leap 16.0-1\n"},
)


def write(
    layout: Layout,
    iso: Path,
    *,
    kernel: bytes = b"kernel",
    initrd: bytes = b"initial RAM disk",
    efi_loader: tuple[str, bytes] = ("BOOTX64.EFI", b"loader"),
    grub_bios: bytes = b"\0" * 8192,
) -> Path:
    """Write a medium.

    :param efi_loader: the loader for UEFI, by the name that firmware looks for.
    :param grub_bios: GRUB's image for BIOS, where ISOLINUX does not boot it.
    """
    root = iso.with_suffix(".tree")
    for path, text in {**layout.menus, **layout.identity, "/README": "read me"}.items():
        _put(root, path, text.encode())
    _put(root, layout.kernel, kernel)
    _put(root, layout.initrd, initrd)
    if layout.isolinux:
        _put(root, f"{layout.isolinux}/isolinux.bin", ISOLINUX.read_bytes())
        for folder in {layout.isolinux, ""}:  # SUSE's looks beside itself, others at the top
            _put(root, f"{folder}/ldlinux.c32", LDLINUX.read_bytes())
        relative = {"vmlinuz": kernel, "linux": kernel, "initrd.img": initrd, "initrd": initrd}
        for name, content in relative.items():
            _put(root, f"{layout.isolinux}/{name}", content)
    elif layout.bios:
        _put(root, "/images/eltorito.img", grub_bios)
    words = _bios(layout) + _efi(layout, iso, root, efi_loader)
    _run(
        "xorriso",
        "-as",
        "mkisofs",
        "-quiet",
        "-o",
        iso,
        "-R",
        "-J",
        "-V",
        layout.label,
        *words,
        root,
    )
    return iso


def _bios(layout: Layout) -> list[str | Path]:
    if not layout.bios:
        return []
    plain = ("-no-emul-boot", "-boot-load-size", "4", "-boot-info-table")
    if not layout.isolinux:
        grub = ("--grub2-mbr", GRUB_MBR, "-partition_offset", "16")
        return [*grub, "-b", "images/eltorito.img", *plain, "--grub2-boot-info"]
    folder = layout.isolinux[1:]
    hybrid = ("-isohybrid-mbr", MBR) if layout.efi else ()
    return [*hybrid, "-b", f"{folder}/isolinux.bin", "-c", f"{folder}/boot.cat", *plain]


def _efi(layout: Layout, iso: Path, root: Path, loader: tuple[str, bytes]) -> list[str | Path]:
    if not layout.efi:
        return []
    image = iso.with_suffix(".efi")
    image.unlink(missing_ok=True)
    size = 2 * 2**20 + len(loader[1]) // 2**20 * 2**20 + 2**20
    _run("mkfs.vfat", "-C", image, str(size // 1024))
    _run("mmd", "-i", image, "::/EFI", "::/EFI/BOOT")
    text = layout.efi_menu or (
        f"search --set=root --file {layout.kernel}\nset prefix=($root)/boot/grub\n"
        f"configfile ($root){next(iter(layout.menus))}\n"
    )
    for name, content in ((loader[0], loader[1]), ("grub.cfg", text.encode())):
        source = iso.with_suffix(".part")
        source.write_bytes(content)
        _run("mcopy", "-i", image, source, f"::/EFI/BOOT/{name}")
        source.unlink()
    if layout.efi == "partition":
        guid = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
        appended = ("-appended_part_as_gpt", "-append_partition", "2", guid, image)
        boot = ("-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::")
        return [*appended, *boot, "-no-emul-boot"]
    _put(root, layout.efi, image.read_bytes())
    return ["-eltorito-alt-boot", "-e", layout.efi[1:], "-no-emul-boot"]


def _put(root: Path, path: str, content: bytes) -> None:
    place = root / path[1:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def _run(*words: str | Path) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
