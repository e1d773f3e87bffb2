"""The accounts and groups of a system on a disk; see passwd(5), shadow(5), group(5), gshadow(5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imagecycle.verify.pristine import Pristine

FIRST_USER, NOBODY = 1000, 65534
"""The first user id of a person, and the one of nobody"""


@dataclass(frozen=True)
class Account:
    """A line of /etc/passwd."""

    name: str
    password: str
    uid: int
    gid: int
    home: str
    shell: str

    @property
    def is_a_persons(self) -> bool:
        """Whether its number is of those that people get."""
        return FIRST_USER <= self.uid != NOBODY

    @property
    def has_a_shell(self) -> bool:
        """Whether somebody could work with it."""
        return not self.shell.endswith(("/nologin", "/false", "/sync", "/shutdown", "/halt"))


@dataclass(frozen=True)
class Group:
    """A line of /etc/group."""

    name: str
    password: str
    gid: int
    members: tuple[str, ...]


def accounts(pristine: Pristine) -> list[Account]:
    """All accounts; a line that is none is left out."""
    found = []
    for name, password, uid, gid, _, home, shell in _lines(pristine, "/etc/passwd", 7):
        if uid.isdecimal() and gid.isdecimal():
            found.append(Account(name, password, int(uid), int(gid), home, shell or "/bin/sh"))
    return found


def groups(pristine: Pristine) -> list[Group]:
    """All groups; a line that is none is left out."""
    return [
        Group(name, password, int(gid), tuple(filter(None, members.split(","))))
        for name, password, gid, members in _lines(pristine, "/etc/group", 4)
        if gid.isdecimal()
    ]


def homes(pristine: Pristine) -> tuple[str, ...]:
    """The folders that are, were or will be somebody's: of accounts, below /home, and the skeleton
    of new ones."""
    known = {account.home.rstrip("/") for account in accounts(pristine)}
    known |= {path for path in pristine.entries if path.count("/") == 2 and path[:6] == "/home/"}
    used = {home for home in known if home.count("/") > 1 or home == "/root"}
    return tuple(sorted(used & pristine.entries.keys() | {"/etc/skel", "/root"}))


def shadow_passwords(pristine: Pristine) -> dict[str, str]:
    """What /etc/shadow has for passwords, by account."""
    lines = (line.split(":") for line in pristine.text("/etc/shadow").splitlines())
    return {fields[0]: fields[1] for fields in lines if len(fields) > 1}


def _lines(pristine: Pristine, path: str, fields: int) -> Iterator[list[str]]:
    for line in pristine.text(path).splitlines():
        parts = line.split(":")
        if len(parts) == fields:
            yield parts
