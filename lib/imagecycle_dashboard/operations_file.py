"""Reads what ``imagecycle operations`` wrote for operators; see ``docs/horizon.rst``.

The file is read as anything of foreign origin: what makes no sense is left out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from imagecycle_dashboard.moments import moment
from imagecycle_dashboard.operations import (
    Change,
    Copy,
    Family,
    Operations,
    Project,
    Release,
    Run,
    Step,
    Stray,
    Verification,
)
from imagecycle_dashboard.plain_text import plain
from imagecycle_dashboard.releases import is_family

VERSION = 1
_LARGEST = 256 * 2**20
"""Bytes; 4,000 releases with their users take a few million"""


class NoData(Exception):
    """There is nothing to show.

    :param reason: ``unset``, ``missing``, ``unreadable`` or ``version``.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


_read: dict[str, tuple[tuple[int, int, int], Operations]] = {}
_reading = threading.Lock()


def read(path: object) -> Operations:
    """What a file tells; read again only when it was replaced.

    :raises NoData: when there is none, or it makes no sense.
    """
    if not path:
        raise NoData("unset")
    place = Path(str(path))
    try:
        found = place.stat()
    except (OSError, ValueError):
        raise NoData("missing", str(place)) from None
    mark = (found.st_ino, found.st_mtime_ns, found.st_size)
    with _reading:
        kept = _read.get(str(place))
        if kept is None or kept[0] != mark:
            kept = _read[str(place)] = mark, _load(place, found.st_size)
        return kept[1]


def _load(place: Path, size: int) -> Operations:
    try:
        if size > _LARGEST or not place.is_file():
            raise ValueError
        document = json.loads(place.read_text(encoding="utf-8"))
        version = document["version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise NoData("unreadable", str(place)) from None
    if version != VERSION:
        raise NoData("version", str(place))
    return parse(document)


def parse(document: Mapping[str, Any]) -> Operations:
    """The whole, from its document."""
    plan = _mapping(document.get("plan"))
    steps = [
        Step(
            what=_text(one.get("what"), 2000),
            image_id=_text(one.get("image_id"), 60),
            family=_slug(one.get("family")),
            release=_text(one.get("release"), 60),
        )
        for one in _mappings(plan.get("steps"))
    ]
    by_family: dict[str, list[Step]] = {}
    for step in steps:
        by_family.setdefault(step.family, []).append(step)
    families = [
        _family(one, by_family.get(_slug(one.get("family")), []))
        for one in _mappings(document.get("families"))
        if _slug(one.get("family"))
    ]
    return Operations(
        cloud=_text(document.get("cloud")),
        taken_at=moment(document.get("taken_at")),
        missing=_texts(document.get("missing")),
        families=families,
        steps=steps,
        notes=_texts(plan.get("notes")),
        copies=[_copy(one) for one in _mappings(document.get("copies"))],
        strays=[_stray(one) for one in _mappings(document.get("strays"))],
    )


def _family(found: Mapping[str, Any], steps: Sequence[Step]) -> Family:
    slug = _slug(found.get("family"))
    return Family(
        family=slug,
        title=_text(found.get("title")) or slug,
        declared=found.get("declared") is not False,
        releases=[_release(one) for one in _mappings(found.get("releases"))],
        unpublished=[
            _verification(_text(one.get("release"), 60), one)
            for one in _mappings(found.get("unpublished"))
        ],
        runs=[_run(one) for one in _mappings(found.get("runs"))],
        steps=steps,
    )


def _release(found: Mapping[str, Any]) -> Release:
    release = _text(found.get("release"), 60)
    verification = found.get("verification")
    return Release(
        release=release,
        state=_text(found.get("state"), 40),
        since=moment(found.get("since")),
        image_id=_text(found.get("image_id"), 60),
        name=_text(found.get("name"), 255),
        visibility=_text(found.get("visibility"), 40),
        remark=_text(found.get("remark"), 500),
        projects=_number(found.get("projects")),
        servers=_number(found.get("servers")),
        volumes=_number(found.get("volumes")),
        used_by=[_project(one) for one in _mappings(found.get("used_by"))],
        verification=_verification(release, verification)
        if isinstance(verification, dict)
        else None,
        audit=[_change(release, one) for one in _mappings(found.get("audit"))],
    )


def _project(found: Mapping[str, Any]) -> Project:
    servers = sorted(_mapping(found.get("servers")).items())
    return Project(
        id=_text(found.get("id"), 64),
        name=_text(found.get("name"), 100),
        contact=_text(found.get("contact"), 255),
        servers=[(_number(count), _text(status, 40)) for status, count in servers],
        volumes=_number(found.get("volumes")),
    )


def _run(found: Mapping[str, Any]) -> Run:
    return Run(
        stage=_text(found.get("stage"), 40),
        verdict=_text(found.get("verdict"), 40),
        ended_at=moment(found.get("ended_at")),
        url=_address(found.get("url")),
        running=found.get("running") is True,
    )


def _verification(release: str, found: Mapping[str, Any]) -> Verification:
    return Verification(
        release=release,
        verdict=_text(found.get("verdict"), 40),
        at=moment(found.get("at")),
        reason=_text(found.get("reason"), 500),
        report=_address(found.get("report")),
    )


def _change(release: str, found: Mapping[str, Any]) -> Change:
    words = {name: _text(found.get(name), 1000) for name in ("command", "what", "why", "who")}
    return Change(
        at=moment(found.get("at")),
        release=release,
        outcome=_text(found.get("outcome"), 40),
        error=_text(found.get("error"), 1000),
        **words,
    )


def _copy(found: Mapping[str, Any]) -> Copy:
    family, release = (_text(found.get(name), 200) for name in ("family", "release"))
    return Copy(
        image_id=_text(found.get("image_id"), 60),
        name=_text(found.get("name"), 255),
        of=f"{family} {release}".strip(),
        visibility=_text(found.get("visibility"), 40),
        owner=_text(found.get("owner"), 64),
        what=_text(found.get("what"), 300),
        advice=_text(found.get("advice"), 500),
    )


def _stray(found: Mapping[str, Any]) -> Stray:
    return Stray(
        image_id=_text(found.get("image_id"), 60),
        name=_text(found.get("name"), 255),
        status=_text(found.get("status"), 40),
        visibility=_text(found.get("visibility"), 40),
        created_at=moment(found.get("created_at")),
        what=_text(found.get("what"), 300),
    )


def _slug(value: object) -> str:
    """Of a family, as it stands in an address."""
    return value if isinstance(value, str) and is_family(value) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def _texts(value: object) -> list[str]:
    found = [_text(one, 1000) for one in value] if isinstance(value, list) else []
    return [text for text in found if text]


def _text(value: object, longest: int = 200) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else plain(value, longest)


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**53 else 0


def _address(value: object) -> str:
    """Only where a browser may be sent to."""
    text = _text(value, 1000)
    return text if text.startswith(("http://", "https://")) else ""
