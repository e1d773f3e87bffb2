"""The releases of a family as one cloud holds them: what the rules decide from."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from imagecycle.cloud.image import Image
from imagecycle.lifecycle.steps import members_digest
from imagecycle.metadata import identity
from imagecycle.model import Release, State, Usage


@dataclass(frozen=True)
class Holding:
    """One release in a cloud: its image, who it is, who may use it and who does."""

    image: Image
    identity: identity.Identity
    members: Mapping[str, str] | None = None
    """Project id, then status; None when they were not asked for"""
    users: frozenset[str] | None = None
    """The other projects that use it; None when usage was not asked for"""
    own_use: bool = False
    """Whether the project that owns the image uses it"""

    @property
    def id(self) -> str:
        return self.image.id

    @property
    def family(self) -> str:
        return self.identity.family

    @property
    def release(self) -> Release:
        return self.identity.release

    @property
    def state(self) -> State:
        return self.identity.state

    @property
    def names_itself(self) -> bool:
        """Whether the image says that it is the release; those from before it did must be known
        from records, see :mod:`.recognition`."""
        return identity.names_itself(self.image)

    @property
    def window_open(self) -> bool:
        """Whether a sharing was begun and has not ended: not everyone's any more, and the
        members not complete."""
        return self.state is State.SUPERSEDED and self.image.visibility == "shared"

    @property
    def members_are_users(self) -> bool:
        """Whether what is written on the image says that its members are its users already."""
        written = self.image.properties.get(identity.SHARED_WITH)
        return self.users is not None and written == members_digest(self.users)

    @property
    def settled(self) -> bool:
        """Whether its members are its users, and the image says so."""
        if self.members is not None and self.members.keys() ^ (self.users or frozenset()):
            return False
        return self.members_are_users

    def with_(
        self,
        *,
        usage: Usage | None = None,
        members: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Holding:
        """The same with what has been learnt since."""
        held = self
        if usage is not None:
            projects = usage.projects(self.id)
            users, own = projects - {self.image.owner}, self.image.owner in projects
            held = dataclasses.replace(held, users=users, own_use=own)
        if members is not None and self.id in members:
            held = dataclasses.replace(held, members=members[self.id])
        return held

    def moment(self, name: str) -> datetime.datetime | None:
        """The time in a property; None when it is not there, or no time."""
        try:
            found = datetime.datetime.fromisoformat(self.image.properties.get(name) or "")
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)

    def __str__(self) -> str:
        return f"image {self.id} ({self.family} {self.release})"


def holdings(images: Iterable[Image], known: Collection[str] = ()) -> dict[str, list[Holding]]:
    """The releases among images, by family, each family's oldest first.

    :param known: ids of images that are releases also if they do not say so themselves; one that
        names another image never is.
    :raises ImagecycleError: when a release's properties make no sense.
    """
    found: dict[str, list[Holding]] = {}
    for image in images:
        carried = identity.read(image)
        if carried is None and image.id in known and _names_nothing(image):
            carried = identity.parse(image.properties)
        if carried is not None:
            found.setdefault(carried.family, []).append(Holding(image, carried))
    for family in found.values():
        family.sort(key=lambda held: (held.release, held.image.created_at, held.id))
    return found


def _names_nothing(image: Image) -> bool:
    return identity.FAMILY in image.properties and identity.IMAGE_ID not in image.properties


def current(family: Iterable[Holding]) -> list[Holding]:
    """The current releases, the one that counts last; two are there for a moment only."""
    return [held for held in family if held.state is State.CURRENT]


def predecessor(family: Iterable[Holding], of: Release) -> Holding | None:
    """The newest release before ``of`` that can be current (again)."""
    able = (State.CURRENT, State.SUPERSEDED, State.RETIRED)
    older = [
        held
        for held in family
        if held.release < of and held.state in able and held.image.status == "active"
    ]
    return older[-1] if older else None
