"""What a project made from images: servers and volumes by release, and how far they are behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagecycle_dashboard.differences import Difference, differences
from imagecycle_dashboard.releases import CURRENT, REVOKED, Release, is_image_id

_TOLD_OTHERWISE = ("built_at", "checks")
"""Of what an update brings: its age and its checks are shown in words"""


@dataclass(frozen=True)
class Made:
    """A server or a volume."""

    id: str
    """Empty where it is none that Horizon has a page for"""
    name: str
    status: str


@dataclass
class FromImage:
    """All that was made from one image."""

    image_id: str
    servers: list[Made] = field(default_factory=list)
    volumes: list[Made] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.servers) + len(self.volumes)


@dataclass(frozen=True)
class Holding:
    """What was made from one release, beside the newest of its family."""

    made: FromImage
    release: Release
    newest: Release | None

    @property
    def days_behind(self) -> int:
        """Between the builds of both; 0 for the newest, or where there is none."""
        if self.newest is None or self.newest.order <= self.release.order:
            return 0
        return (self.newest.date - self.release.date).days

    @property
    def is_behind(self) -> bool:
        return self.newest is not None and self.newest.order > self.release.order

    @property
    def update(self) -> list[Difference]:
        """What servers from the newest release would have, as far as the images tell."""
        if self.newest is None or not self.is_behind:
            return []
        found = differences(self.release, self.newest)
        return [one for one in found if one.what not in _TOLD_OTHERWISE]

    @property
    def urgency(self) -> int:
        """Sorts: what was revoked first, what is the newest last."""
        if self.release.state == REVOKED:
            return 0
        return 2 if self.release.state == CURRENT else 1


def gather(
    servers: Iterable[tuple[Made, str]], volumes: Iterable[tuple[Made, str, Sequence[str]]]
) -> list[FromImage]:
    """What was made from each image, the most used image first.

    :param servers: each with the id of its image, empty when it boots from a volume.
    :param volumes: each with the id of the image that it was made from, or nothing, and with the
        ids of the servers that it is attached to.
    """
    found: dict[str, FromImage] = {}
    behind_server: dict[str, str] = {}
    for volume, image_id, attached in volumes:
        if image_id:
            behind_server |= dict.fromkeys(attached, image_id)
            found.setdefault(image_id, FromImage(image_id)).volumes.append(volume)
    for server, named in servers:
        image_id = named or behind_server.get(server.id, "")
        if image_id:
            found.setdefault(image_id, FromImage(image_id)).servers.append(server)
    return sorted(found.values(), key=lambda one: (-one.count, one.image_id))


def holdings(
    made: Iterable[FromImage], releases: Mapping[str, Release], newest: Mapping[str, Release]
) -> list[Holding]:
    """Those that were made from releases, the most urgent first."""
    found = [
        Holding(one, releases[one.image_id], newest.get(releases[one.image_id].family))
        for one in made
        if one.image_id in releases
    ]
    return sorted(
        found,
        key=lambda one: (one.urgency, one.release.family, -one.days_behind, one.made.image_id),
    )


def unseen(made: Iterable[FromImage], documents: Iterable[Mapping[str, Any]]) -> list[FromImage]:
    """What was made from images that are gone, or that the project may not see any more.

    :param documents: the images that were asked for by these ids, as far as Glance has them.
    """
    seen = {str(document.get("id")) for document in documents}
    return [one for one in made if is_image_id(one.image_id) and one.image_id not in seen]
