"""Settings are texts that are whole, and lie where a program reads them."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.systems.files import FILE
from imagecycle.systems.unowned import matches
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

LARGEST = 2**20
NAMES: Mapping[str, str] = {
    "/etc/cloud/cloud.cfg.d/*": r".+\.cfg",
    "/etc/default/grub.d/*": r".+\.cfg",
    "/etc/apt/sources.list.d/*": r".+\.(list|sources)",
    "/etc/apt/{apt.conf.d,preferences.d}/*": r"[\w-]+(\.(conf|pref))?",
    "/etc/apt/trusted.gpg.d/*": r".+\.(gpg|asc)",
    "/etc/yum.repos.d/*": r".+\.repo",
    "/etc/{sysctl.d,modprobe.d,modules-load.d,tmpfiles.d,sysusers.d,binfmt.d}/*": r".+\.conf",
    "/etc/{environment.d,dracut.conf.d,security/limits.d,ld.so.conf.d,rsyslog.d}/*": r".+\.conf",
    "/etc/{ssh/sshd_config.d,ssh/ssh_config.d,NetworkManager/conf.d}/*": r".+\.conf",
    "/etc/systemd/*.conf.d/*": r".+\.conf",
    "/etc/systemd/{system,user}/*.d/*": r".+\.conf",
    "/etc/systemd/{system,user}/*": (
        r".+\.(service|socket|target|timer|mount|automount|path|slice|swap|device|scope)"
    ),
    "/etc/systemd/network/*": r".+\.(network|netdev|link)",
    "/etc/systemd/{system,user}-preset/*": r".+\.preset",
    "/etc/udev/rules.d/*": r".+\.rules",
    "/etc/netplan/*": r".+\.yaml",
    "/etc/profile.d/*": r".+\.c?sh(\.local)?",
    "/etc/sudoers.d/*": r"[^.~]+",
}
"""Folders, and the names of the files there that a program reads"""
JOBS = "/etc/{cron.d,cron.hourly,cron.daily,cron.weekly,cron.monthly,update-motd.d}/*"
RUN = (
    "/etc/{cron.hourly,cron.daily,cron.weekly,cron.monthly,update-motd.d,grub.d}/*",
    "/etc/{rc.local,init.d/*,network/if-*/*,NetworkManager/dispatcher.d/*,kernel/*/*}",
    "/etc/initramfs-tools/hooks/*",
)
"""Scripts that only run where they may be run"""
COPIED = ("/etc/**", "/boot/{grub,grub2}/*", "/root/.*")
_COPY = re.compile(
    r".*(~|\.(bak|backup|old|orig|save|saved|rej|sav|copy|tmp|swp|swo|disabled|off|\d{8}"
    r"|dpkg-\w+|ucf-\w+|rpm(new|save|orig)|distUpgrade|augsave|cfsaved))"
)
_SWITCH = re.compile(r".*/cloud-init\.disabled")
_DOCUMENT = re.compile(r"README.*|.*\.md|functions")
FULL = (
    "/etc/{passwd,shadow,group,nsswitch.conf,hosts,shells,profile,fstab,sudoers,login.defs}",
    "/etc/{ssh/sshd_config,cloud/cloud.cfg,default/grub,pam.d/*,bash.bashrc,adduser.conf}",
)
"""Files that are never empty"""
TEMPLATES = ("/etc/cloud/templates/**", "/**.{tmpl,tpl,j2,erb,template,in,jinja,jinja2}")
_FILLED_IN = "holds places that nobody has filled in"
_DAMAGE: Mapping[str, bytes] = {
    "has line ends of Windows": rb"\r\n",
    "begins with a mark of Windows (BOM)": rb"\A\xef\xbb\xbf|\A\xff\xfe|\A\xfe\xff",
    "holds two versions that were never merged": rb"(?m)^(<{7}|>{7}) ",
    _FILLED_IN: (
        rb"(?m)^[^#\n]*(\{\{[-\s]*\w[\w.]*[-\s|\w]*\}\}|\{%-? |<%=|@@\w+@@|\bCHANGE_?ME\b)"
    ),
    "holds quotation marks of a word processor": rb"(?m)^[^#\n]*=\s*\xe2\x80[\x98-\x9e]",
}


def test_are_read(pristine: Pristine, defects: Defects) -> None:
    """What a file should do is never done, and nothing says so: no program reads a file of this
    name, or runs it."""
    assert defects([*_unread(pristine), *_not_run(pristine)]) == []


def _unread(pristine: Pristine) -> Iterator[Finding]:
    for pattern, name in {**NAMES, JOBS: pristine.system.job_names}.items():
        for path, last in _of_nobody(pristine, pattern):
            if not re.fullmatch(name, last) and not _COPY.fullmatch(last):
                yield Finding(path, "is never read: its name is not one that is looked for")


def _not_run(pristine: Pristine) -> Iterator[Finding]:
    for path, _ in _of_nobody(pristine, *RUN):
        if not pristine.entries[path].mode & 0o111:
            yield Finding(path, "is never run: it is not executable")


def _of_nobody(pristine: Pristine, *patterns: str) -> Iterator[tuple[str, str]]:
    """The files there that no package brings as they are, and their names."""
    for path in pristine.found(*patterns):
        last = path.rpartition("/")[2]
        if path in pristine.foreign and not _DOCUMENT.fullmatch(last):
            yield path, last


def test_have_no_copies(pristine: Pristine, defects: Defects) -> None:
    """Nobody knows which file counts, and what was taken out of one can still be read in the
    other."""
    assert (
        defects(
            Finding(path, "is a copy that an editor, a person or an update left")
            for path in pristine.found(*COPIED)
            if _COPY.fullmatch(path)
            and not _SWITCH.fullmatch(path)
            and path not in pristine.owned
            and not pristine.explained(path)
        )
        == []
    )


def test_are_whole(pristine: Pristine, defects: Defects) -> None:
    """Programs stop at a file, or take something out of it that nobody meant: it was damaged on its
    way into the image."""
    assert defects([*_empty(pristine), *_damaged(pristine)]) == []


def _empty(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.found(*FULL):
        entry = pristine.entries[path]
        if entry.kind == FILE and not entry.size:
            yield Finding(path, "is empty: a copy or a full disk cut it off")


def _damaged(pristine: Pristine) -> Iterator[Finding]:
    for path, entry in pristine.foreign.items():
        if not path.startswith(("/etc/", "/root/", "/usr/local/")) or entry.size > LARGEST:
            continue
        content = pristine.files.read(path)
        if b"\0" in content[:1024] and not content.startswith(b"\xff\xfe"):
            continue
        is_template = content.startswith(b"## template:") or _is_template(path)
        for what, pattern in _DAMAGE.items():
            if re.search(pattern, content) and not (is_template and what == _FILLED_IN):
                yield Finding(path, what)


def _is_template(path: str) -> bool:
    return any(matches(pattern, path) for pattern in TEMPLATES)
