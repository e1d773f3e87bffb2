"""Who may read, change and run what."""

from collections.abc import Iterator

from imagecycle.systems.elevated import capability_names
from imagecycle.systems.files import FILE, FOLDER, LINK, OTHER, Entry
from imagecycle.systems.unowned import matches
from imagecycle.verify.accounts import FIRST_USER, accounts, groups
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
    "/etc/ssl/private": (0o700, 0o710, 0o711),
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

LOG_GROUPS = ("root", "syslog", "adm")
GROUPS = {"/var/log": LOG_GROUPS, "/etc/ssl/private": ("root", "ssl-cert")}
"""Of other paths of these, root or those of the passwords"""
NEEDY = (
    "/usr/bin/{su,sudo,passwd,mount,umount,newgrp,gpasswd,chsh,chfn,pkexec,fusermount,fusermount3}",
    "/usr/{lib,libexec}/dbus-1**/dbus-daemon-launch-helper",
)
"""Programs that do nothing for users without setuid"""
ASKING = (
    "/usr/sbin/unix_chkpwd",
    "/usr/bin/{chage,expiry,crontab,ssh-agent,newuidmap,newgidmap}",
    "/usr/{lib,libexec}/openssh/ssh-keysign",
)
"""Programs that need setuid, setgid or capabilities: for the passwords, jobs, keys and numbers of
those who run them"""
PINGING = "/usr/bin/{ping,fping,mtr-packet}"
"""Programs that need a capability, unless the kernel lets everybody's programs ping"""
KERNEL_SETTINGS = ("/usr/lib/sysctl.d/*.conf", "/etc/{sysctl.conf,sysctl.d/*.conf}")
READ, SEARCHED = 0o004, 0o005
FOR_ALL = (
    "/etc/{alternatives,apt,bash_completion.d,fonts,ld.so.conf.d,pam.d,profile.d,python3*}{,/**}",
    "/etc/{security,skel,ssl,terminfo,vim,xdg}{,/**}",
    "/etc/{bash.bashrc,bashrc,environment,gai.conf,host.conf,hostname,inputrc,issue,ld.so.cache}",
    "/etc/{ld.so.conf,locale.conf,localtime,login.defs,machine-id,magic,mime.types,motd,networks}",
    "/etc/{nsswitch.conf,os-release,protocols,resolv.conf,rpc,services,shells,ssh/ssh_config}",
    "/etc/{ssh/ssh_config.d,timezone}{,/**}",
    "/etc/default{,/locale}",
    "/usr/share{,/{ca-certificates,i18n,keyrings,locale,misc,perl*,python*,terminfo,zoneinfo}{,/**}}",
    "/usr/lib/{locale,python3*,ssl,terminfo}{,/**}",
    "/usr/lib{,64,/*-linux-gnu*}",
    "/var/lib/{dpkg,rpm,dbus}{,/status}",
)
"""What everybody reads, and folders in which everybody looks"""
SECRET = (
    "/etc/apt/auth.conf{,.d/**}",
    "/etc/security/{opasswd,pwhistory*}",
    "/etc/ssl/private{,/**}",
)
SETTINGS = (
    "/etc/{alternatives,apt,cloud,cron*,default,dpkg,grub.d,init.d,kernel,ld.so*,logrotate*}{,/**}",
    "/etc/{modprobe.d,network,pam.d,profile*,rc?.d,security,skel,ssh,ssl,sudo*,sysctl*}{,/**}",
    "/etc/{systemd,tmpfiles.d,udev}{,/**}",
    "/etc/{bash*,environment,hostname,login.defs,resolv.conf,services,shells}",
)
"""Of root alone, whatever is installed"""
MAIL_AND_JOBS = {
    "/var/mail": "mail",
    "/var/spool/mail": "mail",
    "/var/spool/cron/crontabs": "crontab",
}
"""Folders, and the group by which programs write there for a user"""
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
        allowed = SHADOW_GROUPS if "shadow" in path else GROUPS.get(path, ("root",))
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
        is_roots = entry.path.startswith("/usr/") or entry.uid >= FIRST_USER
        if entry.uid and (is_roots or any(matches(one, entry.path) for one in SETTINGS)):
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
    """Nobody can become root, change a password or ping: a copy of the system has lost these
    rights."""
    assert defects(_powerless(pristine)) == []


def _powerless(pristine: Pristine) -> Iterator[Finding]:
    for entry in _with_rights(pristine, NEEDY):
        if not entry.mode & SETUID or entry.uid:
            yield Finding(entry.path, "has lost its setuid bit, or root as its owner")
    for entry in _with_rights(pristine, ASKING):
        if not entry.mode & (SETUID | SETGID) and not entry.capabilities:
            yield Finding(entry.path, "has lost its setuid or setgid bit")
    settings = (line for _, line in pristine.lines(*KERNEL_SETTINGS))
    if not any("net.ipv4.ping_group_range" in line for line in settings):
        for entry in _with_rights(pristine, (PINGING,)):
            if not entry.mode & SETUID and not entry.capabilities:
                yield Finding(entry.path, "has lost its capability")


def _with_rights(pristine: Pristine, places: tuple[str, ...]) -> Iterator[Entry]:
    """The programs there that the system does not ship without rights of their own."""
    without = pristine.system.without_rights
    for entry in (pristine.entries[path] for path in pristine.found(*places)):
        is_shipped_so = any(matches(one, entry.path) for one in without)
        if entry.kind == FILE and entry.path in pristine.owned and not is_shipped_so:
            yield entry


def test_programs_can_be_used(pristine: Pristine, defects: Defects) -> None:
    """A program cannot be started, or its library not read, by anybody but root."""
    found = [Finding(path, "is not executable") for path in _without(pristine, RUN, 0o111)]
    found += [Finding(path, "cannot be read by all") for path in _without(pristine, LOADED, 0o004)]
    assert defects(found) == []


def _without(pristine: Pristine, places: tuple[str, ...], bits: int) -> Iterator[str]:
    for entry in (pristine.entries[path] for path in pristine.found(*places)):
        if entry.kind == FILE and not entry.mode & bits and entry.path in pristine.owned:
            yield entry.path


def test_files_can_be_changed_by_root(pristine: Pristine, defects: Defects) -> None:
    """Contextualisation, updates and root himself fail at a file that nobody can change."""
    locked = (Finding(path, "cannot be changed by root: see lsattr") for path in pristine.locked)
    assert defects(sorted(locked)) == []


def test_nobody_else_is_let_in(pristine: Pristine, defects: Defects) -> None:
    """Somebody reads or changes a file whose permissions show nothing of it."""
    shared = (Finding(path, "has an access list: see getfacl") for path in pristine.shared)
    assert defects(sorted(shared)) == []


def test_state_belongs_to_who_keeps_it(pristine: Pristine, defects: Defects) -> None:
    """The package manager or a service fails at its own files, or somebody else changes them."""
    assert defects(_astray(pristine)) == []


def _astray(pristine: Pristine) -> Iterator[Finding]:
    users = {one.uid: one.name for one in accounts(pristine)}
    for entry in pristine.entries.values():
        if entry.uid:
            owner = users.get(entry.uid, str(entry.uid))
            rules = (rule for rule in pristine.system.keepers if matches(rule.path, entry.path))
            rule = next(rules, None)
            if rule is not None and owner not in rule.users:
                yield Finding(entry.path, f"belongs to {owner}, should belong to {rule.users[0]}")
    numbers = {one.name: one.gid for one in groups(pristine)}
    for path, group in MAIL_AND_JOBS.items():
        found, wanted = pristine.entries.get(path), numbers.get(group)
        if found is not None and found.kind == FOLDER and wanted not in (None, found.gid):
            yield Finding(path, f"belongs to group {found.gid}, should belong to {group}")


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


def test_of_what_everybody_needs_are_open(pristine: Pristine, defects: Defects) -> None:
    """Programs of users fail, or know neither names nor zones nor authorities: only root may read
    what they need."""
    assert defects(_closed(pristine)) == []


def _closed(pristine: Pristine) -> Iterator[Finding]:
    for entry in pristine.entries.values():
        wanted = SEARCHED if entry.kind == FOLDER else READ
        is_closed = entry.kind in (FILE, FOLDER) and entry.mode & wanted != wanted
        if is_closed and entry.path not in FIXED:
            is_secret = any(matches(one, entry.path) for one in SECRET)
            if not is_secret and any(matches(one, entry.path) for one in FOR_ALL):
                yield Finding(entry.path, f"has mode {entry.mode:04o}: only some can read it")
