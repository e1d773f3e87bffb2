"""The one door to other programs."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import terminal
from imagecycle import command
from imagecycle.errors import CommandFailed, MissingProgram


def gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_output_and_status_come_back() -> None:
    done = command.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=10, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)


def test_a_failure_carries_the_last_line_and_the_hint() -> None:
    with pytest.raises(CommandFailed, match="sh exited with 3: why") as caught:
        command.run(["sh", "-c", "echo first; echo why; exit 3"], timeout=10, hint="do this")
    assert caught.value.hint == "do this"


def test_the_time_limit_ends_a_program_and_its_children() -> None:
    with pytest.raises(CommandFailed, match="time limit") as caught:
        command.run(["sh", "-c", "sleep 60 & echo $!; wait"], timeout=0.5)
    assert gone(int(caught.value.output.split()[0]))


def test_a_missing_program_is_named_with_the_way_out() -> None:
    with pytest.raises(MissingProgram, match="no-such-program is not installed") as caught:
        command.run(["no-such-program"], timeout=10)
    assert "scripts/setup" in caught.value.hint


def test_an_interrupt_while_a_program_is_being_started_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It waits here before it becomes the program; nobody has been told its id by then."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_die_with_parent", lambda _parent: time.sleep(30))
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    there = children.read_text()
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            command.run(["sleep", "61"], timeout=10)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert children.read_text() == there


def test_standard_input_is_empty_unless_given() -> None:
    assert command.run(["cat"], timeout=10).stdout == ""
    assert command.run(["cat"], timeout=10, stdin="text").stdout == "text"


@pytest.mark.parametrize(
    ("script", "words"),
    [("exit 4", "sh exited with 4"), ("sleep 60", "sh ran into its time limit")],
)
def test_a_background_program_that_does_not_end_well_is_told(
    tmp_path: Path, script: str, words: str
) -> None:
    with (
        pytest.raises(CommandFailed, match=words) as caught,
        command.background(["sh", "-c", script], output=tmp_path / "out") as process,
    ):
        command.finish(process, timeout=1)
    assert caught.value.argv == ("sh", "-c", script)


def test_a_background_program_that_ends_well_is_waited_for(tmp_path: Path) -> None:
    with command.background(["sh", "-c", "echo done"], output=tmp_path / "out") as process:
        command.finish(process, timeout=20)
    assert (tmp_path / "out").read_text() == "done\n"


def test_a_background_program_ends_with_its_block(tmp_path: Path) -> None:
    with command.background(["sleep", "60"], output=tmp_path / "out") as process:
        assert process.poll() is None
    assert gone(process.pid)


STARTED_AND_KILLED = """
import pathlib, time
from imagecycle import command
with command.background(['sleep', '60'], output=pathlib.Path({output!r})) as process:
    print(process.pid, flush=True)
    time.sleep(60)
"""

KILLED_BETWEEN_FORK_AND_REQUEST = """
import os, pathlib, time
from imagecycle import command
request, parent, out = command._prctl, os.getpid(), os.dup(1)
def late(*arguments):
    os.write(out, b"%d\\n" % os.getpid())
    while os.getppid() == parent:
        time.sleep(0.01)
    return request(*arguments)
command._prctl = late
with command.background(['sleep', '60'], output=pathlib.Path({output!r})):
    pass
"""


@pytest.mark.parametrize("program", [STARTED_AND_KILLED, KILLED_BETWEEN_FORK_AND_REQUEST])
def test_a_program_does_not_outlive_imagecycle_even_when_that_is_killed(
    program: str, tmp_path: Path
) -> None:
    """Also not when imagecycle is killed before the kernel was asked to end the program too."""
    parent = subprocess.Popen(
        [sys.executable, "-c", program.format(output=str(tmp_path / "o"))],
        stdout=subprocess.PIPE,
        text=True,
        env=terminal.environment(),
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    parent.stdout.close()
    assert gone(child)
