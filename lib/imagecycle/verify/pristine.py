"""The root file system of a release as it was before any boot.

A booted machine has already written over much of what the build left. So the disk is unpacked and
looked at without starting it: that costs no boot, and works where nothing boots.
"""

from __future__ import annotations

import bisect
import contextlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from pathlib import Path

from imagecycle.build import offline
from imagecycle.build.disk import unpack
from imagecycle.systems.files import FILE, FOLDER, LINK, Entry, SystemFiles
from imagecycle.systems.linux import Linux
from imagecycle.systems.unowned import Unowned, like, literal, merged

_SHARED = ("/boot/", "/etc/", "/home/", "/opt/", "/root/", "/srv/", "/usr/bin/", "/usr/sbin/")
_LINKS = 40  # symbolic links in one path, as the kernel has it


class Pristine:
    """The files of a release, its package manager's knowledge of them, and its disk.

    :ivar disk: the unpacked disk, byte for byte.
    """

    def __init__(self, files: SystemFiles, system: Linux, disk: Path) -> None:
        self.files = files
        self.system = system
        self.disk = disk

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """All that is on the root file system, by path."""
        return {entry.path: entry for entry in sorted(self.files.entries(), key=_path)}

    @cached_property
    def owned(self) -> frozenset[str]:
        """The paths that belong to a package."""
        paths = {self.canonical(path) for path in self.system.packages.owned(self.files)}
        return frozenset(paths | {merged(path) for path in paths})

    @cached_property
    def brought(self) -> frozenset[str]:
        """The folders and links that packages bring, and files whose sums they do not tell."""
        packages = self.system.packages
        packed = {self.canonical(path) for path in packages.digests(self.files).by_path}
        return frozenset({self.canonical(path) for path in packages.brought(self.files)} - packed)

    @cached_property
    def altered(self) -> Mapping[str, str]:
        """The files of packages that are not as they were packed, and what they are instead."""
        packed = self.system.packages.digests(self.files)
        wanted = {self.canonical(path): digest for path, digest in packed.by_path.items()}
        found = self.digests(wanted, packed.algorithm)
        return {
            path: "is not as it was packed" if path in found else "is missing"
            for path, digest in wanted.items()
            if found.get(path) != digest
        }

    @cached_property
    def foreign(self) -> Mapping[str, Entry]:
        """The files that no package has brought as they are, and that are made from none."""
        return {
            entry.path: entry
            for entry in self.entries.values()
            if entry.kind == FILE
            and (entry.path not in self.owned or entry.path in self.altered)
            and not self._is_made_from_packages(entry)
        }

    @cached_property
    def locked(self) -> Set[str]:
        """What not even root can change or remove."""
        return self.files.locked(self.entries)

    @cached_property
    def shared(self) -> Set[str]:
        """The settings and programs that others than their permissions say may read or change."""
        return self.files.shared(path for path in self.entries if path.startswith(_SHARED))

    def _is_made_from_packages(self, entry: Entry) -> bool:
        rules = (rule for rule in self.system.unowned if rule.copy_of or rule.made_from)
        return any(rule.matches(entry.path) and not self.lacks(entry, rule) for rule in rules)

    def explained(self, path: str) -> bool:
        """Whether a rule says why something is there that belongs to no package."""
        rules = (rule for rule in self.system.unowned if rule.matches(path))
        return any(not self.lacks(self.entries[path], rule) for rule in rules)

    def lacks(self, entry: Entry, rule: Unowned) -> str:
        """What an entry lacks to be the file that a rule is about; empty where it is."""
        source = rule.source(entry.path)
        if rule.leads_to_owned:
            if entry.kind != LINK:
                return "belongs to no package"
            target = self.resolved(entry.path)
            return "" if target in self.owned else f"leads to {target}, which no package brings"
        if rule.copy_of:
            return "" if self._same(entry.path, source) else f"is not as {source} any more"
        if rule.made_from:
            return "" if source in self.owned else f"is there without {source}"
        return ""

    def _same(self, copy: str, source: str) -> bool:
        if (copy, source) not in self._compared:
            self._compared[copy, source] = self.read(copy) == self.read(source)
        return self._compared[copy, source]

    @cached_property
    def _compared(self) -> dict[tuple[str, str], bool]:
        return {}

    def digests(self, paths: Iterable[str], algorithm: str) -> dict[str, str]:
        """The sums of those files that are there."""
        return self.files.digests(paths, algorithm)

    def read(self, path: str) -> bytes:
        """The content of a file, over links; empty where there is none."""
        entry = self.entries.get(self.resolved(path))
        if entry is None or entry.kind != FILE:
            return b""
        return self.files.read(entry.path)

    def text(self, path: str) -> str:
        """The same, as text."""
        return self.read(path).decode(errors="replace")

    def lines(self, *patterns: str) -> Iterator[tuple[str, str]]:
        """The lines of the files that are found, with the file's path; without comments that begin
        with ``#``, empty lines, and spaces around."""
        for path in self.found(*patterns):
            for line in self.text(path).splitlines():
                bare = line.strip()
                if bare and not bare.startswith("#"):
                    yield path, bare

    def found(self, *patterns: str) -> list[str]:
        """The paths of what is there, but for folders; see
        :class:`imagecycle.systems.unowned.Unowned` for the patterns."""
        paths = dict.fromkeys(path for pattern in patterns for path in self._like(pattern))
        return [path for path in paths if self.entries[path].kind != FOLDER]

    def _like(self, pattern: str) -> Iterator[str]:
        start = literal(pattern)
        if start == pattern:
            yield from [pattern] * (pattern in self.entries)
            return
        first = bisect.bisect_left(self._paths, start)
        last = bisect.bisect_left(self._paths, start + "\U0010ffff", first)
        yield from like(pattern, self._paths[first:last])

    @cached_property
    def _paths(self) -> Sequence[str]:
        return sorted(self.entries)

    def filled(self, *patterns: str) -> list[str]:
        """The paths of the files among them that are not empty."""
        entries = (self.entries[path] for path in self.found(*patterns))
        return [entry.path for entry in entries if entry.kind == FILE and entry.size]

    def resolved(self, path: str) -> str:
        """Where a path leads over all links; links lead no further than to the system's root."""
        waiting = [part for part in reversed(path.split("/")) if part]
        place, links = "", 0
        while waiting:
            part = waiting.pop()
            if part in (".", ".."):
                place = posixpath.dirname(place).rstrip("/") if part == ".." else place
                continue
            step = f"{place}/{part}"
            entry = self.entries.get(step)
            if entry is not None and entry.kind == LINK and links < _LINKS:
                links += 1
                place = "" if entry.target.startswith("/") else place
                waiting += [part for part in reversed(entry.target.split("/")) if part]
            else:
                place = step
        return place or "/"

    def canonical(self, path: str) -> str:
        """A path whose folders are none that links lead to."""
        folder, name = posixpath.split(path.rstrip("/"))
        if folder not in self._folders:
            self._folders[folder] = self.resolved(folder).rstrip("/")
        return f"{self._folders[folder]}/{name}" if name not in (".", "") else "/"

    @cached_property
    def _folders(self) -> dict[str, str]:
        return {}


def _path(entry: Entry) -> str:
    return entry.path


@contextlib.contextmanager
def opened(disk: Path, scratch: Path, system: Linux) -> Iterator[Pristine]:
    """The root file system of a qcow2 disk, for the length of a ``with`` block.

    :param scratch: a folder with room for the unpacked disk.
    :raises ImagecycleError: when the disk cannot be read, or holds no system.
    """
    raw = scratch / "pristine.raw"
    try:
        unpack(disk, raw)
        with offline.opened(raw, scratch, read_only=True) as files:
            yield Pristine(files, system, raw)
    finally:
        raw.unlink(missing_ok=True)
