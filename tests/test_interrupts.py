import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagecycle import interrupts


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_comes_at_the_end_of_the_block() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        interrupt()
        done.append("the rest of the block")
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_block_within_a_block_does_not_lose_it() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        with interrupts.held():
            interrupt()
        done.append("the rest of the outer block")
    assert done


def test_an_ignored_interrupt_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts.held():
        interrupt()


def test_a_block_of_another_thread_changes_nothing() -> None:
    found: list[object] = []

    def work() -> None:
        with interrupts.held():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def test_results_and_errors_of_calls_are_handed_on() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert interrupts.result_of(interrupts.submit(pool, divmod, 7, 2)) == (3, 1)
        slow = interrupts.submit(pool, time.sleep, 3 * interrupts.SLICE)
        assert interrupts.error_of(slow) is None
        failed = interrupts.submit(pool, os.strerror, "x")  # type: ignore[arg-type]
        assert isinstance(interrupts.error_of(failed), TypeError)
        with pytest.raises(TypeError):
            interrupts.result_of(failed)


def test_a_call_that_runs_into_its_own_time_limit_has_ended() -> None:
    def late() -> None:
        raise TimeoutError("no answer")

    with ThreadPoolExecutor(1) as pool:
        assert str(interrupts.error_of(interrupts.submit(pool, late))) == "no answer"


def test_waiting_for_an_event_ends_with_it_or_with_its_time() -> None:
    event = threading.Event()
    assert not interrupts.wait(event, 0)
    began = time.monotonic()
    assert not interrupts.wait(event, 2.5 * interrupts.SLICE)
    assert time.monotonic() - began >= 2.5 * interrupts.SLICE
    threading.Timer(0.01, event.set).start()
    assert interrupts.wait(event)


def test_waiting_is_open_to_interrupts() -> None:
    go_on = threading.Event()
    main = threading.main_thread().ident or 0
    with ThreadPoolExecutor(1) as pool:
        call = interrupts.submit(pool, go_on.wait, 30)
        threading.Timer(0.05, signal.pthread_kill, [main, signal.SIGINT]).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            interrupts.result_of(call)
        assert time.monotonic() - began < 10
        go_on.set()


@pytest.mark.parametrize("number", range(1, 7))
def test_an_interrupt_while_a_lock_is_held_leaves_no_thread_behind(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = 0
    main = threading.get_ident()
    enter = threading.Condition.__enter__

    def enter_and_interrupt(condition: threading.Condition) -> bool:
        nonlocal entered
        held = enter(condition)
        if threading.get_ident() == main:
            entered += 1
            if entered == number:
                interrupt()
        return held

    pool = ThreadPoolExecutor(2)
    monkeypatch.setattr(threading.Condition, "__enter__", enter_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        for _ in range(number):
            interrupts.result_of(interrupts.submit(pool, time.sleep, 0.01))
    monkeypatch.undo()
    ending = threading.Thread(target=pool.shutdown, daemon=True)
    ending.start()
    ending.join(10)
    assert not ending.is_alive()
