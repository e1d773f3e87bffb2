"""Rendered job libraries, kept so that what has not changed is not rendered again.

An entry is named by the digest of all that decides over it: the library's files, the versions of
all that is installed, and the modules of imagecycle that render. A library that includes other
files is not kept, nor is one while Job Builder has components of other packages: what these do
cannot be told from a digest.
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import json
import locale
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from imagecycle.artifacts import write_text
from imagecycle.jobs import rendering
from imagecycle.jobs.rendering import Rendered

KEPT = 4
"""Entries, the last ones used: a few libraries, or states of one"""
ABANDONED = 3600.0
"""Seconds after which a half-written entry belongs to nobody"""
_BUILDER = "jenkins_job_builder-"
_MODULES = ("jobs/render_cache.py", "jobs/rendering.py", "jobs/faster_rendering.py", "yamlfile.py")
"""What decides over the result, below the package's folder"""


def render_all(folder: Path, cache: Path) -> Rendered:
    """All jobs and views of a library, from the cache if they are there.

    :param cache: the site's folder of what can be made again; it need not be writable.
    :raises InvalidFile: as :func:`rendering.render_all`, and UsageError.
    """
    name = digest(folder)
    if name is None:
        return rendering.render_all(folder)
    path = cache / "rendered" / f"{name}.json"
    found = _read(path)
    if found is not None:
        return found
    with rendering.includes_noted() as included:
        rendered = rendering.render_all(folder)
    if not included and digest(folder) == name:  # nobody has changed it meanwhile
        with contextlib.suppress(OSError):
            _write(path, rendered)
    return rendered


def digest(folder: Path) -> str | None:
    """The SHA-256 of all that decides over what a library renders to.

    :returns: None when that cannot be told.
    """
    package = Path(__file__).parents[1]
    found = hashlib.sha256()
    try:
        encoding = codecs.lookup(locale.getpreferredencoding(False)).name  # it reads files in it
        for text in (sys.version, encoding, *_installed()):
            found.update(f"{text}\n".encode())
        for path in (*(package / name for name in _MODULES), *_files(folder)):
            where = str(path.resolve()) if path.is_symlink() else ""
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{path.name!r} {where!r} {content}\n".encode())
    except (OSError, _OtherComponents):
        return None
    return found.hexdigest()


def _files(folder: Path) -> list[Path]:
    """What Job Builder reads of a folder, unless it is told to include more."""
    return sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))


class _OtherComponents(Exception):
    """Job Builder has components that are not its own."""


def _installed() -> Iterator[str]:
    """Every installed distribution with its version, from the names of their folders."""
    for root in map(Path, dict.fromkeys(sys.path)):
        if not root.is_dir() or root.name == "_vendor":  # setuptools adds it when it is loaded
            continue
        for path in sorted(root.iterdir()):
            if path.name.endswith((".dist-info", ".egg-info", "EGG-INFO")):
                if not path.name.startswith(_BUILDER) and _offers_components(path):
                    raise _OtherComponents
                yield f"{root.name} {path.name}"


def _offers_components(distribution: Path) -> bool:
    points = distribution / "entry_points.txt"
    return points.is_file() and "[jenkins_jobs." in points.read_text()


def _read(path: Path) -> Rendered | None:
    """An entry; None when there is none, or it is damaged."""
    try:
        checksum, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if checksum.decode(errors="replace") != hashlib.sha256(body).hexdigest():
        return None
    with contextlib.suppress(OSError):
        path.touch()
    return Rendered(**json.loads(body))


def _write(path: Path, rendered: Rendered) -> None:
    body = json.dumps({"jobs": rendered.jobs, "views": rendered.views})
    write_text(path, f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}")
    folder = path.parent
    entries = sorted(folder.glob("*.json"), key=_used, reverse=True)
    parts = (part for part in folder.glob(".*") if _used(part) < time.time() - ABANDONED)
    for old in (*entries[KEPT:], *parts):
        old.unlink(missing_ok=True)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process was quicker
        return 0.0
