"""Red Hat Enterprise Linux and those built from its sources, installed by Anaconda."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from imagecycle.model import Family
from imagecycle.systems import selinux
from imagecycle.systems.dnf import Dnf
from imagecycle.systems.linux import NO_CLOUD_INIT, REMOVED, Linux
from imagecycle.systems.redhat_files import REDHAT
from imagecycle.systems.system import GuestSetup, InstallerConsole, NetworkBoot

ANACONDA = InstallerConsole(
    phases=6,
    phase=re.compile(
        rb"^[^\r\n]*?()(Starting automated install|Creating [a-z0-9]+ on /dev/[^\r\n]+"
        rb"|Starting package installation process|Installing boot loader"
        rb"|Performing post-installation setup tasks|Running post-installation scripts"
        rb"|Storing configuration files and kickstarts)",
        re.MULTILINE,
    ),
    failure=re.compile(
        rb"^[^\r\n]*?((?:The following error occurred|An unknown error has occurred"
        rb"|The installation was stopped due to|Kickstart insufficient|Pane is dead"
        rb"|Entering emergency mode|dracut-initqueue[^\r\n]*timeout[^\r\n]*starting timeout scripts"
        rb"|There was an error running the kickstart script)[^\r\n]*)",
        re.MULTILINE,
    ),
)
"""What Anaconda says in text mode, and dracut before it"""

TRACES: Mapping[str, tuple[str, ...]] = {
    "installer's traces": (
        "/root/anaconda-ks.cfg",
        "/root/initial-setup-ks.cfg",
        "/root/original-ks.cfg",
        "/root/install.log*",
        "/root/ks-*.log",
        "/var/log/anaconda",
        "/var/log/anaconda.*",
        "/tmp/ks-script-*",
    ),
    "subscription": (
        "/etc/pki/consumer/*",
        "/etc/pki/entitlement/*",
        "/etc/rhsm/facts/*.facts",
        "/etc/sysconfig/rhn/systemid*",
        "/etc/uuid/*",
        "/var/lib/rhsm/*",
        "/var/lib/insights/*",
        "/etc/insights-client/machine-id",
    ),
    "network of the builder": (
        "/etc/NetworkManager/system-connections/*",
        "/etc/sysconfig/network-scripts/ifcfg-e*",
        "/etc/udev/rules.d/70-persistent-*",
        "/etc/lvm/devices/*",
    ),
}


class RedHat(Linux):
    """RHEL 5 to 10 and its relatives: AlmaLinux, Rocky, Oracle, CentOS, Scientific Linux CERN."""

    name = "Red Hat"
    distros: ClassVar[tuple[str, ...]] = ("rhel", "almalinux", "rocky", "ol", "centos", "slc")
    unattended = ("ks",)
    packages = Dnf()
    console = ANACONDA
    kernel_arguments = f"{Linux.kernel_arguments} inst.text inst.nosave=all"
    removed = {
        **REMOVED,
        **TRACES,
        "package caches": Dnf.cached_files,
        "package manager's leftovers": Dnf.leftovers,
    }
    unowned = REDHAT
    # NetworkManager brings up a card by itself when nothing says how
    access = GuestSetup({NO_CLOUD_INIT: b""})
    initial_ram_disk = "/boot/initramfs-{release}.img"
    access_control = selinux.NAME

    def teach_oz(self) -> None:
        """Oz 0.17 ends at 7 and Fedora 29, and makes media that boot from BIOS alone."""
        from imagecycle.systems import oz_media

        oz_media.register()

    def network_boot(self, arch: str) -> NetworkBoot | None:
        return NetworkBoot("images/pxeboot/vmlinuz", "images/pxeboot/initrd.img")

    def problems(self, family: Family) -> tuple[str, ...]:
        found = super().problems(family)
        if "uefi" not in family.firmware and family.arch != "x86_64":
            return (*found, f"firmware: {family.arch} boots from uefi alone")
        return found
