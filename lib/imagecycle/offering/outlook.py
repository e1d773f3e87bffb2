"""What becomes of a release, and when, by the policy of its family."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from imagecycle.model import State
from imagecycle.offering.offered_release import OfferedRelease
from imagecycle.site_sections import Retirement


@dataclass(frozen=True)
class Outlook:
    """Who can use a release, and until when."""

    usable_by: str
    """``everyone``, ``its users`` or ``nobody``"""
    until: str
    """The day until which that holds at least; empty when nothing tells"""
    words: str
    """The same for people"""


def of_release(release: OfferedRelease, policy: Retirement) -> Outlook:
    """What becomes of a release."""
    if release.state == State.CURRENT.value:
        words = "Everyone can use it. It stays current until a newer release takes its place."
        return Outlook("everyone", "", words)
    if release.state == State.SUPERSEDED.value:
        return _superseded(release, policy)
    if release.state == State.RETIRED.value:
        return Outlook(
            "its users",
            "",
            "Only projects that have servers or volumes from it can use it, as long as they have.",
        )
    return Outlook(
        "nobody",
        "",
        "It was revoked: make no servers from it, and replace those that you have.",
    )


def _superseded(release: OfferedRelease, policy: Retirement) -> Outlook:
    until = _days_after(release.superseded_at, policy.after_days)
    kept = ""
    if policy.keep:
        which = "the newest" if policy.keep == 1 else f"one of the newest {policy.keep}"
        kept = f", and as long as it is {which} of the superseded releases"
    if not until:
        return Outlook("everyone", "", f"Everyone can use it by its id for now{kept}.")
    return Outlook(
        "everyone",
        until,
        f"Everyone can use it by its id at least until {until}{kept}. After that, only projects "
        "that have servers or volumes from it can.",
    )


def _days_after(moment: str, days: float) -> str:
    try:
        since = datetime.datetime.fromisoformat(moment)
        return (since + datetime.timedelta(days=days)).date().isoformat()
    except (ValueError, OverflowError):
        return ""
