"""Files that belong to no package, and why they are there all the same."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_NOT_MERGED = ("/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/")


@dataclass(frozen=True)
class Unowned:
    """A file that no package owns, and the reason for it.

    ``path`` may hold wildcards: ``*`` and ``?`` stay within a folder, ``**`` does not, ``{a,b}`` is
    one of them. ``\\1`` in another path is what the first ``*``, ``**`` or ``{}`` stands for.
    """

    path: str
    reason: str
    leads_to_owned: bool = False
    """Only as a symbolic link that leads to something owned, at once or over others"""
    copy_of: str = ""
    """Only with the content of this file of a package"""
    made_from: str = ""
    """Only where this file of a package is"""

    def matches(self, path: str) -> bool:
        return matches(self.path, path)

    def source(self, path: str) -> str:
        """What a file is copied or made from."""
        return _expression(self.path).sub(self.copy_of or self.made_from, merged(path))


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern as in :class:`Unowned` is that of a path."""
    path = merged(path)
    return path.startswith(literal(pattern)) and _expression(pattern).fullmatch(path) is not None


def like(pattern: str, paths: Iterable[str]) -> Iterator[str]:
    """Those of paths with a pattern's literal beginning that are like it."""
    expression = _expression(pattern)
    return (path for path in paths if expression.fullmatch(merged(path)))


def merged(path: str) -> str:
    """A path as it is where ``/bin``, ``/sbin`` and ``/lib`` have become links below ``/usr``."""
    return f"/usr{path}" if path.startswith(_NOT_MERGED) else path


@functools.cache
def literal(pattern: str) -> str:
    """What every path of a pattern begins with."""
    return re.split(r"[*?{]", pattern, maxsplit=1)[0]


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = {"**": "(.*)", "*": "([^/]*)", "?": "[^/]", "{": "(", "}": ")", ",": "|"}
    found = re.split(r"(\*\*|[*?{},])", pattern)
    return re.compile("".join(parts.get(part, re.escape(part)) for part in found), re.DOTALL)


def by_reason(reason: str, paths: Iterable[str], *, leads_to_owned: bool = False) -> list[Unowned]:
    """Several files that are there for one reason."""
    return [Unowned(path, reason, leads_to_owned=leads_to_owned) for path in paths]


LINUX: tuple[Unowned, ...] = (
    *by_reason(
        "the installer writes it",
        (
            "/etc/fstab",
            "/etc/hostname",
            "/etc/hosts",
            "/etc/adjtime",
            "/etc/default/{grub,locale}",
            "/etc/timezone",
        ),
    ),
    *by_reason(
        "the accounts' databases; accounts.* and permissions.* look into them",
        ("/etc/{passwd,shadow,group,gshadow,subuid,subgid}", "/etc/security/opasswd"),
    ),
    Unowned(
        "/**/__pycache__/*.cpython-*.pyc",
        "Python compiles it when its package is installed",
        made_from=r"/\1/\2.py",
    ),
    Unowned(
        "/usr/lib/modules/*/modules.*", "depmod makes it", made_from=r"/usr/lib/modules/\1/kernel"
    ),
    Unowned("/usr/lib/udev/hwdb.bin", "udev makes it from what packages bring"),
    Unowned("/etc/udev/hwdb.bin", "udev makes it from what packages bring"),
    Unowned("/usr/share/info/dir", "the list of manuals"),
    Unowned("/usr/share/mime/**", "made from what packages bring"),
    Unowned("/usr/share/{applications,icons}/**cache", "made from what packages bring"),
    Unowned("/usr/share/glib-2.0/schemas/gschemas.compiled", "made from what packages bring"),
    Unowned("/usr/lib/*/{gtk-**,gio/**,gdk-pixbuf-**}.cache", "made from what packages bring"),
    Unowned("/usr/lib/locale/locale-archive", "made from what packages bring"),
    Unowned("/{vmlinuz,initrd.img}", "leads to the newest kernel"),
    Unowned("/{vmlinuz,initrd.img}.old", "leads to the kernel before"),
    Unowned("/etc/localtime", "the time zone", leads_to_owned=True),
    Unowned("/etc/mtab", "what is mounted: a link into /proc"),
    Unowned("/etc/resolv.conf", "made when the network starts; resolver.* looks into it"),
    Unowned("/etc/machine-id", "made at the first boot; machine_id.* looks into it"),
    Unowned("/etc/.pwd.lock", "held while accounts change"),
    Unowned("/etc/ld.so.cache", "ldconfig makes it from the libraries"),
    Unowned("/var/cache/ldconfig/aux-cache", "ldconfig makes it from the libraries"),
    Unowned("/var/log/**", "logs; build_traces.no_logs looks into them"),
    Unowned("/var/lib/systemd/catalog/database", "systemd makes it from its message catalogues"),
    Unowned("/{etc,var}/.updated", "systemd notes there that the folder fits what is in /usr"),
    Unowned("/var/lib/systemd/timesync/clock", "the time below which the clock never goes"),
    *by_reason(
        "a service that a package brings is switched on; services.* looks at which",
        (
            "/etc/systemd/{system,user}/*.{wants,requires}/*",
            "/etc/systemd/{system,user}/*.{service,socket,target,timer}",
        ),
        leads_to_owned=True,
    ),
)
"""On every Linux."""

GRUB: tuple[Unowned, ...] = (
    Unowned("/boot/grub/grub.cfg", "update-grub makes it; kernel_arguments.* looks into it"),
    Unowned("/boot/grub/grubenv", "what GRUB remembers"),
    *(
        Unowned(
            f"/boot/grub/*/*.{ending}",
            "GRUB's own module, for the boot loader to read",
            copy_of=rf"/usr/lib/grub/\1/\2.{ending}",
        )
        for ending in ("mod", "lst", "o", "sh")
    ),
    Unowned("/boot/grub/*/{boot.img,core.img,core.efi,grub.efi,load.cfg}", "grub-install makes it"),
    Unowned("/boot/grub/fonts/*", "GRUB's font", copy_of=r"/usr/share/grub/\1"),
    Unowned("/boot/grub/locale/*", "GRUB's translations"),
    Unowned("/boot/grub/unicode.pf2", "GRUB's font", copy_of="/usr/share/grub/unicode.pf2"),
)
"""Where GRUB boots it from /boot/grub."""
