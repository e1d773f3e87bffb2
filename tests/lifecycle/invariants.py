"""The five invariants of a release's life, asked of a cloud in memory after every call.

Two things are not broken invariants but what Glance leaves no way around, and are told apart here:
the window, in which an image is ``shared`` and its members are being added, and a project that
began to use an image after the last listing of the command that is at work. Both end with that
command, or with the next one if it was killed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from imagecycle.cloud.image import Image
from imagecycle.metadata import identity
from imagecycle.model import State
from lifecycle.memory_cloud import OWNER, Broken, Cloud, Operator


@dataclass
class Watch:
    """What has to hold in a cloud; ``at_work`` are operators whose command has not ended well."""

    cloud: Cloud
    at_work: list[Operator] = field(default_factory=list)
    had_current: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    """Families whose current release was revoked with --force"""
    without: set[str] = field(default_factory=set)
    """Those of them that have none indeed"""
    identities: dict[str, tuple[str, str]] = field(default_factory=dict)
    revoked_ids: set[str] = field(default_factory=set)
    pairs: int = 0
    """Project and image that were looked at: proof that there was something to see"""

    def check(self) -> None:
        """:raises Broken: naming the invariant by its number."""
        current = set()
        for image in self.releases():
            self._same_identity(image)
            if is_current(image):
                current.add(image.properties[identity.FAMILY])
        self.had_current |= current
        self.without |= self.given_up - current
        self.given_up -= self.without & current  # it has one again
        self.without -= current
        if gone := self.had_current - current - self.given_up:
            raise Broken(f"1: {gone} has no current release any more")
        for server in self.cloud.servers.values():
            if server.project != OWNER and server.image_id not in self.cloud.copies:
                self._usable(server.project, server.image_id)

    def check_ended(self) -> None:
        """What holds once a command has come to its end: nothing is excused any more."""
        excused, self.at_work = self.at_work, []
        try:
            self.check()
        finally:
            self.at_work = excused

    def check_settled(self) -> None:
        """What holds when retirement has nothing left to do."""
        self.check_ended()
        for image in self.releases():
            if image.properties.get(identity.IMAGE_ID) != image.id:
                raise Broken(f"4: {image.id} does not say that it is the release")
            state = image.properties.get(identity.STATE)
            if state in (State.RETIRED, State.REVOKED) and image.visibility == "shared":
                users = self.cloud.users(image.id) - {OWNER}
                members = set(self.cloud.members.get(image.id, ()))
                if users != members and not image.protected:
                    raise Broken(f"2: members of {image.id} are {members}, its users {users}")
            if state == State.SUPERSEDED and image.visibility == "shared":
                raise Broken(f"2: the window of {image.id} is left open")

    def releases(self) -> list[Image]:
        """All images but copies, which are nobody's promise."""
        return [one for one in self.cloud.images.values() if one.id not in self.cloud.copies]

    def _usable(self, project: str, image_id: str) -> None:
        self.pairs += 1
        if self.cloud.may_use(project, image_id):
            return
        image = self.cloud.images.get(image_id)
        if image is None:
            if image_id in self.revoked_ids:
                return
            raise Broken(f"2: {project} uses {image_id}, which is deleted")
        state = image.properties.get(identity.STATE)
        if state == State.REVOKED:
            return
        if self.at_work and image.visibility == "shared":
            if state == State.SUPERSEDED:
                return  # the window
            if self._began_late(project, image_id):
                return
        raise Broken(f"2: {project} lost {image_id} ({state}, {image.visibility})")

    def _began_late(self, project: str, image_id: str) -> bool:
        since = min(
            server.since
            for server in self.cloud.servers.values()
            if (server.project, server.image_id) == (project, image_id)
        )
        return any(
            image_id in operator.taken and since >= operator.taken[image_id]
            for operator in self.at_work
        )

    def _same_identity(self, image: Image) -> None:
        properties = image.properties
        who = (properties.get(identity.FAMILY, ""), properties.get(identity.RELEASE, ""))
        if self.identities.setdefault(image.id, who) != who:
            raise Broken(f"4: {image.id} is {who} and was {self.identities[image.id]}")
        if properties.get(identity.STATE) == State.REVOKED:
            self.revoked_ids.add(image.id)


def is_current(image: Image) -> bool:
    """Whether users are offered this image."""
    shown = image.visibility == "public" and not image.hidden and image.status == "active"
    return shown and image.properties.get(identity.STATE) == State.CURRENT
