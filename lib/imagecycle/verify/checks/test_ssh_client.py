"""Whom a user talks to over SSH, the user decides."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.verify.accounts import homes
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FILES = ("/etc/ssh/ssh_config", "/etc/ssh/ssh_config.d/*.conf")
RISKY: Mapping[str, str] = {
    "stricthostkeychecking": r"no|off",
    "userknownhostsfile": r"/dev/null",
    "globalknownhostsfile": r"/dev/null",
    "forwardagent": r"yes",
    "checkhostip": r"no",
    "proxycommand": r"(?!none$|/usr/bin/sss_ssh).+",
    "proxyjump": r"(?!none$).+",
    "permitlocalcommand": r"yes",
    "localcommand": r".+",
    "user": r".+",
    "identityfile": r"(?!~|%d).+",
}
"""Settings by which a user's connections are the builder's, or anybody's"""
KNOWN = ("/etc/ssh/ssh_known_hosts{,2}",)


def test_trusts_whom_the_user_trusts(pristine: Pristine, defects: Defects) -> None:
    """Whoever stands between can pretend to be any machine to which a user connects from here."""
    assert defects(_risky(pristine)) == []


def _risky(pristine: Pristine) -> Iterator[Finding]:
    of_people = (f"{home}/.ssh/config" for home in homes(pristine))
    for path, line in pristine.lines(*FILES, *of_people):
        keyword, _, value = re.sub(r"\s*=\s*|\s+", " ", line).partition(" ")
        pattern = RISKY.get(keyword.lower())
        is_risky = pattern and re.fullmatch(pattern, value.strip('"'), re.IGNORECASE)
        if path in pristine.foreign and is_risky:
            yield Finding(path, f"says {line}")
    for path in pristine.filled(*KNOWN):
        if path in pristine.foreign:
            yield Finding(path, "names machines that the builder knows")
