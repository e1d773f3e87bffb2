"""A good image, and copies of it to be spoilt: each a layer over the same files."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path

from imagecycle import command, systems
from imagecycle.artifacts import Artifact
from imagecycle.build import partitions
from imagecycle.build.offline import MountedSystem
from imagecycle.model import Family
from imagecycle.systems.files import Entry
from imagecycle.verify import pristine
from imagecycle.verify.pristine import Pristine
from sabotages.table import Deed

HEAD, TAIL = 80 * 2**20, 2**20
"""Bytes of a disk that hold its partition table, superblocks, and the copy of the table"""


@contextlib.contextmanager
def opened(family: Family, artifact: Artifact, scratch: Path) -> Iterator[Pristine]:
    """The files of a release."""
    with pristine.opened(artifact.disk, scratch, systems.of(family)) as good:
        yield good


class Spoilt(Pristine):
    """A copy that was changed; what was not is known from the good image."""

    def __init__(self, good: Pristine, root: Path, upper: Path) -> None:
        super().__init__(MountedSystem(root), good.system, good.disk)
        self.root = root
        self.good = good
        self.upper = upper

    @functools.cached_property
    def entries(self) -> Mapping[str, Entry]:
        gone = {path for path in self.changed if not os.path.lexists(f"{self.root}{path}")}
        below = tuple(f"{path}/" for path in gone)
        merged = {**self.good.entries, **self.changed}
        return {
            path: merged[path]
            for path in sorted(merged.keys() - gone)
            if not path.startswith(below)
        }

    @functools.cached_property
    def changed(self) -> Mapping[str, Entry]:
        """What was added, changed or taken away."""
        return {entry.path: entry for entry in MountedSystem(self.upper).entries()}

    @functools.cached_property
    def owned(self) -> frozenset[str]:
        same = not (self.upper / "var/lib/dpkg").exists()
        return self.good.owned if same else Pristine.owned.func(self)

    @functools.cached_property
    def brought(self) -> frozenset[str]:
        same = not (self.upper / "var/lib/dpkg").exists()
        return self.good.brought if same else Pristine.brought.func(self)

    @functools.cached_property
    def locked(self) -> Set[str]:
        return self.good.locked | self.files.locked(self.changed)

    @functools.cached_property
    def shared(self) -> Set[str]:
        return self.good.shared | self.files.shared(self.changed)

    def digests(self, paths: Iterable[str], algorithm: str) -> dict[str, str]:
        changed = self.changed.keys()
        known = _sums(self.good, algorithm)
        same = {path: known[path] for path in known.keys() - changed if path in self.entries}
        return same | super().digests(changed & set(paths), algorithm)


@functools.cache
def _sums(good: Pristine, algorithm: str) -> dict[str, str]:
    packed = good.system.packages.digests(good.files).by_path
    return good.digests(map(good.canonical, packed), algorithm)


@contextlib.contextmanager
def spoilt(good: Pristine, scratch: Path, deed: Deed) -> Iterator[Pristine]:
    """A copy to which a deed was done."""
    assert isinstance(good.files, MountedSystem), "this machine cannot mount file systems"
    root, upper, work = (scratch / name for name in ("root", "upper", "work"))
    for folder in (root, upper, work):
        folder.mkdir()
    layers = f"lowerdir={good.files.root},upperdir={upper},workdir={work}"
    command.run(["mount", "-t", "overlay", "overlay", "-o", layers, root], timeout=60)
    try:
        deed(root)
        yield Spoilt(good, root, upper)
    finally:
        command.run(["umount", root], timeout=60)


@contextlib.contextmanager
def spoilt_disk(good: Pristine, scratch: Path, deed: Deed) -> Iterator[Pristine]:
    """A copy on whose disk a deed was done: all of it but the content of its files is there."""
    disk = scratch / "disk.raw"
    size = good.disk.stat().st_size
    with good.disk.open("rb") as source, disk.open("wb") as copy:
        for start in (0, size - TAIL):
            source.seek(start)
            copy.seek(start)
            copy.write(source.read(HEAD if start == 0 else TAIL))
    deed(disk)
    partitions.partitions.cache_clear()
    partitions.file_systems.cache_clear()
    upper = scratch / "upper"
    upper.mkdir()
    assert isinstance(good.files, MountedSystem), "this machine cannot mount file systems"
    spoilt = Spoilt(good, good.files.root, upper)
    spoilt.disk = disk
    yield spoilt
