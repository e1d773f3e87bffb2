"""The offering as one JSON document, a release a line; ``offering.schema.json`` describes it.

``VERSION`` goes up when something is taken out or gets another meaning, never for an addition.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from imagecycle.offering import outlook
from imagecycle.offering.collection import Collection, OfferedFamily
from imagecycle.offering.offered_release import OfferedRelease
from imagecycle.offering.place import Place
from imagecycle.site_sections import Retirement

VERSION = 1
SCHEMA = "offering.schema.json"
_SAID_BY_THE_FAMILY = (
    *("family", "title", "system", "description", "distro", "version", "os_type"),
    *("architecture", "flavour"),
)


def whole(
    collection: Collection, place: Place, policy_of: Callable[[str], Retirement]
) -> Iterator[str]:
    """The document of a cloud, in pieces."""
    head = _head(place, SCHEMA)
    yield f'{head},\n"families": ['
    between = "\n"
    for family in collection.families():
        yield between
        yield from _family(collection, family, policy_of(family.slug), "{")
        between = ",\n"
    yield "\n]}\n"


def of_family(
    collection: Collection, family: OfferedFamily, place: Place, policy: Retirement
) -> Iterator[str]:
    """The document of one family, in pieces; its schema is :data:`SCHEMA` as well."""
    head = _head(place, f"../{SCHEMA}")
    yield f'{head},\n"families": [\n'
    yield from _family(collection, family, policy, "{")
    yield "\n]}\n"


def _head(place: Place, schema: str) -> str:
    head = {
        "$schema": schema,
        "version": VERSION,
        "cloud": place.title,
        "region": place.region,
        "endpoint": place.endpoint,
    }
    return "{" + _inside(head)


def _family(
    collection: Collection, family: OfferedFamily, policy: Retirement, opening: str
) -> Iterator[str]:
    described_by = family.described_by
    head = {name: getattr(described_by, name) for name in _SAID_BY_THE_FAMILY}
    head["current"] = family.current.release if family.current else None
    yield opening + _inside(head) + ',\n"releases": ['
    between = "\n"
    for release in collection.releases(family.slug):
        yield between + _line(_release(release, policy))
        between = ",\n"
    yield "\n]}"


def _release(release: OfferedRelease, policy: Retirement) -> dict[str, Any]:
    ahead = outlook.of_release(release, policy)
    return {
        "release": release.release,
        "state": release.state,
        "image_id": release.image_id,
        "name": release.name,
        "usable_by": ahead.usable_by,
        "usable_until": ahead.until or None,
        "login": release.login or None,
        "size": release.size,
        "min_disk": release.min_disk,
        "min_ram": release.min_ram,
        "published_at": release.published_at or None,
        "built_at": release.built_at or None,
        "verified_at": release.verified_at or None,
        "checks": release.checks,
        "end_of_support": release.end_of_support or None,
        "superseded_at": release.superseded_at or None,
        "retired_at": release.retired_at or None,
        "revoked_at": release.revoked_at or None,
        "revoked_reason": release.revoked_reason or None,
        "successor": release.successor or None,
        "properties": dict(sorted(release.properties.items())),
    }


def _inside(fields: dict[str, Any]) -> str:
    return _line(fields)[1:-1]


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
