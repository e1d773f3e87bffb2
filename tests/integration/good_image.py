"""A good image, and copies of it to be spoilt: each a layer over the same files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from imagecycle import command, systems
from imagecycle.artifacts import Artifact
from imagecycle.build.offline import MountedSystem
from imagecycle.model import Family
from imagecycle.verify import pristine
from imagecycle.verify.pristine import Pristine


@contextlib.contextmanager
def opened(family: Family, artifact: Artifact, scratch: Path) -> Iterator[Pristine]:
    """The files of a release."""
    with pristine.opened(artifact.disk, scratch, systems.of(family)) as good:
        yield good


@contextlib.contextmanager
def spoilt(good: Pristine, scratch: Path) -> Iterator[Path]:
    """The root of a copy that may be changed."""
    assert isinstance(good.files, MountedSystem), "this machine cannot mount file systems"
    root, upper, work = (scratch / name for name in ("root", "upper", "work"))
    for folder in (root, upper, work):
        folder.mkdir()
    layers = f"lowerdir={good.files.root},upperdir={upper},workdir={work}"
    command.run(["mount", "-t", "overlay", "overlay", "-o", layers, root], timeout=60)
    try:
        yield root
    finally:
        command.run(["umount", root], timeout=60)
