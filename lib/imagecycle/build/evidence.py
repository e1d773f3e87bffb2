"""What a person sends who asks for help with an image: records, logs, pictures, the answer file.

Nothing here is a disk, and no file is taken that holds an account. Whoever packs this masks what is
left of secrets.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

from imagecycle.artifacts import ArtifactStore
from imagecycle.catalog import unattended
from imagecycle.errors import ImagecycleError
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems import windows_media

PATTERNS = ("*.log", "*.json", "*.xml", "*.html", "*.png", "*.ppm", "*.tdl", "*.ini")
LARGEST = 16 * 2**20
"""Bytes of one file; of a longer one the end is taken"""
MASK = "***"
_SHAPES = (
    (re.compile(r"\b(?:[BCDFGHJKMPQRTVWXY2346789N]{5}-){4}[BCDFGHJKMPQRTVWXY2346789N]{5}\b"), MASK),
    (re.compile(r"(Password>\s*<Value>)[^<]*", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\bAa1-[\w-]{12,}"), MASK),
    (re.compile(r'("(?:admin_pass|password)"\s*:\s*")[^"]*'), rf"\1{MASK}"),
)
"""Product keys, passwords of answer files, passwords that imagecycle made, and those of metadata"""


def masked(text: str) -> str:
    """A text without what looks like a secret of Windows."""
    for pattern, instead in _SHAPES:
        text = pattern.sub(instead, text)
    return text


def gather(family: Family, site: Site) -> Iterator[tuple[str, bytes]]:
    """Names and contents, of the newest release and of the newest failure."""
    for what, folder in _folders(family, site):
        for pattern in PATTERNS:
            for path in sorted(folder.glob(pattern)):
                yield f"{what}/{path.name}", _end(path)
    yield "answer-file.txt", _tried(lambda: unattended.render(family, root_password=MASK))
    for what, url in _media(family, site):
        yield f"{what}.txt", _tried(functools.partial(_listed, url))


def _folders(family: Family, site: Site) -> Iterator[tuple[str, Path]]:
    releases = ArtifactStore(site.artifacts).releases(family.slug)
    if releases:
        yield "release", releases[-1].folder
    for what in ("failures", "kept"):
        found = sorted((site.home / what / family.slug).glob("*"), key=_changed)
        if found:
            yield what, found[-1]


def _changed(path: Path) -> float:
    return path.stat().st_mtime


def _media(family: Family, site: Site) -> Iterator[tuple[str, str]]:
    if family.media.url:
        yield "medium", family.media.url
    if family.windows is not None and site.windows.drivers is not None:
        yield "drivers", site.windows.drivers.url


def _listed(url: str) -> str:
    """What a medium on this machine holds: its images, and the names of its files."""
    address = urlparse(url)
    if address.scheme != "file":
        return f"{address.scheme}: it is not on this machine\n"
    medium = Path(unquote(address.path))
    lines = [f"{medium.stat().st_size} bytes"]
    with contextlib.suppress(ImagecycleError):
        lines += [str(one) for one in windows_media.offered(medium)]
    with windows_media.opened(medium) as disc:
        lines += sorted(disc.names())
    return "\n".join(lines) + "\n"


def _tried(make: Callable[[], str]) -> bytes:
    """A text, or why it cannot be had."""
    try:
        return make().encode()
    except (ImagecycleError, OSError) as error:
        return f"cannot be told: {error}\n".encode()


def _end(path: Path) -> bytes:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - LARGEST))
        return stream.read()
