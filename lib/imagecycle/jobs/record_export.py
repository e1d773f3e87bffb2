"""A copy of a release's records where Jenkins looks for them: in the working folder of a job.

Beside the records lies ``release.properties``, which names the family and the release to the next
job. The disk stays in the artifact folder.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from imagecycle.artifacts import Artifact, write_text
from imagecycle.errors import UsageError
from imagecycle.site import Site

PROPERTIES = "release.properties"
KINDS = (".html", ".json", ".log", ".png", ".xml")
"""Endings of what is copied"""


class RecordExport:
    """What a stage works on: none until it is known."""

    def __init__(self) -> None:
        self.artifact: Artifact | None = None


@contextlib.contextmanager
def export_to(folder: Path | None, site: Site, family: str) -> Iterator[RecordExport]:
    """Copy the records of a release into a folder when the ``with`` block ends, however it ends.

    The block says which release that is; of a failed build, its evidence is copied.

    :param folder: where to; it is emptied first. None: nothing is done.
    :raises UsageError: when the folder holds something else.
    """
    work = RecordExport()
    if folder is None:
        yield work
        return
    empty(folder, ".records")
    began = time.time()
    try:
        yield work
    except BaseException:
        with contextlib.suppress(OSError):
            _copy_evidence(site.home / "failures" / family, folder, began)
            _copy(work.artifact, folder)
        raise
    _copy(work.artifact, folder)


def empty(folder: Path, mark: str) -> None:
    """Make a folder, or empty the one that an earlier run has marked with a file of this name.

    :raises UsageError: when the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / mark).exists():
        raise UsageError(
            f"{folder} is not empty, and not of an earlier run", hint="name another folder"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / mark).touch()


def _copy(artifact: Artifact | None, folder: Path) -> None:
    if artifact is None:
        return
    for path in sorted(artifact.folder.iterdir()):
        if path.suffix in KINDS and path.is_file():
            shutil.copyfile(path, folder / path.name)
    text = f"FAMILY={artifact.family}\nRELEASE={artifact.release}\n"
    write_text(folder / PROPERTIES, text)


def _copy_evidence(failures: Path, folder: Path, since: float) -> None:
    for path in sorted(failures.glob("*/*")):
        if path.is_file() and path.stat().st_ctime >= since:
            target = folder / "failure" / path.name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
