"""A command of imagecycle that runs beside this one, in a process of its own.

So what waits for downloads and what waits for an installation can wait at the same time, and each
cleans up after itself when it is interrupted.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from imagecycle import command, log
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site

_PATIENCE = 1800.0


@contextlib.contextmanager
def running(site: Site, *words: str) -> Iterator[Callable[[], float]]:
    """Run ``imagecycle WORDS`` for the same site while the block runs.

    :yields: a function that waits for its end, prints what it printed, and returns how many
        seconds it ran. It raises ImagecycleError when the command failed.
    """
    what = " ".join(words)
    with tempfile.TemporaryDirectory(prefix="imagecycle-") as scratch:
        settings, output = Path(scratch, "site.yaml"), Path(scratch, "output")
        settings.write_text(yaml.safe_dump(site.model_dump(mode="json")))
        program = [sys.executable, "-P", "-m", "imagecycle", "--site", str(settings)]
        started = time.time()
        log.say(f"in the background: {what} ...")
        with command.background([*program, *words], output=output) as process:

            def finish() -> float:
                try:
                    ended = f"ended with status {process.wait(_PATIENCE)}"
                except subprocess.TimeoutExpired:
                    ended = f"did not end within {_PATIENCE:.0f} s"
                _repeat(output, what)
                if process.returncode != 0:
                    raise ImagecycleError(
                        f"`imagecycle {what}` {ended}", hint="its output is above"
                    )
                # its last line was its last act
                return max(0.0, output.stat().st_mtime - started)

            yield finish


def _repeat(output: Path, what: str) -> None:
    for line in output.read_text(errors="replace").splitlines():
        log.say(f"{what}: {line}")
