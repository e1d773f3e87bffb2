"""A program beside QEMU that QEMU connects to when it starts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from imagecycle import command
from imagecycle.errors import ImagecycleError

START_LIMIT = 10.0


@contextlib.contextmanager
def running(
    what: str, argv: Sequence[str | Path], folder: Path, *, socket: str, output: str
) -> Iterator[None]:
    """Run it in a machine's folder for the length of a ``with`` block.

    :param what: its name, for people.
    :param socket: that it makes in the folder when it is ready.
    :param output: the file in the folder that gets what it prints.
    :raises ImagecycleError: when it does not start.
    """
    (folder / socket).unlink(missing_ok=True)
    with command.background(argv, output=folder / output, cwd=folder) as process:
        deadline = time.monotonic() + START_LIMIT
        while not (folder / socket).exists():
            if process.poll() is not None or time.monotonic() > deadline:
                said = (folder / output).read_text(errors="replace").strip() or "it printed nothing"
                raise ImagecycleError(
                    f"{what} did not start in {folder}: {said.splitlines()[-1]}",
                    hint="look at `imagecycle doctor`",
                )
            time.sleep(0.01)
        yield
