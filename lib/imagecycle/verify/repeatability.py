"""What differs between two builds of the same inputs, and what may.

``python -m imagecycle.verify.repeatability RELEASE RELEASE`` shows it for the artifact folders of
two releases, and ends with 1 when something differs that may not.
"""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from imagecycle import log, systems
from imagecycle.artifacts import Artifact
from imagecycle.catalog import find
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.model import Release
from imagecycle.site import load
from imagecycle.systems.files import FILE, Entry
from imagecycle.systems.linux import Linux
from imagecycle.systems.varying import CONTENT, IDENTIFIERS
from imagecycle.verify import pristine
from imagecycle.verify.pristine import Pristine

ALGORITHM = "sha256"
_UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|UUID=[0-9A-F]{4}-[0-9A-F]{4}\b")
"""Of file systems, those of FAT too"""


@dataclass(frozen=True)
class Difference:
    """One path that is not the same in both."""

    path: str
    what: str
    """``content``, ``identifiers``, ``mode``, ``only in the first`` and the like"""
    reason: str = ""
    """Why it may differ; empty where it may not"""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}: {self.reason or 'not expected'}"


def differences(first: Pristine, second: Pristine) -> list[Difference]:
    """Everything that differs between the files of two systems, but for times."""
    one, other = first.entries, second.entries
    found = [Difference(path, "only in the first") for path in one.keys() - other.keys()]
    found += [Difference(path, "only in the second") for path in other.keys() - one.keys()]
    both = one.keys() & other.keys()
    for path in both:
        found += [Difference(path, what) for what in _unlike(one[path], other[path])]
    files = [path for path in both if one[path].kind == FILE == other[path].kind]
    sums = [system.digests(files, ALGORITHM) for system in (first, second)]
    for path in files:
        if sums[0].get(path) != sums[1].get(path):
            texts = [_UUID.sub(b"", system.read(path)) for system in (first, second)]
            found.append(Difference(path, IDENTIFIERS if texts[0] == texts[1] else CONTENT))
    found.sort(key=lambda difference: (difference.path, difference.what))
    return [replace(one, reason=_reason(first.system, one)) for one in found]


def _unlike(one: Entry, other: Entry) -> Iterator[str]:
    if one.kind != other.kind:
        yield "kind"
        return
    for name in ("mode", "uid", "gid", "target", "capabilities"):
        if getattr(one, name) != getattr(other, name):
            yield name


def _reason(system: Linux, found: Difference) -> str:
    rules = (rule for rule in system.varying if rule.matches(found.path, found.what))
    return next((rule.reason for rule in rules), "")


def compare(first: Artifact, second: Artifact, system: Linux, scratch: Path) -> list[Difference]:
    """The same, for the disks of two releases.

    :param scratch: a folder with room for both unpacked disks.
    """
    with contextlib.ExitStack() as stack:
        opened = []
        for name, artifact in (("first", first), ("second", second)):
            folder = scratch / name
            folder.mkdir()
            opened.append(stack.enter_context(pristine.opened(artifact.disk, folder, system)))
        return differences(*opened)


def main(folders: Iterable[str]) -> int:
    """Show what differs between two releases, named by their folders FAMILY/RELEASE."""
    artifacts = [
        Artifact(path.parent.name, Release.parse(path.name), path)
        for path in (Path(name).resolve() for name in folders)
    ]
    if len(artifacts) != 2:
        raise UsageError("expected the artifact folders of two releases")
    for artifact in artifacts:
        if not artifact.disk.is_file():
            raise UsageError(f"{artifact.folder} holds no disk of a release")
    records = [artifact.record("build") or {} for artifact in artifacts]
    if records[0].get("input_digest") != records[1].get("input_digest"):
        print("note: they were built from different inputs")
    site = load()
    system = systems.linux(find(site.catalog, artifacts[0].family).distro)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        found = compare(artifacts[0], artifacts[1], system, Path(scratch))
    for difference in found:
        print(difference)
    return int(any(not difference.reason for difference in found))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ImagecycleError as error:
        log.fail(error.message, error.hint)
        sys.exit(error.exit_code)
