"""Who may read, change and run what, made wrong."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

from sabotages.table import ADDED, Deed, Sabotage, both, mode, owner, put

STRICT = "permissions.of_what_matters_most_are_strict"
STICKY = "permissions.what_all_may_change_is_sticky"
ROOTS = "permissions.nobody_but_root_changes_the_system"
ELEVATED = "permissions.programs_have_no_rights_of_their_own"
KEPT = "permissions.state_belongs_to_who_keeps_it"
OWNED = "permissions.files_belong_to_accounts"
PACKED = "integrity.files_are_as_they_were_packed"
LOCKED = "permissions.files_can_be_changed_by_root"
RIGHTS = "permissions.programs_have_the_rights_that_they_need"
OPEN = "permissions.of_what_everybody_needs_are_open"


def _copied_shell(root: Path) -> None:
    shutil.copy(root / "usr/bin/dash", root / "usr/local/bin/toor")
    (root / "usr/local/bin/toor").chmod(0o4755)


def _capable(root: Path) -> None:
    setuid = 1 << 7
    os.setxattr(
        root / "usr/bin/python3.11",
        "security.capability",
        struct.pack("<5I", 0x02000001, setuid, 0, 0, 0),
    )


def _device(root: Path) -> None:
    os.mknod(root / "opt/disk", 0o060600, os.makedev(254, 0))


def locked(path: str, content: str | None = None) -> Deed:
    """Make a file immutable, as ``chattr +i`` does."""

    def deed(root: Path) -> None:
        place = root / path[1:]
        if content is not None:
            put(path, content)(root)
        subprocess.run(["chattr", "+i", place], check=True, timeout=10)

    return deed


def shared(path: str, uid: int) -> Deed:
    """Let another account read a file, as ``setfacl -m u:NUMBER:r`` does."""

    def deed(root: Path) -> None:
        entries = ((1, 6, -1), (2, 4, uid), (4, 4, -1), (16, 4, -1), (32, 0, -1))
        words = b"".join(struct.pack("<HHi", *entry) for entry in entries)
        os.setxattr(root / path[1:], "system.posix_acl_access", struct.pack("<I", 2) + words)

    return deed


SABOTAGES = (
    Sabotage(STRICT, "shadow for all to read", mode("/etc/shadow", 0o644), "/etc/shadow: has mode"),
    Sabotage(STRICT, "passwd for its group to change", mode("/etc/passwd", 0o664), "/etc/passwd"),
    Sabotage(
        STRICT,
        "sudoers for all to read",
        mode("/etc/sudoers", 0o444),
        "/etc/sudoers",
        also=("permissions.sudo_trusts_its_rules",),
    ),
    Sabotage(STRICT, "root's home for all to read", mode("/root", 0o755), "/root"),
    Sabotage(STRICT, "a root folder that its group may change", mode("/", 0o775), "/: has mode"),
    Sabotage(STRICT, "temporary files without sticky", mode("/tmp", 0o777), "/tmp", also=(STICKY,)),
    Sabotage(
        STRICT,
        "a root folder of the builder",
        owner("/", 1000, 1000),
        "/: belongs to user 1000",
        also=(OWNED, ROOTS),
    ),
    Sabotage(
        STRICT, "group that is not root's", owner("/etc/passwd", 0, 100), "/etc/passwd: belongs to"
    ),
    Sabotage(STICKY, "a folder that all may change", mode("/srv", 0o777), "/srv"),
    Sabotage(STICKY, "a program that all may change", mode("/usr/bin/apt", 0o777), "/usr/bin/apt"),
    Sabotage(ROOTS, "a program of another account", owner("/usr/bin/apt", 33, 0), "/usr/bin/apt"),
    Sabotage(
        ROOTS,
        "settings for a group to change",
        both(owner("/etc/networks", 0, 50), mode("/etc/networks", 0o664)),
        "/etc/networks",
    ),
    Sabotage(
        ELEVATED,
        "a shell that makes everybody root",
        _copied_shell,
        "/usr/local/bin/toor",
        also=ADDED,
    ),
    Sabotage(
        ELEVATED,
        "setuid on a program that had none",
        mode("/usr/bin/find", 0o4755),
        "/usr/bin/find: has mode 4755",
    ),
    Sabotage(
        ELEVATED,
        "setgid of the wrong group",
        both(owner("/usr/bin/chage", 0, 0), mode("/usr/bin/chage", 0o2755)),
        "/usr/bin/chage",
    ),
    Sabotage(ELEVATED, "capabilities of a script language", _capable, "cap_setuid"),
    Sabotage(
        OWNED,
        "a file of a deleted account",
        owner("/usr/share/doc/adduser/NEWS.Debian.gz", 0, 4242),
        "0:4242",
    ),
    Sabotage(
        OWNED,
        "logs of the builder's number",
        owner("/var/log/faillog", 1001, 43),
        "1001:43",
        (KEPT,),
    ),
    Sabotage("permissions.devices_are_in_dev", "a device in opt", _device, "/opt/disk", also=ADDED),
    Sabotage(
        PACKED,
        "a program replaced",
        put("/usr/bin/apt-get", "#!/bin/sh\nexit 0\n", 0o755),
        "/usr/bin/apt-get: is not as",
    ),
    Sabotage(
        PACKED,
        "settings changed",
        put("/etc/login.defs", "FAILLOG_ENAB no\n"),
        "/etc/login.defs",
    ),
    Sabotage(
        PACKED,
        "a program taken away",
        lambda root: (root / "usr/bin/less").unlink(),
        "/usr/bin/less: is missing",
        also=("tree.leads_to_what_runs",),
    ),
    Sabotage(
        RIGHTS,
        "sudo without setuid",
        mode("/usr/bin/sudo", 0o755),
        "/usr/bin/sudo",
    ),
    Sabotage(
        RIGHTS,
        "su of another owner",
        owner("/usr/bin/su", 33, 0),
        "/usr/bin/su",
        also=(ROOTS,),
    ),
    *(
        Sabotage(LOCKED, what, deed, names, also)
        for what, deed, names, also in (
            ("a name that stays", locked("/etc/hostname"), "/etc/hostname: cannot be", ()),
            (
                "name servers that stay",
                locked("/etc/resolv.conf", ""),
                "/etc/resolv.conf: cannot be",
                (),
            ),
        )
    ),
    *(
        Sabotage(KEPT, what, owner(path, uid, gid), f"{path}: belongs to")
        for what, path, uid, gid in (
            ("a list of packages of a web server", "/var/lib/dpkg", 33, 33),
            ("downloads of a web server", "/var/cache/apt/archives/partial", 33, 33),
            ("logs of apt that are the manuals'", "/var/log/apt", 6, 12),
            ("programs of a web server", "/opt", 33, 33),
            ("a post office of root's group", "/var/mail", 0, 0),
        )
    ),
    Sabotage(
        ROOTS,
        "settings of a service's account",
        owner("/etc/ssh", 33, 0),
        "/etc/ssh: belongs",
        ("permissions.of_what_matters_most_are_strict",),
    ),
    *(
        Sabotage(RIGHTS, what, mode(path, 0o755), f"{path}: has lost")
        for what, path in (
            ("no change of shell", "/usr/bin/chsh"),
            ("an agent whose keys can be read", "/usr/bin/ssh-agent"),
            ("no logins by the host's key", "/usr/lib/openssh/ssh-keysign"),
        )
    ),
    *(
        Sabotage(OPEN, what, mode(path, permissions), f"{path}: has mode", also)
        for what, path, permissions, also in (
            ("package sources for root alone", "/etc/apt/sources.list", 0o600, ()),
            (
                "authorities for root alone",
                "/etc/ssl/certs/ca-certificates.crt",
                0o600,
                (),
            ),
            ("zones for root alone", "/usr/share/zoneinfo", 0o700, ()),
            ("modules of Python for root alone", "/usr/lib/python3", 0o750, ()),
        )
    ),
    Sabotage(
        "permissions.nobody_else_is_let_in",
        "passwords that a web server reads",
        shared("/etc/shadow", 33),
        "/etc/shadow: has an access list",
    ),
)
