"""Debian."""

from __future__ import annotations

import re
from collections.abc import Mapping

from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems import mirror, varying
from imagecycle.systems.apt import Apt
from imagecycle.systems.debian_files import DEBIAN
from imagecycle.systems.linux import NO_CLOUD_INIT, REMOVED, Linux
from imagecycle.systems.system import GuestSetup, InstallerConsole, NetworkBoot

VERSIONS = ("10", "11", "12", "13", "testing")
"""Releases that Oz is taught, besides those that it knows."""
_NETWORKD = b"[Match]\nName=en* eth*\n\n[Network]\nDHCP=ipv4\n"
_IFUPDOWN = b"auto /en*=build\niface build inet dhcp\n"


class Debian(Linux):
    """Debian, installed by the vendor's installer or from an embedded install tree."""

    name = "Debian"
    distros = ("debian",)
    unattended = ("preseed",)
    tree_architectures = {"x86_64": "amd64", "aarch64": "arm64"}
    packages = Apt()
    console = InstallerConsole(
        phases=6,
        phase=re.compile(rb"^installer: (\d+)/\d+ ([^\r\n]+)\r*\n", re.MULTILINE),
        failure=re.compile(rb"^installer: FAILED: ([^\r\n]+)\r*\n", re.MULTILINE),
        # the vendor's: the title of a dialog that only somebody at the console can close
        question=re.compile(rb"\[!!\] ([^\x1b\r\n]*[^\x1b\r\n ]) *\x1b"),
    )
    removed = {
        **REMOVED,
        "package caches": Apt.cached_files,
        "package manager's leftovers": Apt.leftovers,
    }
    unowned = DEBIAN
    varying = varying.DEBIAN
    vendor_hosts = ("*.debian.org",)
    enabled = (
        "getty@tty1.service",
        "remote-fs.target",
        "systemd-networkd.service",
        "systemd-pstore.service",
        "systemd-resolved.service",
        "systemd-timesyncd.service",
    )
    kept_on = ("apt-daily.timer", "apt-daily-upgrade.timer", "logrotate.timer")
    left_off = ("systemd-time-wait-sync.service",)
    wordy = (
        *Linux.wordy,
        "/etc/nsswitch.conf",
        "/etc/{shadow,gshadow,passwd}",
        "/var/cache/debconf/templates.dat",
        "/var/lib/dpkg/{status,available}",
    )
    access = GuestSetup(
        {
            "/etc/systemd/network/00-build.network": _NETWORKD,
            "/etc/network/interfaces.d/00-build": _IFUPDOWN,
            NO_CLOUD_INIT: b"",
        }
    )
    harmless_errors = (
        *Linux.harmless_errors,
        # of Debian 14's libpam, which reads /etc/pam.d alone, at every session of systemd
        r"PAM \(systemd-user\) /usr/lib/pam\.d is not supported on this system",
    )
    initial_ram_disk = "/boot/initrd.img-{release}"
    access_control = "apparmor"
    sh = ("dash",)
    default_users = ("debian",)
    job_names = r"[\w-]+"
    without_rights = ()
    guides_package = "ssg-debian"

    def teach_oz(self) -> None:
        """Oz 0.17 knows Debian up to 9; the installation itself has not changed since."""
        import oz.Debian

        from imagecycle.systems import oz_media

        oz_media.register()
        known = oz.Debian.version_to_config
        for version in VERSIONS:
            known.setdefault(version, known["9"])

    def network_boot(self, arch: str) -> NetworkBoot | None:
        folder = f"debian-installer/{self.tree_architectures[arch]}"
        return NetworkBoot(f"{folder}/linux", f"{folder}/initrd.gz")

    def answers(self, family: Family, site: Site) -> Mapping[str, str]:
        found = mirror.find(site)
        return {"mirror": found.url, "security_mirror": found.security_url}

    def build_sources(self, family: Family, site: Site) -> tuple[str, ...]:
        return mirror.find(site).sources(family.codename)
