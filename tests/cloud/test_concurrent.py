import threading
import time

import pytest

from imagecycle.cloud.concurrent import for_each


def test_calls_run_at_the_same_time() -> None:
    together = threading.Barrier(4, timeout=10)
    for_each(lambda _: together.wait(), range(4), at_once=4)


def test_no_more_calls_run_at_once_than_told() -> None:
    running = threading.Semaphore(3)

    def call(_: int) -> None:
        assert running.acquire(blocking=False)
        time.sleep(0.002)
        running.release()

    for_each(call, range(20), at_once=3)


def test_a_failure_keeps_no_other_call_from_being_made() -> None:
    made: list[int] = []

    def call(number: int) -> None:
        made.append(number)
        if number in (1, 2):
            raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 1"):
        for_each(call, range(5), at_once=1)
    assert made == [0, 1, 2, 3, 4]


def test_nothing_to_do_is_fine() -> None:
    assert for_each(lambda _: pytest.fail("called"), []) == []


def test_no_call_begins_after_the_time_that_is_given_but_the_first() -> None:
    called: list[int] = []
    assert for_each(called.append, range(5), within=0) == [0] == called
    assert for_each(called.append, range(1, 5), within=60) == [1, 2, 3, 4]
