"""openSUSE Leap and SUSE Linux Enterprise Server: AutoYaST up to 15, Agama from 16 on."""

from __future__ import annotations

import re

from imagecycle.model import Family
from imagecycle.systems.linux import NO_CLOUD_INIT, REMOVED, Linux
from imagecycle.systems.suse_files import SUSE_FILES
from imagecycle.systems.system import GuestSetup, InstallerConsole
from imagecycle.systems.zypper import Zypper

_WICKED = b"BOOTPROTO='dhcp'\nSTARTMODE='auto'\n"
FIRST_WITH_AGAMA = 16


class Suse(Linux):
    """openSUSE Leap and SLES 15 and 16."""

    name = "SUSE"
    distros = ("opensuse", "sles")
    unattended = ("autoyast", "agama")
    packages = Zypper()
    console = InstallerConsole(
        phases=6,
        phase=re.compile(
            rb"^[^\r\n]*?()(Starting (?:YaST|Agama|Installation)[^\r\n]*"
            rb"|Loading Installation System"
            rb"|Preparing disks|Installing Packages|Installing [Ss]oftware|Save Configuration"
            rb"|Saving bootloader configuration|Finishing|Calculating the software proposal"
            rb"|Finish(?:ing)? Basic Installation)",
            re.MULTILINE,
        ),
        failure=re.compile(
            rb"^[^\r\n]*?((?:An error occurred during the installation"
            rb"|Error while (?:parsing|reading) the control file|XML parser error"
            rb"|Could not find the (?:openSUSE|SUSE)|Installation failed|No repository found"
            rb"|The profile is not valid)[^\r\n]*)",
            re.MULTILINE,
        ),
    )
    removed = {
        **REMOVED,
        "package caches": Zypper.cached_files,
        "package manager's leftovers": Zypper.leftovers,
        "installer's traces": (
            "/root/autoinst.xml",
            "/root/inst-sys",
            "/var/adm/autoinstall",
            "/var/lib/YaST2/*",
            "/var/log/YaST2",
            "/var/log/agama-installation",
            "/etc/install.inf",
        ),
        "subscription": (
            "/etc/SUSEConnect",
            "/etc/zypp/credentials.d/*",
            "/etc/zypp/services.d/*",
        ),
        "network of the builder": (
            "/etc/NetworkManager/system-connections/*",
            "/etc/sysconfig/network/ifcfg-e*",
            "/etc/udev/rules.d/70-persistent-*",
            "/var/lib/wicked/*",
        ),
    }
    unowned = SUSE_FILES
    access = GuestSetup({"/etc/sysconfig/network/ifcfg-eth0": _WICKED, NO_CLOUD_INIT: b""})
    initial_ram_disk = "/boot/initrd-{release}"
    without_rights = ("/usr/bin/{chfn,chsh,gpasswd,newgrp,ssh-agent}",)

    def teach_oz(self) -> None:
        """Oz 0.17 ends at Leap 42.3, knows no SLES, and makes media that boot from BIOS alone."""
        from imagecycle.systems import oz_media

        oz_media.register()

    def problems(self, family: Family) -> tuple[str, ...]:
        found = super().problems(family)
        kind = family.unattended.name.split(".")[-2]
        wanted = "agama" if float(family.version) >= FIRST_WITH_AGAMA else "autoyast"
        if kind != wanted:
            message = f"unattended: {self.name} {family.version} reads {wanted} files, not {kind}"
            return (*found, message)
        return found
