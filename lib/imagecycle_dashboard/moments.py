"""Moments of foreign origin."""

from __future__ import annotations

import datetime


def moment(value: object) -> datetime.datetime | None:
    """In UTC, which is taken where no zone is named; None where it is no moment of ISO 8601."""
    try:
        found = datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        if found.tzinfo is None:
            found = found.replace(tzinfo=datetime.timezone.utc)
        return found.astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None
