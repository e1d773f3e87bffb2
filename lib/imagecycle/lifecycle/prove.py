"""Proving that a retirement harms nobody, and hides the image from the rest.

As a user of a project that the image is shared with, and as a user of one that it is not: the
image and its data are read, and a canary server is started from it, rebuilt and resized. What a
resize does behind the API depends on the hypervisor: a real one fetches the image to the other
host with the user's token, as a download does; a simulated one fetches nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from imagecycle import log
from imagecycle.artifacts import lock_file
from imagecycle.cloud.canary import Canaries
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.flavours import Flavour
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.lifecycle import upload_records
from imagecycle.lifecycle.cloud_context import lock_path
from imagecycle.lifecycle.recognition import recognise
from imagecycle.site import Site

SLOWEST = 2**20
"""Bytes a second; a download that is slower than this for its whole length is given up."""
_SHORTEST_LIMIT = 120.0


class NotProven(ImagecycleError):
    """What a retirement promises does not hold."""


@dataclass(frozen=True)
class Proof:
    """One thing that was tried and held."""

    who: str
    """``user`` or ``stranger``"""
    what: str
    proves: str
    seconds: float


@dataclass(frozen=True)
class ProofUsers:
    """Who can show it, logged in: the images' operator, a user of one, and a stranger."""

    operator: CloudSession
    user: CloudSession
    stranger: CloudSession

    @classmethod
    def call(cls, cloud: str, site: Site, *, user_cloud: str, stranger_cloud: str) -> ProofUsers:
        """Log in to three entries of clouds.yaml.

        :raises UsageError: when user and stranger are of one project.
        """
        names = (cloud, user_cloud, stranger_cloud)
        called = cls(*(open_cloud(name, site) for name in names))
        if called.user.project_id == called.stranger.project_id:
            raise UsageError(
                f"{user_cloud} and {stranger_cloud} belong to the same project",
                hint="name a stranger of another project",
            )
        return called

    def refuse_owner(self, owner: str, what: str) -> None:
        """:raises UsageError: when one of them belongs to the project ``owner`` of an image."""
        for session in (self.user, self.stranger):
            if session.project_id == owner:
                raise UsageError(
                    f"{session.name} belongs to the project that owns {what}",
                    hint="name a user of another project; the owner sees its image always",
                )


def prove(
    cloud_name: str, site: Site, image_id: str, *, user_cloud: str, stranger_cloud: str
) -> Sequence[Proof]:
    """Show that a project that an image is shared with can go on, and that another cannot see it.

    :param user_cloud: an entry of clouds.yaml of a user whose project uses the image.
    :param stranger_cloud: an entry of one whose project does not.
    :returns: what was shown, in its order; it has been printed as well.
    :raises NotProven: naming what does not hold.
    :raises ImagecycleError: when it cannot be tried. Canary servers are deleted in any case.
    """
    called = ProofUsers.call(cloud_name, site, user_cloud=user_cloud, stranger_cloud=stranger_cloud)
    image = Glance(called.operator).image(image_id)
    called.refuse_owner(image.owner, f"image {image.id}")
    if recognise([image], upload_records.of_site(site)).copies:
        raise UsageError(
            f"image {image.id} is no release: its properties are copied ones",
            hint="`imagecycle status` tells which images are releases",
        )
    members = _members(called.operator, image)
    for session, wanted in ((called.user, True), (called.stranger, False)):
        if (session.project_id in members) is not wanted:
            how = "is not" if wanted else "is"
            raise UsageError(
                f"image {image.id} {how} shared with project {session.project_id} of "
                f"{session.name}",
                hint="`imagecycle usage` tells which projects use an image",
            )
    with _proving(called, site, image):
        return [*_as_user(called.user, image), *_as_stranger(called.stranger, image)]


def prove_retired(called: ProofUsers, site: Site, image_ids: Iterable[str]) -> None:
    """Show it for images that were retired just now, as far as these witnesses can.

    Of several images a user uses some, perhaps; what is not proven of the others is said. All are
    tried, also when one fails.

    :raises NotProven: naming what does not hold or could not be tried, by image; they stay retired.
    """
    failed: dict[str, ImagecycleError] = {}
    for image_id in image_ids:
        try:
            _prove_what_can_be(called, site, Glance(called.operator).image(image_id))
        except ImagecycleError as error:
            failed[image_id] = error
    if failed:
        raise NotProven(
            "\n".join(f"image {id_} is retired: {error.message}" for id_, error in failed.items()),
            hint="; ".join(dict.fromkeys(error.hint for error in failed.values() if error.hint)),
        )


def _prove_what_can_be(called: ProofUsers, site: Site, image: Image) -> None:
    members = _members(called.operator, image)
    user, stranger = called.user, called.stranger
    with _proving(called, site, image):
        if user.project_id in members:
            _as_user(user, image)
        else:
            log.warn(
                f"not proven that users of image {image.id} can go on: the project of {user.name} "
                "does not use it"
            )
        if stranger.project_id not in members:
            _as_stranger(stranger, image)
        else:
            log.warn(
                f"not proven that others do not see image {image.id}: the project of "
                f"{stranger.name} uses it"
            )


@contextlib.contextmanager
def _proving(called: ProofUsers, site: Site, image: Image) -> Iterator[None]:
    name = called.user.name
    with (
        lock_file(lock_path(site, name, "proof"), f"proofs as {name}", "prove"),
        log.step(f"proving image {image.id}"),
    ):
        yield


def _members(operator: CloudSession, image: Image) -> Collection[str]:
    if image.visibility != "shared":
        raise UsageError(
            f"image {image.id} is {image.visibility}, not shared: there is nothing to prove",
            hint="retire its release first: imagecycle retire",
        )
    return Glance(operator).members(image.id).keys()


def _as_user(session: CloudSession, image: Image) -> list[Proof]:
    glance, canaries = Glance(session), Canaries(session)
    canaries.remove_leftovers()
    flavours = canaries.flavours(image)
    proofs = []

    def shown(what: str, proves: str, work: Callable[[], None]) -> None:
        proofs.append(_shown("user", session.name, what, proves, work))

    shown(
        "reads the image",
        "its servers' image is there to be asked for by id",
        lambda: _same_image(glance, image),
    )
    shown(
        f"downloads its {image.size / 2**20:.1f} MiB, and they are what was published",
        "a hypervisor can fetch it for this user: resize, unshelve and migrate to another host",
        lambda: _download(glance, image),
    )
    began = time.monotonic()
    with canaries.server(image.id, flavours[0]) as server_id:
        started = time.monotonic() - began
        shown_text = f"starts a canary server, {flavours[0].name}"
        proofs.append(
            _say(Proof("user", shown_text, "new servers start from it by its id", started), session)
        )
        shown(
            "rebuilds the canary",
            "Nova still finds the image for this user; without membership this fails",
            lambda: canaries.rebuild(server_id, image.id),
        )
        other = _other(flavours)
        if other is None:
            log.say(f"{session.name} has no second flavour: the canary is not resized")
        else:
            shown(
                f"resizes the canary to {other.name}",
                "Nova accepts it; with a simulated hypervisor, only the API",
                lambda: canaries.resize(server_id, other),
            )
    return proofs


def _as_stranger(session: CloudSession, image: Image) -> list[Proof]:
    canaries = Canaries(session)
    flavour = canaries.flavours(image)[0]
    return [
        _shown(
            "stranger",
            session.name,
            "does not find the image",
            "nobody else sees it, not even by its id",
            lambda: _not_found(Glance(session), image, session.name),
        ),
        _shown(
            "stranger",
            session.name,
            "cannot start a server from it",
            "no new use of it can begin elsewhere",
            lambda: _not_started(canaries, image, flavour, session.name),
        ),
    ]


def _shown(who: str, cloud: str, what: str, proves: str, work: Callable[[], None]) -> Proof:
    began = time.monotonic()
    try:
        work()
    except NotProven:
        raise
    except ImagecycleError as error:
        raise NotProven(
            f"not proven that {cloud} {what}: {error.message}", hint=error.hint
        ) from None
    proof = Proof(who, what, proves, round(time.monotonic() - began, 3))
    log.say(f"{cloud} {what} ({proof.seconds:.1f} s): {proves}")
    return proof


def _say(proof: Proof, session: CloudSession) -> Proof:
    log.say(f"{session.name} {proof.what} ({proof.seconds:.1f} s): {proof.proves}")
    return proof


def _other(flavours: Sequence[Flavour]) -> Flavour | None:
    """A flavour to resize to: never one with a smaller disk."""
    first = flavours[0]
    return next((one for one in flavours[1:] if one.disk >= first.disk), None)


def _same_image(glance: Glance, image: Image) -> None:
    seen = glance.image(image.id)
    if (seen.hash_value, seen.size) != (image.hash_value, image.size):
        raise NotProven(
            f"{glance.cloud} sees image {image.id} with another size or hash than its owner",
            hint="see that both entries belong to the same cloud",
        )


def _download(glance: Glance, image: Image) -> None:
    limit = max(_SHORTEST_LIMIT, image.size / SLOWEST)
    deadline = time.monotonic() + limit
    digest = hashlib.new(image.hash_algo or "sha512")
    size = 0
    with log.transfer("download", image.size) as report:
        for piece in glance.download(image.id):
            digest.update(piece)
            size += len(piece)
            report(size)
            if time.monotonic() > deadline:
                raise NotProven(
                    f"{glance.cloud}: image {image.id} was not downloaded within {limit:.0f} s",
                    hint="look at the image store and the way to it, then prove it again",
                )
    if size != image.size or (image.hash_value and digest.hexdigest() != image.hash_value):
        raise NotProven(
            f"{glance.cloud}: what was downloaded of image {image.id} is not what was published "
            f"({size} bytes, {image.hash_algo} {digest.hexdigest()[:16]}...)",
            hint="look at the image store: servers cannot be made from this image",
        )


def _not_found(glance: Glance, image: Image, cloud: str) -> None:
    try:
        seen = glance.image(image.id)
    except Refused as refused:
        if refused.status == 404:
            return
        raise
    raise NotProven(
        f"{cloud} sees image {image.id}, which is {seen.visibility}",
        hint="is that user an administrator? Otherwise look at Glance's policy get_image",
    )


def _not_started(canaries: Canaries, image: Image, flavour: Flavour, cloud: str) -> None:
    if not canaries.is_refused(image.id, flavour):
        raise NotProven(
            f"{cloud} can start a server from image {image.id}",
            hint="is that user an administrator? Otherwise look at Nova's and Glance's policies",
        )
