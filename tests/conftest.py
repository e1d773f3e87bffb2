"""What all tests want of their surroundings."""

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import hypothesis
import pytest

# How long an example takes says nothing on a machine that is busy with other tests.
hypothesis.settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")

# A shell without job control starts what it puts into the background with SIGINT ignored, and
# programs that the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def hooks_of_their_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that runs the whole program takes no later test's failures in threads from pytest."""
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    yield


def pytest_collection_finish() -> None:
    """The tests themselves stay to the end: the cycle collector need not look at them each time."""
    gc.collect()
    gc.freeze()


PART = "IMAGECYCLE_TESTS_PART"
"""Names the part of the rotating tests that a run takes; by default each hour has the next"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "rotating(parts, [part]): its cases are dealt to that many parts, or it is of one part. A "
        f"run takes one part, which {PART} or else the hour chooses; the others are long",
    )
    # workers of pytest-xdist must agree with the process that started them
    os.environ.setdefault(PART, str(int(time.time() // 3600)))


def pytest_report_header() -> str:
    return f"rotating tests: part {os.environ[PART]} (repeat it with {PART}={os.environ[PART]})"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as ``long`` the cases of rotating tests that are not this run's."""
    part = int(os.environ[PART])
    seen: Counter[str] = Counter()
    for item in items:
        if marker := item.get_closest_marker("rotating"):
            parts, *fixed = marker.args
            test = item.nodeid.partition("[")[0]
            own = fixed[0] if fixed else seen[test] % parts
            if own != part % parts:
                item.add_marker(pytest.mark.long)
            seen[test] += 1
