"""The same call for many things at once, over several connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from imagecycle import interrupts

Item = TypeVar("Item")

CONNECTIONS = 8
"""Calls under way at once: fewer than the 10 connections that a session keeps open"""


def for_each(
    action: Callable[[Item], object],
    items: Collection[Item],
    *,
    at_once: int = CONNECTIONS,
    within: float | None = None,
) -> list[Item]:
    """Call ``action`` for every item, several at a time.

    A failure does not keep the other calls from being made. When all have ended, the failure of
    the first item that has one is raised. An interrupt drops the calls not yet begun.

    :param within: seconds after which no further call begins; the first one always does.
    :returns: the items that it was called for, in their order.
    """
    ends = None if within is None else time.monotonic() + within

    def run_one(number: int, item: Item) -> bool:
        if number and ends is not None and time.monotonic() >= ends:
            return False
        action(item)
        return True

    with ThreadPoolExecutor(max_workers=max(1, min(at_once, len(items)))) as pool:
        calls: list[Future[bool]] = []
        try:
            for number, item in enumerate(items):
                calls.append(interrupts.submit(pool, run_one, number, item))
            errors = [interrupts.error_of(call) for call in calls]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    for error in errors:
        if error is not None:
            raise error
    return [item for item, call in zip(items, calls, strict=True) if call.result()]
