"""All releases that a cloud offers, in a temporary database: memory does not grow with them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from imagecycle.model import State
from imagecycle.offering.offered_release import OfferedRelease

_CACHE_KIB = 8192
_TABLE = """
    CREATE TABLE release (
        image_id TEXT NOT NULL UNIQUE, family TEXT NOT NULL, ordinal TEXT NOT NULL,
        current INTEGER NOT NULL, published_at TEXT NOT NULL, revoked_at TEXT NOT NULL,
        document TEXT NOT NULL, PRIMARY KEY (family, ordinal)
    ) WITHOUT ROWID
"""


@dataclass(frozen=True)
class OfferedFamily:
    """A family, by what its current release says of it, or else its newest."""

    slug: str
    current: OfferedRelease | None
    described_by: OfferedRelease


@dataclass(frozen=True)
class Event:
    """Something that users should hear of: a release was published, or revoked."""

    at: str
    revoked: bool
    release: OfferedRelease


class Collection:
    """Releases by family; close it, or leave its ``with`` block, and it is gone."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # a file without a name
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(_TABLE)

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, release: OfferedRelease) -> OfferedRelease | None:
        """Take one in; the same image again takes the place of what it said before.

        :returns: the release that gives way, where another image claims to be the same release:
            a current one stays, or else the one that was published last.
        """
        self._database.execute("DELETE FROM release WHERE image_id = ?", [release.image_id])
        rows = self._rows("WHERE family = ? AND ordinal = ?", release.family, release.order)
        for other in rows:
            if _precedence(other) > _precedence(release):
                return release
        self._database.execute(
            "INSERT OR REPLACE INTO release VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                release.image_id,
                release.family,
                release.order,
                release.state == State.CURRENT.value,
                release.published_at,
                release.revoked_at if release.state == State.REVOKED.value else "",
                json.dumps(dataclasses.asdict(release)),
            ],
        )
        return next(iter(rows), None)

    def families(self) -> Iterator[OfferedFamily]:
        """Every family, by system, newer versions first."""
        slugs = self._database.execute("SELECT DISTINCT family FROM release").fetchall()
        keys = []
        for (slug,) in slugs:
            one = self.family(slug).described_by
            keys.append((one.distro, _descending(one.version), one.architecture, one.flavour, slug))
        for *_, slug in sorted(keys):
            yield self.family(slug)

    def family(self, slug: str) -> OfferedFamily:
        """A family that is there."""
        newest = "WHERE family = ? ORDER BY ordinal DESC LIMIT 1"
        current = self._rows(newest.replace("ORDER", "AND current ORDER"), slug)
        described_by = current or self._rows(newest, slug)
        return OfferedFamily(slug, current[0] if current else None, described_by[0])

    def releases(self, slug: str) -> Iterator[OfferedRelease]:
        """The releases of a family, the newest first."""
        query = "SELECT document FROM release WHERE family = ? ORDER BY ordinal DESC"
        with contextlib.closing(self._database.execute(query, [slug])) as found:
            for (document,) in found:
                yield OfferedRelease(**json.loads(document))

    def by_image(self, image_id: str) -> OfferedRelease | None:
        """The release that an image is; None where it is not among these."""
        return next(iter(self._rows("WHERE image_id = ?", image_id)), None)

    def events(self, most: int) -> Iterator[Event]:
        """What happened last, the newest first."""
        query = """
            SELECT published_at AS at, 0 AS revoked, ordinal, image_id, document FROM release
            WHERE published_at != ''
            UNION ALL
            SELECT revoked_at, 1, ordinal, image_id, document FROM release WHERE revoked_at != ''
            ORDER BY at DESC, revoked DESC, ordinal DESC, image_id LIMIT ?
        """
        with contextlib.closing(self._database.execute(query, [most])) as found:
            for at, revoked, *_, document in found:
                yield Event(at, bool(revoked), OfferedRelease(**json.loads(document)))

    def count(self) -> tuple[int, int]:
        """How many families, and how many releases."""
        query = "SELECT COUNT(DISTINCT family), COUNT(*) FROM release"
        families, releases = self._database.execute(query).fetchone()
        return int(families), int(releases)

    def _rows(self, where: str, *values: str) -> list[OfferedRelease]:
        found = self._database.execute(f"SELECT document FROM release {where}", values).fetchall()
        return [OfferedRelease(**json.loads(document)) for (document,) in found]


def _precedence(release: OfferedRelease) -> tuple[bool, str, str]:
    return release.state == State.CURRENT.value, release.published_at, release.image_id


def _descending(version: str) -> list[tuple[int, int | str]]:
    """Sorts versions by their numbers, higher ones first, and those without a number last."""
    parts = version.replace("-", ".").split(".")
    return [(0, -int(part)) if part.isdecimal() and len(part) < 10 else (1, part) for part in parts]
