"""Which families are due for a new release, decided from plain values.

A family is due once in every period of its rhythm, until a release of that period is published. A
release that has been begun is gone on with, not made a second time: a build is asked for a release
"since the beginning of the period", and has nothing to do when there is one. So the question can be
asked every day, by two at once and after any crash.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imagecycle.model import Release, newest_since

RHYTHMS = ("week", "month", "quarter", "year")


@dataclass(frozen=True)
class Made:
    """What is known of a release, from its records and from the cloud."""

    release: Release
    published: bool = False
    """It is, or was, offered in the cloud"""
    revoked: bool = False
    verdict: str = ""
    """Of its verification; empty when it was not verified"""


@dataclass(frozen=True)
class Wanted:
    """A family that the matrix wants built."""

    family: str
    every: str
    """One of RHYTHMS"""
    end_of_support: datetime.date | None = None
    left_out: str = ""
    """Why it cannot be built here, if that is so"""


@dataclass(frozen=True)
class Answer:
    """Whether a family is due, and why."""

    family: str
    due: bool
    since: Release
    """This release or a later one is enough"""
    reason: str


def decide(
    wanted: Iterable[Wanted], made: Mapping[str, Sequence[Made]], today: datetime.date
) -> list[Answer]:
    """One answer for each wanted family, in the same order.

    :param made: the releases of each family, in any order.
    :param today: the day, UTC.
    """
    return [_decide(one, made.get(one.family, ()), today) for one in wanted]


def begin(every: str, day: datetime.date) -> datetime.date:
    """The first day of the period that a day lies in; weeks begin on Monday."""
    match every:
        case "week":
            return day - datetime.timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return day.replace(month=1, day=1)
    raise ValueError(f"no rhythm: {every}")


def _decide(one: Wanted, made: Sequence[Made], today: datetime.date) -> Answer:
    since = Release(begin(one.every, today))
    if one.left_out:
        return Answer(one.family, False, since, f"left out: {one.left_out}")
    if one.end_of_support is not None and one.end_of_support < today:
        return Answer(one.family, False, since, f"out of support since {one.end_of_support}")
    revoked = [entry.release for entry in made if entry.revoked]
    if revoked and max(revoked) >= since:  # neither it nor anything before it counts
        since = Release(max(revoked).date, max(revoked).serial + 1)
        made = [entry for entry in made if entry.release >= since]
    published = [entry.release for entry in made if entry.published]
    if release := newest_since(published, since):
        return Answer(one.family, False, since, f"{release} is published")
    begun = newest_since((entry.release for entry in made), since)
    if begun is None:
        last = max((entry.release for entry in made), default=None)
        what = f"the newest release is {last}" if last else "there is no release yet"
        return Answer(one.family, True, since, what)
    (entry,) = [entry for entry in made if entry.release == begun]
    if entry.verdict == "passed":
        return Answer(one.family, True, since, f"{begun} is verified and not published")
    if entry.verdict:
        return Answer(one.family, False, since, f"{begun} has defects: mend it and build it")
    return Answer(one.family, True, since, f"{begun} is built and not verified")
