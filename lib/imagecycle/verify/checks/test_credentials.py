"""The image holds no secret: whoever may boot it reads all of it."""

import re
from collections.abc import Iterator

from imagecycle.systems.unowned import matches
from imagecycle.verify import secrets
from imagecycle.verify.accounts import homes
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

LARGEST = 2**20
"""Bytes of a file in which tools keep credentials"""


def test_none_is_where_tools_keep_them(pristine: Pristine, defects: Defects) -> None:
    """Everyone who can boot the image acts as the builder, in its clouds and registries."""
    assert defects(_kept(pristine), even_declared=True) == []


def _kept(pristine: Pristine) -> Iterator[Finding]:
    places = {
        f"{home}/{pattern}": content
        for home in homes(pristine)
        for pattern, content in secrets.IN_HOMES.items()
    }
    for pattern, content in {**places, **secrets.ELSEWHERE}.items():
        for path in pristine.filled(pattern):
            if path in pristine.foreign and (
                content == secrets.ANYTHING or re.search(content, _text(pristine, path))
            ):
                yield Finding(path, "holds credentials")


def test_none_is_in_any_file(pristine: Pristine, defects: Defects) -> None:
    """Everyone who can boot the image finds a key, a token or a password by searching for it."""
    assert defects(_found(pristine), even_declared=True) == []


def _found(pristine: Pristine) -> Iterator[Finding]:
    wordy = pristine.system.wordy
    for entry in pristine.foreign.values():
        if entry.size <= LARGEST and not any(matches(pattern, entry.path) for pattern in wordy):
            for what in secrets.held_in(_text(pristine, entry.path)):
                yield Finding(entry.path, f"holds {what}")


def _text(pristine: Pristine, path: str) -> str:
    """A file's text; nothing of what is no text."""
    content = pristine.files.read(path)
    return "" if b"\0" in content[:1024] else content.decode(errors="replace")
