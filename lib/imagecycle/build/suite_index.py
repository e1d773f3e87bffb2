"""The signed index of a suite on a Debian package mirror: what there is, and until when it is good.

An index has a date and mostly a limit, after which APT refuses it: a mirror that stands still would
hide security updates. Whether that is so is found out here, before minutes are spent.
"""

from __future__ import annotations

import datetime
import email.utils
import re

import requests

from imagecycle.errors import ImagecycleError

TIMEOUT = 20.0
_HINT = "check the mirror in the site's settings, and `imagecycle doctor`"


def fetch(root: str, suite: str) -> bytes:
    """The index ``InRelease`` of a suite.

    :param root: the mirror's address.
    :raises ImagecycleError: when the mirror does not answer, or has no such suite.
    """
    url = address(root, suite)
    try:
        response = requests.get(url, timeout=TIMEOUT)
        response.raise_for_status()
    except requests.RequestException as error:
        if error.response is not None and error.response.status_code == 404:
            raise ImagecycleError(
                f"the package mirror has no {suite}: {url}: 404",
                hint="an old version moves to the vendor's archive: set `mirror` and "
                "`security_mirror` of the site to one that keeps it",
            ) from None
        reason = str(error.response.status_code) if error.response is not None else "no answer"
        raise ImagecycleError(f"the package mirror failed: {url}: {reason}", hint=_HINT) from None
    return response.content


def address(root: str, suite: str) -> str:
    """Where the index of a suite is."""
    return f"{root}/dists/{suite}/InRelease"


def expired(index: bytes, days: int, now: datetime.datetime | None = None) -> str:
    """Why APT would refuse an index for its age; nothing when it is good.

    :param days: the least number of days for which the site accepts an index, from its date on.
    """
    limit, dated = _moment(index, "Valid-Until"), _moment(index, "Date")
    now = now or datetime.datetime.now(datetime.UTC)
    if limit is None or dated is None:
        return ""
    limit = max(limit, dated + datetime.timedelta(days=days))
    if now <= limit:
        return ""
    return f"dated {dated:%Y-%m-%d} and expired on {limit:%Y-%m-%d}"


def refuse_expired(root: str, suite: str, index: bytes, days: int) -> None:
    """:raises ImagecycleError: when APT would refuse an index for its age."""
    if why := expired(index, days):
        raise ImagecycleError(
            f"the package mirror is out of date: {address(root, suite)} is {why}",
            hint="name another mirror in the site's settings, or accept older indexes with "
            "`index_days`",
        )


def _moment(index: bytes, field: str) -> datetime.datetime | None:
    found = re.search(rf"^{field}: (.+)$", index.decode(errors="replace"), re.MULTILINE)
    if found is None:
        return None
    try:
        # "UTC" is not among the zones of mail dates, which have the same form
        return email.utils.parsedate_to_datetime(found[1].strip().replace("UTC", "+0000"))
    except ValueError:
        return None
