"""Threads that work for this one, and interrupts that may come at any moment.

The pools, futures and events of Python hold locks for a moment. A ``KeyboardInterrupt`` in that
moment leaves a lock held for ever, and the thread that wants it next never ends. An interrupt that
comes just before a wait is handled only after it. So what the main thread does with them is done
here: interrupts are held back for so long, and each wait is short.
"""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import FrameType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

SLICE = 0.1
"""Seconds of one wait: an interrupt comes between two of them"""


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Let an interrupt that comes within the block come at its end."""
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    handler = signal.getsignal(signal.SIGINT)
    if handler is None or threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is interrupted
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


def submit(
    pool: ThreadPoolExecutor, work: Callable[P, R], /, *args: P.args, **more: P.kwargs
) -> Future[R]:
    """Give work to a pool."""
    with held():
        return pool.submit(work, *args, **more)


def error_of(call: Future[Any]) -> BaseException | None:
    """Wait for the end of a call; returns what it raised."""
    while True:
        with held():
            try:
                return call.exception(SLICE)
            except TimeoutError:  # what the call itself raises is returned
                continue


def result_of(call: Future[R]) -> R:
    """Wait for the end of a call; returns what it returned, or raises what it raised."""
    error_of(call)
    with held():
        return call.result()


def wait(ended: threading.Event, within: float = math.inf) -> bool:
    """Wait for an event, at most so many seconds; returns whether it has come."""
    deadline = time.monotonic() + within
    while True:
        left = deadline - time.monotonic()
        with held():
            if ended.wait(max(0.0, min(SLICE, left))):
                return True
        if left <= 0:
            return False
