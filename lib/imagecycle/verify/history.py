"""The index of all that has been verified: one HTML page with every family and its releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagecycle.artifacts import Artifact, ArtifactStore, write_text
from imagecycle.errors import ImagecycleError
from imagecycle.verify import report
from imagecycle.verify.comparison import MIB
from imagecycle.verify.records import HTML
from imagecycle.verify.verdict import FAILED, NOT_RUN

TEMPLATE = "history.html.j2"
INDEX = "index.html"
NOT_VERIFIED = "not verified"
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Entry:
    """One release of a family."""

    release: str
    verdict: str
    """``passed``, ``failed``, ``not verified``, or ``unreadable``"""
    verified_at: str = ""
    reason: str = ""
    """What failed first, and how much more"""
    pace: float | None = None
    memory_mib: float | None = None
    size_mib: float | None = None
    link: str = ""
    """To its report, as seen from the index"""


@dataclass(frozen=True)
class FamilyHistory:
    """A family with its releases, the newest first."""

    slug: str
    entries: Sequence[Entry]

    @property
    def newest(self) -> Entry:
        return self.entries[0]

    @property
    def paces(self) -> list[float]:
        """Boots to the login, the oldest first."""
        return [entry.pace for entry in reversed(self.entries) if entry.pace is not None]


def write(store: ArtifactStore, path: Path | None = None) -> Path:
    """Write the index; returns where it is.

    :param path: by default beside the families in the artifact folder, so that links lead to the
        reports.
    """
    target = path or store.root / INDEX
    page = report.environment().get_template(TEMPLATE).render(families=collect(store, target))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, page)
    return target


def collect(store: ArtifactStore, target: Path) -> list[FamilyHistory]:
    """All families with releases, by name; those whose newest release failed come first.

    :param target: the index, from which links begin.
    """
    folders = store.root.iterdir() if store.root.is_dir() else ()
    slugs = sorted(path.name for path in folders if path.is_dir())
    found = []
    for slug in slugs:
        releases = reversed(store.releases(slug))
        entries = [_entry(artifact, target) for artifact in releases]
        if entries:
            found.append(FamilyHistory(slug, entries))
    return sorted(found, key=lambda one: (one.newest.verdict not in (FAILED, UNREADABLE), one.slug))


def _entry(artifact: Artifact, target: Path) -> Entry:
    release = str(artifact.release)
    try:
        record, built = artifact.record("verify"), artifact.record("build") or {}
        if record is None:
            return Entry(release, NOT_VERIFIED, size_mib=_size(built))
        return Entry(
            release=release,
            verdict=str(record["verdict"]),
            verified_at=str(record["ended_at"]),
            reason=", ".join(_reasons(record)),
            pace=_machine(record, "pace"),
            memory_mib=_machine(record, "memory_mib"),
            size_mib=_size(built),
            link=_link(artifact.folder / HTML, target),
        )
    except (ImagecycleError, KeyError, TypeError, AttributeError, IndexError):
        return Entry(release, UNREADABLE)


def _reasons(record: Mapping[str, Any]) -> Iterator[str]:
    failed = [check for check in record["checks"] if check["outcome"] == FAILED]
    failed = failed or [check for check in record["checks"] if check["outcome"] == NOT_RUN]
    if failed:
        yield str(failed[0]["name"])
    if len(failed) > 1:
        yield f"and {len(failed) - 1} more"


def _machine(record: Mapping[str, Any], what: str) -> float | None:
    value = record["machines"][0].get(what) if record["machines"] else None
    return float(value) if isinstance(value, int | float) and value else None


def _size(built: Mapping[str, Any]) -> float | None:
    size = built.get("disk", {}).get("size")
    return size / MIB if isinstance(size, int) else None


def _link(page: Path, target: Path) -> str:
    if not page.exists():
        return ""
    try:
        return page.resolve().relative_to(target.parent.resolve()).as_posix()
    except ValueError:
        return page.resolve().as_uri()
