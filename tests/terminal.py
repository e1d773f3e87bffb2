"""The command as a person at a terminal starts it: in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

LIB = Path(__file__).resolve().parents[1] / "lib"


def argv(*words: str) -> list[str]:
    """``imagecycle`` with these words."""
    return [sys.executable, "-m", "imagecycle", *words]


def environment(home: Path | None = None, **more: str) -> dict[str, str]:
    """What the command finds around it: this process's, with a home of its own and more."""
    own = {} if home is None else {"IMAGECYCLE_HOME": str(home)}
    return {**os.environ, "PYTHONPATH": str(LIB), **own, **more}


def run(
    *words: str,
    home: Path | None = None,
    limit: float = 300,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, at most ``limit`` seconds; its output is kept as text."""
    return subprocess.run(
        argv(*words),
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def start(*words: str, home: Path | None = None, **more: str) -> subprocess.Popen[str]:
    """Start the command, for what happens to it while it runs; what it says on stderr is kept."""
    return subprocess.Popen(
        argv(*words),
        env=environment(home, **more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_when(
    condition: Callable[[], bool], number: signal.Signals, *words: str, home: Path
) -> subprocess.CompletedProcess[str]:
    """Start the command and send it a signal as soon as the condition holds; how it ended."""
    with start(*words, home=home) as process:
        try:
            while not condition():
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.01)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, "", said)
