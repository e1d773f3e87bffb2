"""``.treeinfo``: what Red Hat and its relatives say of a medium or of an install tree.

The form is that of productmd's documentation, "Treeinfo file format".
"""

from __future__ import annotations

import configparser
import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NAME = ".treeinfo"


@dataclass(frozen=True)
class TreeInfo:
    """What it says; what it does not say is empty."""

    family: str
    version: str
    arch: str
    checksums: Mapping[str, str]
    """``sha256:...`` by path below the tree; the list of a medium may name files that only the
    vendor's tree has"""

    def differs(self, path: str, file: Path) -> bool:
        """Whether a file is not what the checksum of that path says; a kind of checksum that Python
        does not know, or none, says nothing."""
        kind, _, expected = self.checksums.get(path, "").partition(":")
        if kind not in hashlib.algorithms_available:
            return False
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, kind).hexdigest() != expected.strip().lower()


def read(text: str) -> TreeInfo | None:
    """The content of the file; None where it is none."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign] # paths keep their capitals
    with contextlib.suppress(configparser.Error):
        parser.read_string(text)
    if not parser.has_section("general"):
        return None
    said = parser["general"]
    sums = dict(parser["checksums"]) if parser.has_section("checksums") else {}
    return TreeInfo(said.get("family", ""), said.get("version", ""), said.get("arch", ""), sums)
