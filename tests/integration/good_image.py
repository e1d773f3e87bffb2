"""A good image, and copies of it to be spoilt: each a layer over the same files."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from imagecycle import command, systems
from imagecycle.artifacts import Artifact
from imagecycle.build.offline import MountedSystem
from imagecycle.model import Family
from imagecycle.systems.files import Entry
from imagecycle.verify import pristine
from imagecycle.verify.pristine import Pristine


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
        merged = {**self.good.entries, **self.changed}
        return {path: merged[path] for path in sorted(merged.keys() - gone)}

    @functools.cached_property
    def changed(self) -> Mapping[str, Entry]:
        """What was added, changed or taken away."""
        return {entry.path: entry for entry in MountedSystem(self.upper).entries()}

    @functools.cached_property
    def owned(self) -> frozenset[str]:
        same = not (self.upper / "var/lib/dpkg").exists()
        return self.good.owned if same else Pristine.owned.func(self)

    def digests(self, paths: Iterable[str], algorithm: str) -> dict[str, str]:
        changed = self.changed.keys()
        same = {p: s for p, s in _sums(self.good, algorithm).items() if p not in changed}
        return same | super().digests(changed & set(paths), algorithm)


@functools.cache
def _sums(good: Pristine, algorithm: str) -> dict[str, str]:
    packed = good.system.packages.digests(good.files).by_path
    return good.digests(map(good.canonical, packed), algorithm)


@contextlib.contextmanager
def spoilt(good: Pristine, scratch: Path, deed: Callable[[Path], None]) -> Iterator[Pristine]:
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
