"""Who the state of a system belongs to: what is below ``/var``, and the folders of the root."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Keeper:
    """Accounts that may own a file or folder; the first of them is the usual one.

    ``path`` may hold wildcards, see :class:`imagecycle.systems.unowned.Unowned`.
    """

    path: str
    users: tuple[str, ...] = ("root",)


LINUX: tuple[Keeper, ...] = (
    Keeper("/var/{cache/apt/archives,lib/apt/lists}/partial{,/**}", ("_apt", "root")),
    Keeper("/var/lib/systemd/timesync{,/**}", ("systemd-timesync", "root")),
    Keeper("/var/lib/systemd/network{,/**}", ("systemd-network", "root")),
    Keeper("/var/lib/systemd/resolve{,/**}", ("systemd-resolve", "root")),
    Keeper("/{boot,home,media,mnt,opt,srv}"),
    Keeper("/var{,/backups,/cache,/lib,/local,/log,/mail,/opt,/spool,/tmp}"),
    Keeper("/var/cache/{apt,debconf,dnf,ldconfig,private,yum,zypp}{,/**}"),
    Keeper("/var/lib/{alternatives,apt,cloud,dbus,dnf,dpkg,grub,initramfs-tools,misc}{,/**}"),
    Keeper("/var/lib/rpm{,/**}", ("root", "rpm")),
    Keeper("/var/lib/{pam,private,python,sudo,systemd,ucf,yum,zypp}{,/**}"),
    Keeper("/var/log/{apt,audit,private}{,/**}"),
    Keeper("/var/log/{alternatives.log,btmp,dpkg.log,faillog,lastlog,wtmp}"),
    Keeper("/var/spool/{anacron,cron,cron/crontabs,cron/tabs,mail}"),
)
"""The first that matches counts. Folders of services that are not on every Linux are left out."""
