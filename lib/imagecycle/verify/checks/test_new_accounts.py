"""Accounts that contextualisation or users make can be used."""

import re
from collections.abc import Callable, Iterator, Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

Wrong = Callable[[str], bool]


def _below(least: int) -> Wrong:
    return lambda value: value.lstrip("-").isdecimal() and 0 <= int(value) < least


def _above(most: int) -> Wrong:
    return lambda value: value.isdecimal() and int(value) > most


def _but(*allowed: str) -> Wrong:
    return lambda value: value not in allowed


def _no_shell(value: str) -> bool:
    return value.endswith(("/false", "/nologin"))


def _set(value: str) -> bool:
    return value not in ("", "-1")


RULES: Mapping[str, Mapping[str, tuple[Wrong, str]]] = {
    "/etc/login.defs": {
        "PASS_MAX_DAYS": (_below(30), "passwords expire within weeks"),
        "PASS_MIN_DAYS": (_above(30), "nobody can change a password"),
        "LOGIN_TIMEOUT": (_below(10), "logins are broken off"),
        "FAIL_DELAY": (_above(30), "logins wait"),
        "UID_MIN": (_but("500", "1000"), "users get other numbers than everywhere"),
        "GID_MIN": (_but("500", "1000"), "groups get other numbers than everywhere"),
        "UID_MAX": (_below(2000), "there are few numbers for users"),
        "CREATE_HOME": (_but("yes"), "users get no home"),
        "ENCRYPT_METHOD": (_but("YESCRYPT", "SHA512", "SHA256", "BCRYPT"), "hashes are weak"),
    },
    "/etc/default/useradd": {
        "SHELL": (_no_shell, "users have no shell"),
        "EXPIRE": (_set, "users expire"),
        "INACTIVE": (_below(7), "users expire with their password"),
        "HOME": (_but("/home", '"/home"'), "homes are elsewhere"),
        "CREATE_MAIL_SPOOL": (_but("yes", "no"), "useradd complains"),
    },
    "/etc/adduser.conf": {
        "DSHELL": (_no_shell, "users have no shell"),
        "DHOME": (_but("/home"), "homes are elsewhere"),
        "DIR_MODE": (lambda value: value[-1:] in "2367", "everybody can change what is in a home"),
        "FIRST_UID": (_but("1000"), "users get other numbers than everywhere"),
    },
}
"""Files, their settings, the values that spoil an account, and how; see login.defs(5), useradd(8),
adduser.conf(5)"""
_SETTING = re.compile(r"(?P<name>\w+)(?:\s*=\s*|\s+)[\"']?(?P<value>[^\"'#]*?)[\"']?\s*(?:#.*)?")


def test_can_be_used(pristine: Pristine, defects: Defects) -> None:
    """A user cannot log in, or only until his password expires: new accounts are made so."""
    assert defects(_spoilt(pristine)) == []


def _spoilt(pristine: Pristine) -> Iterator[Finding]:
    for path, rules in RULES.items():
        for _, line in pristine.lines(path):
            match = _SETTING.fullmatch(line)
            if match is None or match["name"] not in rules or path not in pristine.foreign:
                continue
            is_wrong, how = rules[match["name"]]
            if is_wrong(match["value"]):
                yield Finding(path, f"says {' '.join(line.split())}: {how}")
