"""Whether Windows is activated, and if not, why and what to do.

The codes are those of Microsoft's "Resolve Windows activation error codes" and "Guidelines for
troubleshooting the Key Management Service (KMS)".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from imagecycle.errors import ImagecycleError

KMS_PORT = 1688
_LICENSED = 1
_STATES = {
    0: "unlicensed",
    2: "in its first grace period",
    3: "in grace, since its hardware changed or its activation expired",
    4: "in grace, and not genuine",
    5: "in notification mode: its grace is over",
    6: "in its extended grace period",
}
"""LicenseStatus of SoftwareLicensingProduct, besides 1: licensed"""
_GRACE = (2, 3, 4, 6)


@dataclass(frozen=True)
class Reason:
    """What a code of Windows means, and what to do about it."""

    meaning: str
    way_out: str


REASONS = {
    0xC004F074: Reason(
        "no KMS host answered",
        "open TCP port 1688 from the instances to the host; correct their clock if it is off by "
        "more than four hours; check kms_host, or the DNS record _vlmcs._tcp",
    ),
    0xC004F038: Reason(
        "the KMS host has not been asked by enough machines yet",
        "it begins to activate at 5 servers or 25 clients; clones of an image that was not "
        "generalised count as one",
    ),
    0xC004F042: Reason(
        "the KMS host has no key for this release or edition",
        "install the host's key for it there, or choose the client key of an older release",
    ),
    0xC004F041: Reason(
        "the KMS host itself is not activated", "activate the host with its key first"
    ),
    0xC004F039: Reason(
        "the machine that was asked is no KMS host", "correct kms_host, or enable KMS there"
    ),
    0xC004F06C: Reason(
        "the clocks of instance and KMS host differ by more than four hours",
        "correct the time service of the instance, and os_type of the image: Nova gives Windows a "
        "clock in local time",
    ),
    0xC004F035: Reason(
        "the machine is not entitled to a volume key", "take a medium and a key of another kind"
    ),
    0xC004F050: Reason("the product key is not valid", "compare it with the edition"),
    0xC004F069: Reason(
        "the product key is for another edition", "take the client key of the installed edition"
    ),
    0xC004E016: Reason(
        "the product key is for another edition", "take the client key of the installed edition"
    ),
    0xC004F015: Reason(
        "the edition cannot be activated with this key",
        "an evaluation edition must be converted with DISM first, or installed from another medium",
    ),
    0xC004F009: Reason("the grace period is over", "activate it, or publish a newer release"),
    0xC004F00F: Reason(
        "the hardware has changed too much since the activation", "activate it again"
    ),
    0xC004F200: Reason("it is not genuine", "install a key that was not tampered with"),
    0xC004C003: Reason("Microsoft has blocked the product key", "ask for another key"),
    0xC004C008: Reason(
        "the key has been used as often as it may be", "ask Microsoft to raise its limit"
    ),
    0xC004C020: Reason(
        "the key has been used as often as it may be", "ask Microsoft to raise its limit"
    ),
    0x8007232B: Reason(
        "DNS knows no KMS host: the record _vlmcs._tcp is missing in the instance's domain",
        "add it, or name the host in the catalog (context.kms_host) or the site (windows.kms_host)",
    ),
    0x8007232A: Reason("the DNS server failed", "check the DNS servers that DHCP gives"),
    0x8007251D: Reason("DNS has no record _vlmcs._tcp", "add it, or name the host as kms_host"),
    0x8007267C: Reason("the instance has no DNS server", "let DHCP give it one"),
    0x800706BA: Reason("the KMS host refuses the connection", "open TCP port 1688 to it"),
    0x80070005: Reason("the access was denied", "activate as an administrator"),
}


@dataclass(frozen=True)
class Activation:
    """What Windows says of its license."""

    status: int
    """LicenseStatus"""
    reason: int
    """LicenseStatusReason, or 0"""
    grace_minutes: int
    description: str
    kms_host: str

    @property
    def activated(self) -> bool:
        return self.status == _LICENSED

    @property
    def grace_days(self) -> int:
        """Days that are left, rounded down; 0 when it is in no grace."""
        return self.grace_minutes // 1440 if self.status in _GRACE else 0

    def __str__(self) -> str:
        if self.activated:
            return f"activated ({self.description})"
        state = _STATES.get(self.status, f"in the unknown state {self.status}")
        left = f", {self.grace_days} days left" if self.status in _GRACE else ""
        return f"not activated: {state}{left}{explained(self.reason)}"


def read(text: str) -> Activation:
    """What the script ``activation.ps1`` has printed.

    :raises ImagecycleError: when it is something else.
    """
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    return of(said)


def of(said: Any) -> Activation:
    """The same from values.

    :raises ImagecycleError: when they are others.
    """
    try:
        return Activation(
            status=int(said["status"]),
            reason=int(said["reason"]) & 0xFFFFFFFF,
            grace_minutes=int(said["grace_minutes"]),
            description=str(said["description"]),
            kms_host=str(said["kms_host"]),
        )
    except (ValueError, KeyError, TypeError):
        raise ImagecycleError(
            "Windows does not report whether it is activated",
            hint="is its service sppsvc running, and has it a product key?",
        ) from None


def explained(code: int) -> str:
    """``: 0xC004F074, no KMS host answered; open ...``, or nothing where no code is known."""
    if not code:
        return ""
    known = REASONS.get(code & 0xFFFFFFFF)
    number = f"0x{code & 0xFFFFFFFF:08X}"
    if known is None:
        return f": {number}; look for this code in Microsoft's list of activation errors"
    return f": {number}, {known.meaning}; {known.way_out}"
