"""What a system does against the rules of a small guide, and the checks that reject it."""

from __future__ import annotations

from collections.abc import Mapping

from sabotages.table import Deed, mode, replace

SCORE = "security_profile.reaches_its_score"
RULES = "security_profile.rules_are_met_or_accepted"
SABOTAGES: Mapping[str, tuple[Deed, tuple[str, ...]]] = {
    "logins of root": (
        replace("/etc/ssh/sshd_config", "PermitRootLogin no", "PermitRootLogin yes"),
        (SCORE, RULES),
    ),
    "a package that is not installed": (
        replace("/var/lib/dpkg/status", "Package: auditd", "Package: another"),
        (RULES,),
    ),
    "a message that everybody may change": (mode("/etc/motd", 0o666), (RULES,)),
}
"""By what was done"""


def rejected() -> dict[str, list[str]]:
    """What was done to systems, by the check that rejects it."""
    return {
        check: [what for what, (_, checks) in SABOTAGES.items() if check in checks]
        for check in (SCORE, RULES)
    }
