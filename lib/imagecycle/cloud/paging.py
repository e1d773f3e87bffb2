"""Listings that come in pages: one after another, from the beginning to the very end.

A page that fails is asked for again from its marker, after a pause; what cannot be had in the end
makes the whole listing :class:`~imagecycle.cloud.errors.Incomplete`. Only one page is in memory.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

from imagecycle import log
from imagecycle.cloud.errors import Incomplete, Refused, explained
from imagecycle.cloud.session import CloudSession
from imagecycle.errors import ImagecycleError, Unreachable

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try of one page, and before going on when a page leads back"""
LONGEST_PAUSE = 120.0
"""Seconds that a service may ask for (Retry-After) before we give up instead"""
REPORT_INTERVAL = 10.0
_PASSING = (413, 429, 500, 502, 503, 504)
"""Statuses that may be gone at the next try; Nova's rate limit once answered 413"""
_SPARE_MARKERS = 5
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Listing:
    """What to list: ``servers``, found in the answers below ``key``."""

    what: str
    """For people, in the plural"""
    ask: Callable[[Mapping[str, str]], Any]
    """Asks a service through its client, once: told a query, returns the document of the answer.
    An answer that is no JSON document may be a ``ValueError`` or a ``TypeError``, and one without
    that key a ``KeyError``."""
    key: str
    query: Mapping[str, str] = field(default_factory=dict)
    rights: str = ""
    """What to do when the service refuses it"""


def pages(
    cloud: CloudSession,
    listing: Listing,
    *,
    more: Callable[[Record], bool] = lambda _: True,
) -> Iterator[Sequence[Record]]:
    """The pages of a listing, each with at least one record.

    The page size is the service's own limit. The end is an empty page: Nova leaves out the link to
    the next page when it drops a duplicate from a full one, so a missing link proves nothing.

    A page can lead back to an earlier one, and no marker be left, while what was listed changes:
    Nova keeps a server that is being made apart from the others for a moment, in front of them, and
    begins those from their first when the marker is such a one. So both are given some time.

    :param more: told an answer, whether there can be another page; for services that know.
    :raises Incomplete: when a page cannot be had, or the listing goes in circles.
    """
    markers: list[str] = []  # the next one is the last; the others stand in for it
    used: set[str] = set()
    pauses = iter(PAUSES)
    count, reported = 0, monotonic()

    def settle(why: str) -> None:
        pause = next(pauses, None)
        if pause is None:
            raise _incomplete(cloud, listing, why)
        sleep(pause)

    while True:
        query = {**listing.query, **({"marker": markers[-1]} if markers else {})}
        try:
            answer = read(cloud, listing, query)
        except _MarkerGone:
            markers.pop()  # it was removed meanwhile; records that come twice do no harm
            if not markers:
                settle("the records that a page should follow were all removed meanwhile")
                used.clear()
            continue
        records = answer.get(listing.key)
        if not isinstance(records, list):
            raise _incomplete(cloud, listing, f"an answer has no {listing.key}")
        if not records:
            return
        yield records
        if not more(answer):
            return
        markers = [str(record["id"]) for record in records[-_SPARE_MARKERS:]]
        if markers[-1] in used:
            settle("a page leads back to an earlier one")
        used.add(markers[-1])
        count += len(records)
        if monotonic() - reported >= REPORT_INTERVAL:
            reported = monotonic()
            log.say(f"{count} {listing.what} so far")


def read(cloud: CloudSession, listing: Listing, query: Mapping[str, str]) -> Record:
    """One answer, asked for again while what fails may pass.

    :raises Incomplete: when it cannot be had.
    """
    doing = f"list {listing.what}"
    for attempt, wait in enumerate((*PAUSES, None), start=1):
        wish = _Wish()
        try:
            with explained(cloud.name, doing), _noted(wish):
                return _ask(cloud, listing, query)
        except Refused as error:
            if error.status not in _PASSING:
                raise _refused(error, listing, query) from error
            failure: ImagecycleError = error
        except Unreachable as error:
            failure = error
        if wait is None or wish.seconds > LONGEST_PAUSE:
            raise Incomplete(f"{failure.message} (try {attempt})", hint=failure.hint) from failure
        sleep(max(wait, wish.seconds))
    raise AssertionError


def _refused(error: Refused, listing: Listing, query: Mapping[str, str]) -> Incomplete:
    if "marker" in query and error.status in (400, 404):
        return _MarkerGone(error.message, hint=error.hint)
    hint = listing.rights if error.status == 403 and listing.rights else error.hint
    return Incomplete(error.message, hint=hint)


class _MarkerGone(Incomplete):
    """The service does not know the record that a page should follow."""


@dataclass
class _Wish:
    """How long a service asks to wait before the next try."""

    seconds: float = 0.0


@contextlib.contextmanager
def _noted(wish: _Wish) -> Iterator[None]:
    """Note how long a refusal asks to wait (Retry-After)."""
    from keystoneauth1.exceptions import HttpError

    try:
        yield
    except HttpError as error:
        wish.seconds = float(error.retry_after or 0)
        raise


def _ask(cloud: CloudSession, listing: Listing, query: Mapping[str, str]) -> Record:
    try:
        document = listing.ask(query)
    except KeyError:
        document = {}
    except (ValueError, TypeError):
        document = None
    if not isinstance(document, dict):
        raise Unreachable(
            f"{cloud.name}: cannot list {listing.what}: an answer is no JSON document",
            hint="check what stands between here and that service",
        )
    return document


def _incomplete(cloud: CloudSession, listing: Listing, why: str) -> ImagecycleError:
    return Incomplete(
        f"{cloud.name}: the listing of {listing.what} is not complete: {why}",
        hint="run this again; if it stays so, read the service's log",
    )
