"""In what two builds of the same inputs may differ."""

from __future__ import annotations

from dataclasses import dataclass

from imagecycle.systems import unowned

CONTENT, IDENTIFIERS = "content", "identifiers"
"""All that is in a file, or nothing but UUIDs in it"""


@dataclass(frozen=True)
class Varying:
    """A file that is not the same in two builds, and why."""

    path: str
    """May hold wildcards, see :class:`imagecycle.systems.unowned.Unowned`"""
    what: str
    reason: str

    def matches(self, path: str, what: str) -> bool:
        return self.what == what and unowned.matches(self.path, path)


DEBIAN = (
    Varying("/etc/fstab", IDENTIFIERS, "it names the file systems, which are made anew"),
    Varying("/boot/grub/grub.cfg", IDENTIFIERS, "it names the root file system, made anew"),
    Varying("/boot/initrd.img-*", CONTENT, "it holds the times at which it was made"),
    Varying(
        "/var/cache/ldconfig/aux-cache",
        CONTENT,
        "it holds the numbers and the times of the libraries' files",
    ),
)
"""Measured with Debian 12, base and server"""
