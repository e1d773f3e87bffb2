"""Linux for Oz: classes beside its own, for releases and media that those cannot do.

Oz 0.17 to 0.19 know Red Hat's up to 7 (0.19: 9), Fedora up to 29, Ubuntu up to 18.10 and openSUSE
up to Leap 42.3; look for ISOLINUX, which newer media and those of ARM have no more; lose the image
that UEFI boots from, and the volume label that installers look for; and start a virtual machine to
unpack a medium. What is downloaded, installed and started, and how, is left to Oz's own classes.
Read from ``oz.GuestFactory``, ``oz.Guest``, ``oz.RedHat``, ``oz.Ubuntu``, ``oz.OpenSUSE``.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import oz
import oz.Debian
import oz.Linux
import oz.OzException
import oz.RedHat

from imagecycle.errors import ImagecycleError
from imagecycle.systems import boot_media, oz_beside
from imagecycle.systems.iso_editing import Medium

MODULE = "imagecycle_linux"
"""What Oz's factory knows this module by."""
_CONSOLE = {"x86_64": "console=tty0 console=ttyS0,115200", "aarch64": "console=ttyAMA0"}
"""The last one named is where installers talk"""
_DEBIAN = {"aarch64": "arm64"}
"""The folders of Debian's install trees, where Oz has another word"""


@dataclass(frozen=True)
class Installer:
    """How an installer is told where its answers are."""

    arguments: str
    """On the kernel's command line"""
    answers: str
    """Where it looks for them on the medium"""
    beside: Mapping[str, str]
    """Other files that it wants there, by path"""


ANACONDA = Installer("inst.ks=cdrom:/ks.cfg inst.text inst.nosave=all", "/ks.cfg", {})
ANACONDA_7 = Installer("inst.ks=cdrom:/dev/cdrom:/ks.cfg inst.text", "/ks.cfg", {})
ANACONDA_5 = Installer("ks=cdrom:/ks.cfg text", "/ks.cfg", {})
SUBIQUITY = Installer(
    "autoinstall ds=nocloud;s=/cdrom/nocloud/",
    "/nocloud/user-data",
    {"/nocloud/meta-data": ""},
)
AUTOYAST = Installer("autoyast=device://sr0/autoinst.xml textmode=1", "/autoinst.xml", {})
AGAMA = Installer("inst.auto=device://sr0/agama.json inst.finish=poweroff", "/agama.json", {})
DEBIAN = Installer(
    "auto=true priority=critical preseed/file=/cdrom/preseed.cfg DEBIAN_FRONTEND=text",
    "/preseed.cfg",
    {},
)

INSTALLERS: tuple[tuple[str, str, Installer], ...] = (
    ("Debian", "*", DEBIAN),
    ("SLC-5", "*", ANACONDA_5),
    ("SLC-6", "*", ANACONDA_5),
    ("CentOS-7", "*", ANACONDA_7),
    ("RHEL-7", "*", ANACONDA_7),
    ("RHEL-*", "*", ANACONDA),
    ("AlmaLinux-*", "*", ANACONDA),
    ("Rocky-*", "*", ANACONDA),
    ("OL-*", "*", ANACONDA),
    ("CentOS-Stream-*", "*", ANACONDA),
    ("Fedora", "*", ANACONDA),
    ("Ubuntu", "*", SUBIQUITY),
    ("OpenSUSE", "15*", AUTOYAST),
    ("SLES", "15*", AUTOYAST),
    ("OpenSUSE", "16*", AGAMA),
    ("SLES", "16*", AGAMA),
)
"""By the name and the version that templates give to Oz; the first that fits counts"""
NAMES = (
    "Debian",
    "SLC-5",
    "SLC-6",
    "CentOS-7",
    "RHEL-7",
    *(
        f"{vendor}-{version}"
        for vendor in ("RHEL", "AlmaLinux", "Rocky", "OL", "CentOS-Stream")
        for version in (8, 9, 10)
    ),
    "Fedora",
    "Ubuntu",
    "OpenSUSE",
    "SLES",
)


def register() -> None:
    """Let Oz's factory make guests of these classes; may be called again."""
    oz_beside.register(__name__, MODULE, NAMES)


class MediaGuest(oz_beside.LocalMedium):
    """Put before a class of Oz's: makes a medium that starts its installer by itself."""

    installer: Installer
    iso_contents: str
    output_iso: str
    auto: str
    tdl: Any
    log: Any

    def _copy_iso(self) -> None:
        """Unpack nothing but what is changed: boot menus, and the image that UEFI boots from."""
        shutil.rmtree(self.iso_contents, ignore_errors=True)
        Path(self.iso_contents).mkdir(parents=True)

    def _check_pvd(self) -> None:
        """The medium has been compared with the catalog before."""

    def _check_iso_tree(self, _customize_or_icicle: bool) -> None:
        """Likewise."""

    def _modify_iso(self) -> None:
        """Put the answers where the installer looks, and tell it so in every boot menu."""
        contents = Path(self.iso_contents)
        for path, text in self.installer.beside.items():
            boot_media.written(contents / path[1:], text)
        shutil.copyfile(self.auto, boot_media.written(contents / self.installer.answers[1:], ""))
        with _told():
            boot_media.edit(Medium(Path(self.orig_iso)), contents, self._arguments())

    def _generate_new_iso(self) -> None:
        """Write the medium anew, with every way to boot that it had."""
        with _told():
            boot_media.write(
                Medium(Path(self.orig_iso)), Path(self.iso_contents), Path(self.output_iso)
            )

    def cleanup_install(self) -> None:
        """Remove what was made; the operator's medium stays."""
        for name in ("output_iso", "kernelfname", "initrdfname"):
            if path := getattr(self, name, None):
                Path(path).unlink(missing_ok=True)

    def _arguments(self) -> str:
        return f"{self.installer.arguments} {_CONSOLE[self.tdl.arch]}"


class RedHatGuest(MediaGuest, oz.RedHat.RedHatLinuxCDYumGuest):  # type: ignore[misc]
    """What Anaconda installs, from a medium or from an install tree."""

    def __init__(
        self, tdl: Any, config: Any, auto: str, output_disk: Any, nic: Any, disk: Any, mac: Any
    ) -> None:
        super().__init__(
            tdl,
            config,
            auto,
            output_disk,
            nic or "virtio",
            disk or "virtio",
            True,
            True,
            "cpio",
            mac,
            True,
        )
        self.installer = installer(tdl)
        # the answers name the tree; what Oz has here is no more than a copy of its kernel
        keyword = self.installer.arguments.partition("=")[0]
        self.cmdline = f"{keyword}=file:/ks.cfg {tdl.kernel_param or ''}".strip()


class LinuxGuest(MediaGuest, oz.Linux.LinuxCDGuest):  # type: ignore[misc]
    """What other installers install from a medium."""

    def __init__(
        self, tdl: Any, config: Any, auto: str, output_disk: Any, nic: Any, disk: Any, mac: Any
    ) -> None:
        super().__init__(
            tdl, config, auto, output_disk, nic or "virtio", disk or "virtio", True, False, mac
        )
        self.installer = installer(tdl)


def installer(tdl: Any) -> Installer:
    """The installer of what a template describes.

    :raises OzException: when there is none.
    """
    for name, version, found in INSTALLERS:
        if fnmatch(tdl.distro, name) and fnmatch(tdl.update, version):
            return found
    raise oz.OzException.OzException(f"no installer is known of {tdl.distro} {tdl.update}")


def get_class(
    tdl: Any,
    config: Any,
    auto: str,
    output_disk: str | None = None,
    netdev: str | None = None,
    diskbus: str | None = None,
    macaddress: str | None = None,
) -> Any:
    """What Oz's factory calls."""
    if tdl.distro == "Debian" and tdl.installtype == "url":
        guest = oz.Debian.get_class(tdl, config, auto, output_disk, netdev, diskbus, macaddress)
        guest.debarch = _DEBIAN.get(tdl.arch, guest.debarch)
        return guest
    anaconda = installer(tdl) in (ANACONDA, ANACONDA_7, ANACONDA_5)
    kind = RedHatGuest if anaconda else LinuxGuest
    return kind(tdl, config, auto, output_disk, netdev, diskbus, macaddress)


def get_supported_string() -> str:
    """What Oz's factory lists."""
    return f"Linux by imagecycle: {', '.join(NAMES)}"


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say in Oz's way what went wrong.

    :raises OzException: instead.
    """
    try:
        yield
    except ImagecycleError as error:
        raise oz.OzException.OzException(error.message) from None
