"""Ubuntu, installed by Subiquity from its server and desktop media."""

from __future__ import annotations

import re

from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems.apt import Apt
from imagecycle.systems.debian_files import DEBIAN
from imagecycle.systems.linux import NO_CLOUD_INIT, REMOVED, Linux
from imagecycle.systems.system import GuestSetup, InstallerConsole
from imagecycle.systems.unowned import by_reason

_NETPLAN = b"""network:
  version: 2
  ethernets:
    build: {match: {name: "e*"}, dhcp4: true}
"""


class Ubuntu(Linux):
    """Ubuntu 20.04 and later, whose installer reads autoinstall files."""

    name = "Ubuntu"
    distros = ("ubuntu",)
    unattended = ("autoinstall",)
    packages = Apt()
    console = InstallerConsole(
        phases=8,
        phase=re.compile(
            rb"^[^\r\n]*?()(?:start: )?subiquity/"
            rb"((?:Early|Network|Filesystem|Install|Late|Shutdown)[A-Za-z/_-]*)(?::|\r|\n)",
            re.MULTILINE,
        ),
        failure=re.compile(
            rb"^[^\r\n]*?((?:Command '\[[^\r\n]*returned non-zero|install_fail[^\r\n]*"
            rb"|Malformed autoinstall|An error occurred\. Press enter|Unable to find a medium)"
            rb"[^\r\n]*)",
            re.MULTILINE,
        ),
    )
    kernel_arguments = f"{Linux.kernel_arguments} autoinstall"
    removed = {
        **REMOVED,
        "package caches": Apt.cached_files,
        "package manager's leftovers": Apt.leftovers,
        "installer's traces": (
            "/autoinstall.yaml",
            "/etc/cloud/cloud.cfg.d/50-curtin-networking.cfg",
            "/etc/cloud/cloud.cfg.d/90-installer-network.cfg",
            "/etc/cloud/cloud.cfg.d/99-installer.cfg",
            "/etc/cloud/cloud.cfg.d/curtin-preserve-sources.cfg",
            "/etc/cloud/cloud.cfg.d/subiquity-disable-cloudinit-networking.cfg",
            "/etc/cloud/ds-identify.cfg",
            "/root/curtin-install*",
            "/var/crash/*",
        ),
        "network of the builder": ("/etc/netplan/*.yaml",),
    }
    unowned = (
        *DEBIAN,
        *by_reason("a snap's own", ("/snap/**", "/var/lib/snapd/**", "/var/snap/**")),
    )
    access = GuestSetup({"/etc/netplan/00-build.yaml": _NETPLAN, NO_CLOUD_INIT: b""})
    initial_ram_disk = "/boot/initrd.img-{release}"
    access_control = "apparmor"
    sh = ("dash",)
    default_users = ("ubuntu",)
    job_names = r"[\w-]+"
    without_rights = ()

    def teach_oz(self) -> None:
        """Oz 0.17 ends at 18.10, before Subiquity."""
        from imagecycle.systems import oz_media

        oz_media.register()

    def build_sources(self, family: Family, site: Site) -> tuple[str, ...]:
        """None: the image's own sources, the vendor's, serve the build as well."""
        return ()
