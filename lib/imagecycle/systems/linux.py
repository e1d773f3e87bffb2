"""What all kinds of Linux have in common."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import ClassVar

from imagecycle.model import Family, Service
from imagecycle.site import Site
from imagecycle.systems import elevated, keepers, selinux
from imagecycle.systems.elevated import Elevated
from imagecycle.systems.keepers import Keeper
from imagecycle.systems.package_manager import PackageManager
from imagecycle.systems.system import GuestSetup, System
from imagecycle.systems.unowned import Unowned
from imagecycle.systems.varying import Varying

REMOVED: Mapping[str, tuple[str, ...]] = {
    "host keys": ("/etc/ssh/ssh_host_*",),
    "random seeds": (
        "/var/lib/systemd/random-seed",
        "/var/lib/systemd/credential.secret",
        "/boot/efi/loader/random-seed",
    ),
    "leases": (
        "/var/lib/dhcp/*",
        "/var/lib/dhcpd/*",
        "/var/lib/dhclient/*",
        "/var/lib/NetworkManager/*",
        "/var/lib/systemd/network/*",
    ),
    "instance data": ("/var/lib/cloud/*", "/etc/udev/rules.d/70-persistent-net.rules"),
    "journals": ("/var/log/journal/*", "/var/log/installer"),
    "old logs": (
        "/var/log/*.gz",
        "/var/log/*.[0-9]",
        "/var/log/cloud-init*.log",
        "/var/lib/wtmpdb/*",
        "/var/account/pacct*",
        "/var/log/account/pacct*",
        "/var/lib/logrotate.status",
        "/var/lib/logrotate/status",
    ),
    "traces of people": (
        "/root/.ssh",
        "/root/.bash_history",
        "/root/.cache",
        "/root/.lesshst",
        "/root/.viminfo",
        "/root/.wget-hsts",
        "/home/*/.bash_history",
        "/var/spool/mail/*",
        "/var/mail/*",
    ),
    "temporary files": ("/tmp/*", "/tmp/.[!.]*", "/var/tmp/*", "/var/tmp/.[!.]*"),
    "backup copies": (
        "/etc/passwd-",
        "/etc/shadow-",
        "/etc/group-",
        "/etc/gshadow-",
        "/etc/subuid-",
        "/etc/subgid-",
        "/etc/.resolv.conf.systemd-resolved.bak",
        "/etc/resolvconf/resolv.conf.d/original",
        "/etc/blkid.tab*",
    ),
    "crash data": ("/var/crash/*", "/var/spool/abrt/*", "/var/lib/systemd/coredump/*"),
    # a timer that was missed since the build would fire at every first boot
    "timer stamps": ("/var/lib/systemd/timers/stamp-*",),
}
"""What machines made from one image must not share, and what nobody needs."""

NO_CLOUD_INIT = "/etc/cloud/cloud-init.disabled"


class Linux(System):
    """A Linux; its kinds say the rest."""

    os_type = "linux"
    kernel_arguments = "console=tty0 console={serial} mitigations=off"
    # nobody else is in the machine that is installed: what guards against neighbours only costs
    # time, most of it under emulation
    packages: ClassVar[PackageManager]
    removed: ClassVar[Mapping[str, tuple[str, ...]]]
    """What cleaning removes, by the name under which the build record counts it"""
    unowned: ClassVar[tuple[Unowned, ...]]
    """The files that no package owns, and why they are there all the same"""
    varying: ClassVar[tuple[Varying, ...]] = ()
    """The files in which two builds of the same inputs may differ, and why"""
    wordy: ClassVar[tuple[str, ...]] = ("/etc/{ssl,pki/tls}/openssl.cnf",)
    """Wildcards of files whose words look like credentials, and are none"""
    elevated: ClassVar[tuple[Elevated, ...]] = elevated.LINUX
    """The programs that may run with more rights than whoever starts them"""
    without_rights: ClassVar[tuple[str, ...]] = ("/usr/bin/ssh-agent",)
    """Those among them that it ships without, though others do"""
    keepers: ClassVar[tuple[Keeper, ...]] = keepers.LINUX
    """Who owns its state"""
    default_users: ClassVar[tuple[str, ...]] = ()
    """The accounts that its contextualisation makes; empty where releases differ"""
    job_names: ClassVar[str] = r"[^.~].*[^~]"
    """An expression for the names of scripts that cron runs in its folders"""
    sh: ClassVar[tuple[str, ...]] = ("bash",)
    """The programs that /bin/sh may be"""
    accounts_with_shell: ClassVar[tuple[str, ...]] = ("postgres",)
    """Of services, besides root"""
    vendor_hosts: ClassVar[tuple[str, ...]] = ()
    """Wildcards of the hosts from which its packages come"""
    enabled: ClassVar[tuple[str, ...]] = ()
    """Units that are switched on without a word of a package's record, and by themselves"""
    left_off: ClassVar[tuple[str, ...]] = ()
    """Units that a package's record names and that are off all the same"""
    kept_on: ClassVar[tuple[str, ...]] = ()
    """Units that are on wherever their package is"""
    masked: ClassVar[tuple[str, ...]] = ()
    """Units that the system itself switches off for good"""
    group_members: ClassVar[tuple[tuple[str, str], ...]] = (("adm", "syslog"),)
    """Powerful groups and the members that packages put into them"""
    listening: ClassVar[tuple[str, ...]] = (
        "22/tcp",
        "68/udp",
        "546/udp",
        "5355/tcp",
        "5355/udp",
    )
    """What may be reached from outside: SSH, the clients of DHCP, and systemd-resolved's answers to
    neighbours (LLMNR)"""
    harmless_errors: ClassVar[tuple[str, ...]] = (
        # of systemd 257, in machines without a channel to their host (vsock), as Nova's are
        r"systemd-ssh-generator\[\d+\]: Failed to query local AF_VSOCK CID: ",
        r"/systemd-ssh-generator failed with exit status 1\.",
    )
    """Of the errors that its programs log, those in whose place nothing is wrong: expressions"""
    guides_package: ClassVar[str] = "ssg-nondebian"
    """Debian's package with the security guides for it"""
    access_control: ClassVar[str] = ""
    """The kernel's module for mandatory access control that the vendor switches on"""
    access: ClassVar[GuestSetup]
    initial_ram_disk: ClassVar[str]
    """Where it lies; ``{release}`` is the kernel's"""

    @property
    def has_labels(self) -> bool:
        """Whether its files carry labels, by which access is allowed or denied."""
        return self.access_control == selinux.NAME

    def switched(self, service: Service) -> str:
        """What switches a service on or off for the next start, in the words of root's shell."""
        name, old = service.unit, service.unit.removesuffix(".service")
        modern, before = ("enable", "on") if service.on else ("disable", "off")
        # Enterprise Linux 5 and 6 know no systemd
        return (
            f"if command -v systemctl >/dev/null; then systemctl {modern} {shlex.quote(name)}; "
            f"else chkconfig {shlex.quote(old)} {before}; fi"
        )

    def build_sources(self, family: Family, site: Site) -> tuple[str, ...]:
        """The package sources that customising uses, in the package manager's notation.

        :raises ImagecycleError: when they are needed and not known.
        """
        return ()
