"""What all tests want of their surroundings."""

import gc
import logging
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

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
