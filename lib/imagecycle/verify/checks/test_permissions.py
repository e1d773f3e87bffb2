"""Who may read, change and run what."""

from collections.abc import Iterator

from imagecycle.systems.elevated import capability_names
from imagecycle.systems.files import FILE, FOLDER, LINK, OTHER, Entry
from imagecycle.systems.unowned import matches
from imagecycle.verify.accounts import accounts, groups
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

SETUID, SETGID, STICKY = 0o4000, 0o2000, 0o1000
OTHERS_WRITE, GROUP_WRITES = 0o002, 0o020
FIXED = {
    "/": (0o755, 0o555),
    "/boot": (0o755, 0o700, 0o555),
    "/etc": (0o755,),
    "/etc/group": (0o644,),
    "/etc/gshadow": (0o640, 0o600, 0o400, 0),
    "/etc/passwd": (0o644,),
    "/etc/security/opasswd": (0o600,),
    "/etc/shadow": (0o640, 0o600, 0o400, 0),
    "/etc/ssh": (0o755, 0o700),
    "/etc/ssh/sshd_config": (0o644, 0o640, 0o600),
    "/etc/sudoers": (0o440, 0o400),
    "/etc/sudoers.d": (0o755, 0o750, 0o700),
    "/home": (0o755,),
    "/etc/cron.d": (0o755, 0o700),
    "/etc/fstab": (0o644, 0o664, 0o600),
    "/etc/hosts": (0o644,),
    "/etc/nsswitch.conf": (0o644,),
    "/etc/profile": (0o644,),
    "/etc/ssl": (0o755,),
    "/etc/ssl/certs": (0o755, 0o555),
    "/root": (0o700, 0o550, 0o500),
    "/tmp": (0o1777,),
    "/usr": (0o755,),
    "/usr/bin": (0o755, 0o555),
    "/usr/sbin": (0o755, 0o555),
    "/usr/lib": (0o755, 0o555),
    "/usr/share": (0o755,),
    "/var": (0o755,),
    "/var/lib": (0o755,),
    "/var/log": (0o755, 0o775),
    "/var/tmp": (0o1777,),
}
"""Modes of which a path must have one, where it is there; root owns each."""
SHADOW_GROUPS = ("root", "shadow")
ROOTS = ("/boot/", "/etc/", "/root/", "/usr/")
"""Folders in which nobody but root changes anything"""

LOGS = ("/var/log",)
LOG_GROUPS = ("root", "syslog", "adm")
NEEDY = (
    "/usr/bin/{su,sudo,passwd,mount,umount,newgrp,gpasswd}",
    "/usr/{lib,libexec}/dbus-1**/dbus-daemon-launch-helper",
)
"""Programs that do nothing for users without setuid"""
ASKING = ("/usr/sbin/unix_chkpwd", "/usr/bin/{chage,expiry}")
"""Programs that need setuid, or setgid, to read the passwords of those who run them"""
RUN = ("/usr/{bin,sbin}/*",)
LOADED = ("/usr/lib{,64}/{*.so*,*-linux-gnu*/*.so*,ld-*}",)


def test_of_what_matters_most_are_strict(pristine: Pristine, defects: Defects) -> None:
    """Every user of a server can read the passwords, or change who is root."""
    assert defects(_loose(pristine)) == []


def _loose(pristine: Pristine) -> Iterator[Finding]:
    names = {group.gid: group.name for group in groups(pristine)}
    for path, modes in FIXED.items():
        entry = pristine.entries.get(path)
        if entry is None or entry.kind == LINK:
            continue
        if entry.mode not in modes:
            yield Finding(path, f"has mode {entry.mode:04o}, should have {modes[0]:04o}")
        if entry.uid:
            yield Finding(path, f"belongs to user {entry.uid}, should belong to root")
        group = names.get(entry.gid, str(entry.gid))
        allowed = SHADOW_GROUPS if "shadow" in path else LOG_GROUPS if path in LOGS else ("root",)
        if group not in allowed:
            yield Finding(path, f"belongs to group {group}")


def test_sudo_trusts_its_rules(pristine: Pristine, defects: Defects) -> None:
    """Sudo refuses to work, or whoever can change its rules becomes root."""
    rules = (pristine.entries[path] for path in pristine.found("/etc/sudoers", "/etc/sudoers.d/*"))
    assert (
        defects(
            Finding(one.path, f"has mode {one.mode:04o} and owner {one.uid}")
            for one in rules
            if one.kind == FILE and (one.mode & 0o037 or one.uid)
        )
        == []
    )


def test_nobody_but_root_changes_the_system(pristine: Pristine, defects: Defects) -> None:
    """A user of the server, or a service that was taken over, changes programs or settings."""
    assert defects(_changeable(pristine)) == []


def _changeable(pristine: Pristine) -> Iterator[Finding]:
    services = {one.gid for one in groups(pristine) if 0 < one.gid < 1000}
    for entry in pristine.entries.values():
        if not entry.path.startswith(ROOTS) or entry.kind == LINK:
            continue
        if entry.uid and (entry.path.startswith("/usr/") or entry.uid >= 1000):
            yield Finding(entry.path, f"belongs to user {entry.uid}")
        elif entry.mode & GROUP_WRITES and entry.gid and not _of_staff(entry, services):
            yield Finding(entry.path, f"can be changed by group {entry.gid}")


def _of_staff(entry: Entry, services: set[int]) -> bool:
    """Whether it is a folder of a package for a group that it makes."""
    return entry.kind == FOLDER and entry.gid in services


def test_what_all_may_change_is_sticky(pristine: Pristine, defects: Defects) -> None:
    """Every user of the server can change or replace what others, or root, use."""
    assert (
        defects(
            Finding(entry.path, f"has mode {entry.mode:04o}")
            for entry in pristine.entries.values()
            if entry.mode & OTHERS_WRITE
            and entry.kind in (FILE, FOLDER)
            and not (entry.kind == FOLDER and entry.mode & STICKY)
            and not entry.path.startswith("/dev/")
        )
        == []
    )


def test_files_belong_to_accounts(pristine: Pristine, defects: Defects) -> None:
    """The first user who gets the number owns files that the builder left."""
    users = {one.uid for one in accounts(pristine)}
    known = {group.gid for group in groups(pristine)}
    assert (
        defects(
            Finding(entry.path, f"belongs to {entry.uid}:{entry.gid}, and there is no such account")
            for entry in pristine.entries.values()
            if entry.uid not in users or entry.gid not in known
        )
        == []
    )


def test_programs_have_no_rights_of_their_own(pristine: Pristine, defects: Defects) -> None:
    """Every user of a server can become root by a program that was made so at the build."""
    assert defects(_elevated(pristine)) == []


def _elevated(pristine: Pristine) -> Iterator[Finding]:
    names = {group.gid: group.name for group in groups(pristine)}
    for entry in pristine.entries.values():
        bits = entry.mode & (SETUID | SETGID)
        held = capability_names(entry.capabilities)
        if entry.kind != FILE or not (bits or held):
            continue
        rules = [one for one in pristine.system.elevated if matches(one.path, entry.path)]
        allowed = any(
            bits in (0, one.bits)
            and (not bits & SETGID or names.get(entry.gid) in one.groups)
            and held <= one.capabilities
            for one in rules
        )
        if not allowed or entry.path not in pristine.owned:
            what = [f"mode {entry.mode:04o}"] * bool(bits) + [f"cap_{one}" for one in sorted(held)]
            yield Finding(entry.path, f"has {', '.join(what)}")


def test_programs_have_the_rights_that_they_need(pristine: Pristine, defects: Defects) -> None:
    """Nobody can become root or change a password: a copy of the system has lost these rights."""
    assert defects(_powerless(pristine)) == []


def _powerless(pristine: Pristine) -> Iterator[Finding]:
    for entry in (pristine.entries[path] for path in pristine.found(*NEEDY)):
        if entry.kind == FILE and (not entry.mode & SETUID or entry.uid):
            yield Finding(entry.path, "has lost its setuid bit, or root as its owner")
    for entry in (pristine.entries[path] for path in pristine.found(*ASKING)):
        if entry.kind == FILE and not entry.mode & (SETUID | SETGID) and not entry.capabilities:
            yield Finding(entry.path, "has lost its setuid or setgid bit")


def test_programs_can_be_used(pristine: Pristine, defects: Defects) -> None:
    """A program cannot be started, or its library not read, by anybody but root."""
    found = [Finding(path, "is not executable") for path in _without(pristine, RUN, 0o111)]
    found += [Finding(path, "cannot be read by all") for path in _without(pristine, LOADED, 0o004)]
    assert defects(found) == []


def _without(pristine: Pristine, places: tuple[str, ...], bits: int) -> Iterator[str]:
    for entry in (pristine.entries[path] for path in pristine.found(*places)):
        if entry.kind == FILE and not entry.mode & bits and entry.path in pristine.owned:
            yield entry.path


def test_devices_are_in_dev(pristine: Pristine, defects: Defects) -> None:
    """Whoever reaches a device below another folder gets around the rights of the real one."""
    assert (
        defects(
            Finding(entry.path, "is a device, a socket or a pipe")
            for entry in pristine.entries.values()
            if entry.kind == OTHER and not entry.path.startswith("/dev/")
        )
        == []
    )
