"""A newcomer's tour through the whole life of an image, in the development cloud with Nova.

Two releases of one family are published one after the other, as a family of the tour's own; a
user's server stands on the first all the while. At every step the tour says what was done and what
two users see: alice, who has the server, and bob, who has none.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

from imagecycle import catalog
from imagecycle.artifacts import Artifact
from imagecycle.cloud import view
from imagecycle.cloud.canary import Canaries
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.lifecycle import transitions
from imagecycle.lifecycle.cloud_context import CloudContext
from imagecycle.lifecycle.publish import publish_in, target_of
from imagecycle.lifecycle.rules.retire import RetireOptions
from imagecycle.metadata import identity
from imagecycle.model import Family, Release
from imagecycle.site import Site
from imagecycle.site_sections import Retirement

CLOUD = "devcloud"
ALICE = "devcloud-alice"
BOB = "devcloud-bob"
PREFIX = "tour-"
"""Of the family's slug: the tour's images are its own, and deleted in the end."""
_AT_ONCE = {"keep": 0, "after_days": 0, "grace_days": 0}


def run(site: Site, first: Artifact, second: Artifact) -> None:
    """Take the tour; the development cloud must run with Nova.

    The disks may be the same: what counts is that the second release is newer, see :func:`next_of`.
    The tour's images and servers are deleted in the end, also when it breaks off; what a kill
    leaves is deleted by the next tour. It prints on standard output.

    :param first: a release of a family in the catalog, built and verified; ``second`` too.
    :raises ImagecycleError: when a step fails, or somebody does not see what he should.
    """
    if second.release <= first.release:
        raise UsageError(
            f"the tour needs a newer release than {first.release}, not {second.release}",
            hint="build another one, or let the tour make one up",
        )
    family = catalog.find(site.catalog, first.family)
    own = dataclasses.replace(
        family, slug=f"{PREFIX}{family.slug}", title=f"Tour: {family.title}", purpose="custom"
    )
    parties = _Parties(open_cloud(ALICE, site), open_cloud(BOB, site), own.slug)
    retirement = Retirement.model_validate(_AT_ONCE)
    context = CloudContext.open(CLOUD, site.model_copy(update={"retirement": retirement}))
    with _swept(context, own.slug):
        _Tour(context, own, parties).walk(first, second)


def next_of(artifact: Artifact) -> Artifact:
    """The same disk as another, later release: enough for a tour with one build."""
    later = Release(artifact.release.date, artifact.release.serial + 1)
    return dataclasses.replace(artifact, release=later)


@dataclasses.dataclass(frozen=True)
class _Parties:
    """The two users, and what they see of a family."""

    alice: CloudSession
    bob: CloudSession
    family: str

    def lists(self, who: CloudSession) -> list[str]:
        found = view.listed(who, **{identity.FAMILY: self.family})
        return [one.properties[identity.RELEASE] for one in found if identity.names_itself(one)]

    def finds(self, who: CloudSession, image: Image) -> bool:
        try:
            Glance(who).image(image.id)
        except Refused as refused:
            if refused.status == 404:
                return False
            raise
        return True


class _Tour:
    def __init__(self, context: CloudContext, family: Family, parties: _Parties) -> None:
        self._side = context
        self._family = family
        self._parties = parties
        self._console = Console(highlight=False, soft_wrap=True)
        self._number = 0

    def walk(self, first: Artifact, second: Artifact) -> None:
        canaries = Canaries(self._parties.alice)
        one, two = str(first.release), str(second.release)
        self._step(f"Release {one} is published: current, in everybody's list.")
        old = self._publish(first)
        self._see(listed={"alice": [one], "bob": [one]})

        self._step(f"alice starts a server from {one}.")
        flavour = canaries.flavours(old)[0]
        with canaries.server(old.id, flavour) as server:
            self._step(f"Release {two} is published; {one} is superseded: out of the lists.")
            self._publish(second)
            self._see(
                listed={"alice": [two], "bob": [two]}, found={"alice": True, "bob": True}, of=old
            )

            self._step(f"Release {one} is retired: shared with its users only.")
            self._retire()
            self._see(
                listed={"alice": [two], "bob": [two]}, found={"alice": True, "bob": False}, of=old
            )

            self._step(f"alice rebuilds her server from {one}, as if nothing had happened.")
            canaries.rebuild(server, old.id)
            self._tell("alice's server was rebuilt and runs")

            self._step(f"bob tries to start a server from {one} by its id.")
            if not Canaries(self._parties.bob).is_refused(old.id, flavour):
                raise ImagecycleError(
                    f"bob could start a server from image {old.id}", hint="this is a defect"
                )
            self._tell("bob is told that there is no such image")
            self._step("alice deletes her server.")
        self._step(f"Nobody uses {one} any more: it is deleted.")
        self._retire()  # the grace period begins ...
        self._retire()  # ... and is over: it has no days here
        self._see(
            listed={"alice": [two], "bob": [two]}, found={"alice": False, "bob": False}, of=old
        )

    def _publish(self, artifact: Artifact) -> Image:
        target = target_of(self._family, artifact, self._side.site)
        with self._side.lock([self._family.slug], "tour"):
            return publish_in(self._side, target, artifact.disk)[0]

    def _retire(self) -> None:
        transitions.retire_releases(
            [self._family.slug], self._side.site, cloud=CLOUD, options=RetireOptions(now=True)
        )

    def _see(
        self,
        *,
        listed: dict[str, list[str]],
        found: dict[str, bool] | None = None,
        of: Image | None = None,
    ) -> None:
        """Print what both see, and compare it with what they should."""
        for name, releases in listed.items():
            who = self._parties.alice if name == "alice" else self._parties.bob
            seen = self._parties.lists(who)
            words = f"{name} lists {', '.join(seen) or 'nothing'}"
            right = seen == releases
            if found is not None and of is not None:
                there = self._parties.finds(who, of)
                release = of.properties[identity.RELEASE]
                words += f"; {release} by its id: {'there' if there else 'not found'}"
                right = right and there is found[name]
            self._tell(words)
            if not right:
                raise ImagecycleError(
                    f"{name} does not see what the life of a release promises: {words}",
                    hint="this is a defect; keep the audit log of devcloud",
                )

    def _step(self, text: str) -> None:
        self._number += 1
        self._console.print(f"\n[bold]{self._number}. {escape(text)}[/]")

    def _tell(self, text: str) -> None:
        self._console.print(f"   {escape(text)}")


@contextlib.contextmanager
def _swept(context: CloudContext, family: str) -> Iterator[None]:
    """No image of the tour before and after it."""

    def sweep() -> None:
        images = context.images.images(**{identity.FAMILY: family})
        for held in context.recognise(images).families.get(family, ()):
            context.images.delete(held.id)

    with context.lock(["tour"], "tour"):
        Canaries(open_cloud(ALICE, context.site)).remove_leftovers()
        sweep()
        try:
            yield
        finally:
            sweep()
