"""Releases by family, and families by system: what a user chooses from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagecycle_dashboard.plain_text import plain
from imagecycle_dashboard.releases import CURRENT, RETIRED, REVOKED, Release, release_of

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True)
class System:
    """An operating system in one version, and the families of it, which are its choices."""

    name: str
    families: Sequence[Release]
    """The current release of each"""


@dataclass(frozen=True)
class OtherImage:
    """An image that is no release."""

    image_id: str
    name: str
    status: str
    visibility: str
    size: int
    min_disk: int
    min_ram: int
    own: bool
    """Whether it belongs to the project"""


def newest(found: Iterable[Release]) -> dict[str, Release]:
    """The current release of each family; the newest, where there are two for a moment."""
    best: dict[str, Release] = {}
    for release in found:
        if release.state != CURRENT or not release.is_public:
            continue
        there = best.get(release.family)
        if there is None or there.order < release.order:
            best[release.family] = release
    return best


def in_order(current: Iterable[Release]) -> list[Release]:
    """As they are shown: by system, newer versions first."""
    return sorted(current, key=_place)


def systems(current: Iterable[Release]) -> list[System]:
    """Families by system, newer versions first."""
    grouped: dict[tuple[str, str], list[Release]] = {}
    for release in in_order(current):
        grouped.setdefault((release.distro, release.version), []).append(release)
    return [System(families[0].system, families) for families in grouped.values()]


def matching(current: Iterable[Release], words: str, architecture: str = "") -> list[Release]:
    """Those that hold every word, and have the architecture when one is named."""
    wanted = words.casefold().split()
    found = []
    for release in current:
        parts = (release.family, release.title, release.system, release.description)
        text = " ".join(parts).casefold()
        if architecture in ("", release.architecture) and all(word in text for word in wanted):
            found.append(release)
    return found


def of_family(documents: Iterable[Mapping[str, Any]], family: str) -> list[Release]:
    """The releases of one family that a project can see, the newest first.

    Anybody can share an image with a project, whatever it says of itself. So one that is not
    public counts only if it belongs to who publishes the family for everyone.
    """
    found = {release.image_id: release for release in releases(documents)}
    ours = [release for release in found.values() if release.family == family]
    publishers = {release.owner for release in ours if release.is_public}
    kept = [release for release in ours if release.is_public or release.owner in publishers]
    return sorted(kept, key=lambda release: release.order, reverse=True)


def trusted(
    documents: Iterable[Mapping[str, Any]], current: Mapping[str, Release]
) -> dict[str, Release]:
    """The releases among the images that servers were made from, by their ids; for those that are
    not public the same holds as for :func:`of_family`, by the families' current releases."""
    publishers = {release.owner for release in current.values()}
    return {
        release.image_id: release
        for release in releases(documents)
        if release.is_public or release.owner in publishers
    }


def others(
    documents: Iterable[Mapping[str, Any]], shown: Iterable[str], project_id: str
) -> list[OtherImage]:
    """Images that are no release, as a plain list.

    :param shown: the ids of images that are shown as releases.
    """
    known = set(shown)
    found = []
    for document in documents:
        image_id = str(document.get("id"))
        release = release_of(document)
        if (
            image_id in known
            or not _ID.fullmatch(image_id)
            or (release is not None and release.is_public)
        ):
            continue
        if document.get("status") != "active":
            continue
        own = document.get("owner") == project_id
        if release is not None and release.state in (RETIRED, REVOKED) and not own:
            continue
        found.append(
            OtherImage(
                image_id=image_id,
                name=plain(document.get("name") or "", 255),
                status=plain(document.get("status") or "", 30),
                visibility=plain(document.get("visibility") or "", 30),
                size=_number(document.get("size")),
                min_disk=_number(document.get("min_disk")),
                min_ram=_number(document.get("min_ram")),
                own=own,
            )
        )
    return sorted(found, key=lambda image: (image.name.casefold(), image.image_id))


def releases(documents: Iterable[Mapping[str, Any]]) -> Iterable[Release]:
    """Those of the images that are releases."""
    found = (release_of(document) for document in documents)
    return (release for release in found if release is not None)


def _place(release: Release) -> tuple[str, list[tuple[int, int, str]], str, str, str]:
    """Sorts by system, versions by their numbers and higher ones first."""
    version = [
        (0, -int(part), "") if part.isdecimal() and len(part) < 10 else (1, 0, part)
        for part in release.version.split(".")
    ]
    return release.distro, version, release.architecture, release.flavour, release.family


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
