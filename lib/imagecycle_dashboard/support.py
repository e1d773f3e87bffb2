"""How near the end of a system's support is, and how old a release."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

NEAR_DAYS = 180


@dataclass(frozen=True)
class Support:
    """The end of the vendor's support, seen from a day."""

    end: datetime.date
    days_left: int

    @property
    def is_over(self) -> bool:
        return self.days_left < 0

    @property
    def is_near(self) -> bool:
        return 0 <= self.days_left <= NEAR_DAYS


def support(end: datetime.date | None, today: datetime.date) -> Support | None:
    """None where nothing tells."""
    return Support(end, (end - today).days) if end is not None else None
