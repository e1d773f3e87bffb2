import re
import threading

import pytest

from imagecycle import log


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.split("] ", 1)[-1] for line in capsys.readouterr().err.splitlines()]


def test_a_step_indents_what_is_said_in_it_and_tells_its_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with log.step("outer"), log.step("inner"):
        log.say("said")
    log.say("after")
    shown = lines(capsys)
    assert shown[:3] == ["outer ...", "  inner ...", "    said"]
    assert re.fullmatch(r"  inner: \d\.\d s", shown[3])
    assert shown[5] == "after"


def test_lines_of_work_at_the_same_time_carry_their_label(
    capsys: pytest.CaptureFixture[str],
) -> None:
    both = threading.Barrier(2)

    def work(name: str) -> None:
        with log.labelled(name), log.step("upload"):
            both.wait(10)
            with log.transfer("upload", 10) as report:
                report(10)
            log.say("done")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.say("all")
    shown = lines(capsys)
    assert sorted(shown[:2]) == ["one: upload ...", "two: upload ..."]
    assert {"one:   done", "two:   done"} <= set(shown)
    assert shown[-1] == "all"
