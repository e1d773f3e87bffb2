"""The pages for people: one for everything, one for each family and each release."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2

from imagecycle.metadata import identity, schema
from imagecycle.offering import newest_release, outlook
from imagecycle.offering.collection import Collection, OfferedFamily
from imagecycle.offering.offered_release import OfferedRelease
from imagecycle.offering.place import Place
from imagecycle.site_sections import Retirement

FAMILY_PAGE = "families/{family}.html"
FAMILY_DATA = "families/{family}.json"
RELEASE_PAGE = "families/{family}/{release}.html"
_FOLDER = Path(__file__).parent / "templates"
_COMPARED = {
    "built_at": "Built",
    "checks": "Checks passed",
    "size": "Size",
    "min_disk": "Smallest disk",
    "min_ram": "Smallest memory",
    "login": "User to log in as",
    "end_of_support": "End of support",
    "description": "Description",
}
_TOLD_APART = frozenset(
    [
        *("imagecycle_family", "imagecycle_release", "imagecycle_state", "imagecycle_flavour"),
        *("imagecycle_superseded_at", "imagecycle_retired_at", "imagecycle_successor"),
        *("imagecycle_revoked_at", "imagecycle_revoked_reason", "imagecycle_checks"),
        *("image_description", "image_original_user", "maintained_until", "architecture"),
        *("os_distro", "os_version", "imagecycle_build_date", "imagecycle_verified"),
        *("image_build_date", "imagecycle_version"),
    ]
)
"""Properties that a release's page tells in its own words"""


def index(collection: Collection, place: Place) -> Iterator[str]:
    """The page of all families, in pieces."""
    return _page("index.html.j2", place, top="", systems=_systems(collection.families()))


def of_family(
    collection: Collection, family: OfferedFamily, place: Place, policy: Retirement
) -> Iterator[str]:
    """The page of a family, in pieces."""
    return _page(
        "family.html.j2",
        place,
        top="../",
        family=family,
        newest=family.described_by,
        releases=collection.releases(family.slug),
        outlook=functools.partial(outlook.of_release, policy=policy),
        recipes=newest_release.recipes(family.slug),
    )


def of_releases(
    collection: Collection, family: OfferedFamily, place: Place, policy: Retirement
) -> Iterator[tuple[str, Iterator[str]]]:
    """The path of each release's page, and the page in pieces."""
    releases: Iterable[OfferedRelease | None] = collection.releases(family.slug)
    newer: OfferedRelease | None = None
    for release, older in pairwise(_and_none(releases)):
        assert release is not None
        path = RELEASE_PAGE.format(family=family.slug, release=release.release)
        page = _page(
            "release.html.j2",
            place,
            top="../../",
            release=release,
            newer=newer,
            older=older,
            changes=list(differences(older, release)) if older else [],
            packages=_packages(older, release) if older else "",
            outlook=outlook.of_release(release, policy),
            successor=collection.by_image(release.successor) if release.successor else None,
            facts=_facts(release, changes_told=bool(older and _packages(older, release))),
        )
        yield path, page
        newer = release


def differences(
    older: OfferedRelease, newer: OfferedRelease
) -> Iterator[tuple[str, object, object]]:
    """What two releases do not have in common: what it is, in the older, in the newer one."""
    for name, words in _COMPARED.items():
        before, after = getattr(older, name), getattr(newer, name)
        if before != after:
            form = _FORMS.get(name, str)
            yield words, form(before), form(after)
    for name in sorted({*older.properties, *newer.properties} - _TOLD_APART):
        if name in schema.BY_NAME and schema.BY_NAME[name].set_by == "imagecycle":
            continue
        before, after = older.properties.get(name, ""), newer.properties.get(name, "")
        if before != after:
            yield _words(name), before, after


def _packages(older: OfferedRelease, newer: OfferedRelease) -> str:
    """What changed in the packages, where the newer release tells it against the older one."""
    since, _colon, changes = newer.properties.get(identity.CHANGES, "").partition(": ")
    return changes if since == older.release else ""


def _systems(families: Iterable[OfferedFamily]) -> Iterator[tuple[str, list[OfferedFamily]]]:
    """Families that come one after another and are of one system, and its name."""
    together: list[OfferedFamily] = []
    for family in families:
        if together and _system(family) != _system(together[0]):
            yield together[0].described_by.system, together
            together = []
        together.append(family)
    if together:
        yield together[0].described_by.system, together


def _system(family: OfferedFamily) -> tuple[str, str]:
    return family.described_by.distro, family.described_by.version


def _facts(release: OfferedRelease, *, changes_told: bool) -> list[tuple[str, str, str, str]]:
    """Of the remaining properties: title, name, value and meaning."""
    told = _TOLD_APART | ({identity.CHANGES} if changes_told else set())
    return [
        (_words(name), name, value, schema.BY_NAME[name].meaning if name in schema.BY_NAME else "")
        for name, value in release.properties.items()
        if name not in told
    ]


def _words(name: str) -> str:
    return schema.BY_NAME[name].title if name in schema.BY_NAME else name


def _and_none(
    releases: Iterable[OfferedRelease | None],
) -> Iterator[OfferedRelease | None]:
    yield from releases
    yield None


def bytes_in_words(size: int) -> str:
    """``732 MiB``."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= factor:
            return (
                f"{size / factor:.3g} {unit}"
                if size < 1000 * factor
                else f"{size // factor} {unit}"
            )
    return f"{size} bytes" if size else ""


def memory_in_words(mib: int) -> str:
    """``512 MiB``, ``4 GiB``."""
    return f"{mib // 1024} GiB" if mib and mib % 1024 == 0 else f"{mib} MiB" if mib else ""


def _disk(gib: int) -> str:
    return f"{gib} GiB" if gib else ""


_FORMS: Mapping[str, Callable[[Any], str]] = {
    "size": bytes_in_words,
    "min_disk": _disk,
    "min_ram": memory_in_words,
    "checks": lambda count: "" if count is None else str(count),
}


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"bytes": bytes_in_words, "memory": memory_in_words, "disk": _disk}
    return environment


def _page(template: str, place: Place, **values: Any) -> Iterator[str]:
    return _environment().get_template(template).generate(place=place, **values)
