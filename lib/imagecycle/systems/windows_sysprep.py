"""Why sysprep does not generalise a system: what its logs say, in words with a way out.

The texts are those of ``setuperr.log`` and ``setupact.log`` in ``System32\\Sysprep\\Panther``, as
Microsoft's support articles and users quote them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class KnownFailure:
    """One way to fail; ``{0}`` in a text is what the first group of the pattern found."""

    pattern: re.Pattern[str]
    meaning: str
    way_out: str

    def told(self, line: str) -> str:
        """What it means and what to do, if this line is of it; else empty."""
        found = self.pattern.search(line)
        if found is None:
            return ""
        return f"{self.meaning}; {self.way_out}".format(*found.groups())


def _known(pattern: str, meaning: str, way_out: str) -> KnownFailure:
    return KnownFailure(re.compile(pattern, re.IGNORECASE), meaning, way_out)


KNOWN = (
    _known(
        r"Package (\S+) was installed for a user, but not provisioned for all users",
        "the app {0} is installed for a user and not for all",
        "no step may install apps from the Store; remove it with Remove-AppxPackage -AllUsers in a "
        "command of the flavour",
    ),
    _known(
        r"BitLocker is on for the OS volume|0x80310039",
        "BitLocker encrypts the system's volume",
        "decrypt it with manage-bde -off C: in a command; the answer file keeps it off, so a step "
        "or a policy has turned it on",
    ),
    _known(
        r"0x800F0975|reserved storage is in use",
        "an update is using reserved storage",
        "let the updates finish: restart before sysprep, or take them from the catalog alone",
    ),
    _known(
        r"updates that require a reboot|pending reboot|0x80070BBE",
        "a restart is pending",
        "a step has asked for one without saying so: let it end with code 3010",
    ),
    _known(
        r"0xC004D307|maximum allowed number of re-?arms",
        "Windows was rearmed as often as it may be",
        "install it anew from its medium; a disk that was sealed once is no base for another",
    ),
    _known(
        r"cannot run on a computer that has been upgraded|0x80070522",
        "the system was upgraded from an older release",
        "install the release itself from its own medium",
    ),
    _known(
        r"machine is in an invalid state|Sysprep.* already running",
        "sysprep was interrupted before, or runs twice",
        "build it anew",
    ),
    _known(
        r"msdtcprx|MSDTC",
        "the transaction coordinator stops sysprep",
        "start the service MSDTC in a command, or remove what needs it",
    ),
    _known(
        r"0x8007139F|wmpnetwk",
        "the Media Player's network sharing stops sysprep",
        "stop the service WMPNetworkSvc in a command",
    ),
)


def explained(lines: list[str]) -> str:
    """The first failure that is known in these lines; else the last line itself."""
    for line in lines:
        for failure in KNOWN:
            if told := failure.told(line):
                return told
    return lines[-1].strip() if lines else "its logs say nothing"
