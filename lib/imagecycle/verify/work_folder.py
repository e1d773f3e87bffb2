"""The folder that a run works in, and the removal of what runs that died have left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from imagecycle import log
from imagecycle.build import mounting

PREFIX = "verify-"


@contextlib.contextmanager
def work_folder(root: Path, name: str, *, keep: bool = False) -> Iterator[Path]:
    """A new folder below ``root``, removed at the end unless it is to be kept.

    Its owner holds a lock on it. A folder without one belongs to a run that was killed, and is
    removed first.
    """
    root.mkdir(parents=True, exist_ok=True)
    sweep(root)
    folder, lock = _make(root, name)
    try:
        yield folder
    finally:
        mounting.unmount_left(folder)  # a check that was ended could not do it
        if keep:
            # Under another name, lest the next run take it for a dead run's.
            log.say(f"kept {folder.rename(folder.with_name(f'kept-{folder.name}'))}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(root: Path, *, dry_run: bool = False) -> None:
    """Remove the folders of runs that are no more, or only say which they are."""
    for folder in sorted(root.glob(f"{PREFIX}*")):
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if dry_run:
                    log.say(f"would remove {folder}, left by a run that was killed")
                    continue
                log.say(f"removing {folder}, left by a run that was killed")
                mounting.unmount_left(folder)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _make(root: Path, name: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(dir=root, prefix=f"{PREFIX}{name}-"))
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:  # another run's sweep was quicker
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)
