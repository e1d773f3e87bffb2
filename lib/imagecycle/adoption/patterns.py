"""Operators' patterns for the names of images that were published by hand.

This is the one place where a name is read, and only to propose: what an image is becomes true when
somebody has confirmed it.
"""

from __future__ import annotations

import datetime
import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagecycle import yamlfile
from imagecycle.errors import InvalidFile, Problem, UsageError, suggestion
from imagecycle.metadata import property_types
from imagecycle.model import Release

DEFAULT_FAMILY = "{os}-{arch}-{flavour}"
_ARROW = "=>"
_EXAMPLE = (
    r"an example: 'Debian (?P<version>\d+) (?P<arch>\S+) (?P<date>[\d-]+)"
    "=>debian-{version}-{arch}-server'"
)
_FILE_EXAMPLE = (
    r"expected a list such as [{pattern: 'Debian (?P<v>\d+)', family: 'debian-{v}-...'}]"
)


@dataclass(frozen=True)
class Match:
    """What a pattern makes of a name; ``wrong`` says why it is of no use."""

    family: str = ""
    release: Release | None = None
    """None: the name has no date"""
    wrong: str = ""


@dataclass(frozen=True)
class Pattern:
    """A regular expression for whole names, and the family that its named groups make up.

    The groups ``date`` and ``serial`` are the release; the others stand in ``family`` in braces,
    in small letters and with ``-`` for spaces.
    """

    regex: re.Pattern[str]
    family: str

    def match(self, name: str) -> Match | None:
        """What a name says; None when it does not fit."""
        found = self.regex.fullmatch(name)
        if found is None:
            return None
        groups = {key: value or "" for key, value in found.groupdict().items()}
        family = self.family.format_map({key: _slug(value) for key, value in groups.items()})
        if not property_types.FAMILY.accepts(family):
            return Match(wrong=f'the pattern makes "{family}" of it, which is no family')
        try:
            return Match(family, _release(groups))
        except ValueError:
            return Match(wrong=f'"{groups["date"]}" is no date')


def parse(text: str) -> Pattern:
    """A pattern of the command line: ``REGEX=>FAMILY``, or ``REGEX`` alone.

    :raises UsageError: when it is none.
    """
    regex, arrow, family = text.rpartition(_ARROW)
    if not arrow:
        regex, family = text, DEFAULT_FAMILY
    try:
        return _pattern(regex.strip(), family.strip())
    except ValueError as error:
        raise UsageError(f"not a pattern: {text}: {error}", hint=_EXAMPLE) from None


def read(path: Path) -> list[Pattern]:
    """The patterns of a file: a list of sections with ``pattern`` and ``family``.

    :raises InvalidFile: naming every mistake.
    """
    file = yamlfile.read(path)
    if not isinstance(file.content, list) or not file.content:
        raise InvalidFile([Problem(path, 1, _FILE_EXAMPLE)])
    patterns, problems = [], []
    for number, entry in enumerate(file.content):
        if not isinstance(entry, dict) or not isinstance(entry.get("pattern"), str):
            problems.append(file.problem((number,), "expected a section with pattern and family"))
            continue
        known = {"pattern": "", "family": DEFAULT_FAMILY}
        problems += [
            file.problem((number, key), f"unknown key {key}{suggestion(str(key), known)}")
            for key in entry
            if key not in known
        ]
        try:
            patterns.append(_pattern(entry["pattern"], str(entry.get("family", DEFAULT_FAMILY))))
        except ValueError as error:
            problems.append(file.problem((number, "pattern"), str(error)))
    if problems:
        raise InvalidFile(problems)
    return patterns


def first_match(patterns: Iterable[Pattern], name: str) -> Match | None:
    """What the first pattern that fits makes of a name."""
    return next((found for one in patterns if (found := one.match(name))), None)


def _pattern(regex: str, family: str) -> Pattern:
    """:raises ValueError: saying what is wrong."""
    try:
        compiled = re.compile(regex)
    except re.error as error:
        where = f" at character {error.pos + 1}" if error.pos is not None else ""
        raise ValueError(f"no regular expression: {error.msg}{where}") from None
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(family) if field is not None]
    except ValueError as error:
        raise ValueError(f"the family {family}: {error}") from None
    unknown = [field for field in fields if field not in compiled.groupindex]
    if unknown:
        groups = ", ".join(compiled.groupindex) or "none"
        raise ValueError(
            f"the family {family} wants the group {unknown[0] or '{}'}; the groups are {groups}"
        )
    if not family:
        raise ValueError("the family is empty")
    return Pattern(compiled, family)


def _slug(text: str) -> str:
    return re.sub(r"\s+", "-", text.strip().lower())


def _release(groups: Mapping[str, str]) -> Release | None:
    """:raises ValueError: when the date is none."""
    if not groups.get("date"):
        return None
    digits = re.sub(r"\D", "", groups["date"])
    date = datetime.datetime.strptime(digits, "%Y%m%d").date()
    if len(digits) != 8:
        raise ValueError
    return Release(date, int(groups.get("serial") or 0))
