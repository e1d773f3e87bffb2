"""The artifact folder: what one stage leaves for the next.

A release of a family lives in ``ROOT/FAMILY/RELEASE/``: ``disk.qcow2``, ``packages.json`` and one
JSON record per stage (``build.json``, ``verify.json``, ``publish.json``). A folder under that name
is whole; while it is being built it is called ``.RELEASE.partial``. Records are replaced
atomically. A family is locked with ``flock``, so that a lock never outlives its holder.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from imagecycle.errors import ImagecycleError, LockHeld, UnknownName, UsageError
from imagecycle.model import Release

CHUNK = 4 * 2**20
_LOCK_PAUSE = 0.2  # seconds between two tries
Record = dict[str, Any]


@dataclass(frozen=True)
class Artifact:
    """One release of a family on disk."""

    family: str
    release: Release
    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk.qcow2"

    def record(self, stage: str) -> Record | None:
        """The record that ``stage`` left; None while it has not run.

        :raises ImagecycleError: when the record cannot be read.
        """
        path = self.folder / f"{stage}.json"
        try:
            record: Record = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ImagecycleError(
                f"cannot read {path}: {error}", hint=f"move it away and run {stage} again"
            ) from None
        return record

    def write_record(self, stage: str, record: Mapping[str, Any]) -> Path:
        """Leave the record of ``stage``, replacing an older one; returns its path."""
        path = self.folder / f"{stage}.json"
        write_json(path, record)
        return path


class ArtifactStore:
    """All releases below one root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def releases(self, family: str) -> list[Artifact]:
        """The whole releases of a family, oldest first."""
        folder = self.root / family
        found = []
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.is_dir() and not path.name.startswith("."):
                with contextlib.suppress(ImagecycleError):
                    found.append(Artifact(family, Release.parse(path.name), path))
        return sorted(found, key=lambda artifact: artifact.release)

    def find(self, family: str, release: str | None) -> Artifact:
        """One release by its name, or the newest.

        :raises UsageError: when it is not there.
        """
        releases = self.releases(family)
        build = f"build it with `imagecycle build {family}`"
        if release is None:
            if not releases:
                raise UsageError(f"there is no release of {family} yet", hint=build)
            return releases[-1]
        wanted = Release.parse(release)
        for artifact in releases:
            if artifact.release == wanted:
                return artifact
        known = [str(artifact.release) for artifact in releases]
        hint = f"there are {', '.join(known)}" if known else build
        raise UnknownName(f"release of {family}", release, known, hint=hint)

    def next_release(self, family: str) -> Release:
        """The name of a build that starts now: today's date (UTC) with the first free serial."""
        today = datetime.datetime.now(datetime.UTC).date()
        taken = {artifact.release for artifact in self.releases(family)}
        release = Release(today)
        while release in taken:
            release = Release(today, release.serial + 1)
        return release

    def partial(self, family: str, release: Release) -> Path:
        """Where a release is made before it is whole."""
        return self.root / family / f".{release}.partial"

    def partials(self, family: str) -> list[Path]:
        """What builds that died have left; only the holder of the lock may remove it."""
        folder = self.root / family
        return sorted(folder.glob(".*.partial")) if folder.is_dir() else []

    def complete(self, family: str, release: Release) -> Artifact:
        """Make a partial folder the whole release, in one step, replacing an older one."""
        partial = self.partial(family, release)
        final = self.root / family / str(release)
        old = self.root / family / f".{release}.replaced.partial"
        if final.exists():
            final.rename(old)
        partial.rename(final)
        shutil.rmtree(old, ignore_errors=True)
        return Artifact(family, release, final)

    @contextlib.contextmanager
    def lock(self, family: str, doing: str) -> Iterator[None]:
        """Hold a family for the length of a ``with`` block; ``doing`` names the work to others.

        :raises LockHeld: when another process holds it.
        """
        with lock_file(self.root / family / ".lock", family, doing):
            yield


@contextlib.contextmanager
def lock_file(path: Path, what: str, doing: str, wait: float = 0) -> Iterator[None]:
    """Hold ``path`` for the length of a ``with`` block.

    :param wait: seconds to wait for another process that holds it.
    :raises LockHeld: naming the holder, when another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + wait
        while not _flock(descriptor):
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 1000, 0).decode(errors="replace").strip()
                raise LockHeld(what, holder or "another process")
            time.sleep(_LOCK_PAUSE)
        since = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        note = f"process {os.getpid()} on {socket.gethostname()} ({doing}, since {since})"
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a JSON file atomically."""
    text = json.dumps(value, indent=2, sort_keys=True, default=str) + "\n"
    write_text(path, text)


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a text file atomically: a reader sees the old one or the new one, never a part."""
    with replaced(path, mode) as stream:
        stream.write(bytes(text, "utf-8"))


@contextlib.contextmanager
def replaced(path: Path, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """A file that takes another's place at the end of a ``with`` block; after an error, it is gone.

    Until then nobody but its owner can read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def written_to(out: Path, kind: str) -> Iterator[None]:
    """Say of a place that a person has named why it cannot be written to.

    :param kind: ``file`` or ``folder``.
    :raises ImagecycleError: in the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise ImagecycleError(
            f"cannot write {out}: {error.strerror or error}",
            hint=f"make room there, or name a {kind} that can be written",
        ) from error


def checksums(
    path: Path,
    report: Callable[[int], None] | None = None,
    names: Sequence[str] = ("sha256", "sha512"),
) -> dict[str, str]:
    """The checksums of a file, in hexadecimal, read once.

    :param report: told the bytes done so far.
    """
    digests = {name: hashlib.new(name) for name in names}
    done = 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            for digest in digests.values():
                digest.update(chunk)
            done += len(chunk)
            if report is not None:
                report(done)
    return {name: digest.hexdigest() for name, digest in digests.items()}
