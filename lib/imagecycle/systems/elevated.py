"""Programs that may run with more rights than whoever starts them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Elevated:
    """A program that a package brings with setuid, setgid or capabilities.

    ``path`` may hold wildcards, see :class:`imagecycle.systems.unowned.Unowned`.
    """

    path: str
    bits: int = 0o4000
    """0o4000 for setuid, 0o2000 for setgid"""
    groups: tuple[str, ...] = ()
    """One of which it runs as, where it is setgid"""
    capabilities: frozenset[str] = frozenset()


def _setgid(path: str, *groups: str) -> Elevated:
    return Elevated(path, 0o2000, groups)


def _capable(path: str, *names: str) -> Elevated:
    return Elevated(path, 0, (), frozenset(names))


LINUX: tuple[Elevated, ...] = (
    Elevated("/usr/bin/{chfn,chsh,gpasswd,newgrp,passwd}"),
    Elevated("/usr/bin/{mount,umount,su,sudo,sudoedit,pkexec,fusermount,fusermount3}"),
    Elevated("/usr/bin/{chage,crontab,at,newuidmap,newgidmap,ntfs-3g,bwrap}"),
    Elevated("/usr/bin/at", 0o6000, ("daemon",)),
    Elevated("/usr/{lib,libexec}/dbus-1**/dbus-daemon-launch-helper"),
    Elevated("/usr/{lib,libexec}/openssh/ssh-keysign"),
    Elevated("/usr/{lib,libexec}/{polkit-1,policykit-1}/polkit-agent-helper-1"),
    Elevated("/usr/lib/eject/dmcrypt-get-device"),
    Elevated("/usr/lib/snapd/snap-confine"),
    Elevated("/usr/lib/xorg/Xorg.wrap"),
    Elevated(
        "/usr/sbin/{exim4,pppd,unix_chkpwd,pam_timestamp_check,grub2-set-bootflag,userhelper}"
    ),
    Elevated("/usr/sbin/mount.{nfs,cifs,ecryptfs_private}"),
    Elevated("/usr/sbin/usernetctl"),
    _setgid("/usr/bin/{chage,expiry}", "shadow"),
    _setgid("/usr/sbin/{unix_chkpwd,pam_extrausers_chkpwd}", "shadow"),
    _setgid("/usr/bin/crontab", "crontab"),
    _setgid("/usr/bin/ssh-agent", "ssh", "_ssh", "nobody"),
    _setgid("/usr/libexec/openssh/ssh-keysign", "ssh_keys"),
    _setgid("/usr/bin/{bsd-write,wall,write,write.ul}", "tty"),
    _setgid("/usr/bin/dotlockfile", "mail"),
    _setgid("/usr/bin/{locate,mlocate,plocate,slocate}", "mlocate", "plocate", "slocate"),
    _setgid("/usr/bin/screen", "utmp", "screen"),
    _setgid("/usr/{lib,libexec}/**utempter/utempter", "utmp"),
    _setgid("/usr/sbin/{postdrop,postqueue}", "postdrop"),
    _capable("/usr/bin/{ping,fping}", "net_raw"),
    _capable("/usr/bin/mtr-packet", "net_raw"),
    _capable("/usr/sbin/{arping,clockdiff}", "net_raw"),
    _capable("/usr/bin/{arping,clockdiff}", "net_raw"),
    _capable("/usr/bin/newuidmap", "setuid"),
    _capable("/usr/bin/newgidmap", "setgid"),
    _capable("/usr/lib/**/gst-ptp-helper", "net_bind_service", "net_admin", "sys_nice"),
    _capable("/usr/{lib,libexec}/snapd/snap-confine", "sys_admin", "dac_override", "chown"),
)
"""Those that every Linux may have."""

NAMES = (
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
)
"""Of the capabilities, by their number; see capabilities(7)"""


def capability_names(attribute: bytes) -> frozenset[str]:
    """The capabilities in the extended attribute ``security.capability``.

    Its words are little-endian: version and flags, then permitted and inheritable ones of the
    first 32, then those of the rest (linux/capability.h).
    """
    words = [int.from_bytes(attribute[n : n + 4], "little") for n in range(4, len(attribute), 4)]
    sets = [*words, 0, 0, 0, 0]
    both = (sets[0] | sets[1]) | (sets[2] | sets[3]) << 32
    return frozenset(
        NAMES[bit] if bit < len(NAMES) else str(bit) for bit in range(64) if both >> bit & 1
    )
