"""Which images of a project are releases, and which only carry copied properties.

An image is a release if its properties name its own id. Before imagecycle wrote that id, nothing
in an image told a release from a copy of it, so for such an image the records of this machine are
asked: the audit log, or the release's ``publish.json``, names the id of each image that imagecycle
has uploaded or adopted, and no id is ever given twice. What they do not name is a copy, or cannot
be told from one; then it is shown, and nothing is decided from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from imagecycle.cloud.image import Image
from imagecycle.lifecycle.releases import Holding, holdings
from imagecycle.metadata import identity

Records = Callable[[], Collection[str]]
"""Asks for the ids of the images that are known to have been uploaded or adopted"""
_OF_NOVA = ("image_type", "base_image_ref", "instance_uuid")
"""What Nova adds to a snapshot or backup of a server"""
_OF_A_CLIENT = "owner_specified.openstack."
"""What the openstack client adds to an image that a person uploads"""


@dataclass(frozen=True)
class Copy:
    """An image that carries imagecycle's properties and is no release."""

    image: Image
    of: str
    """The id of the release that they come from; empty when nothing tells"""
    what: str
    """What it is, in words"""
    certain: bool = True
    """False: it may be a release that was published before releases named their ids"""

    @property
    def family(self) -> str:
        return self.image.properties.get(identity.FAMILY, "")

    @property
    def release(self) -> str:
        return self.image.properties.get(identity.RELEASE, "")

    def __str__(self) -> str:
        return f"image {self.image.id} ({self.family} {self.release})"


@dataclass(frozen=True)
class Contents:
    """What a project's images are."""

    families: dict[str, list[Holding]]
    """The releases by family, each family's oldest first"""
    copies: Sequence[Copy]

    def unsure(self, family: str | None = None) -> list[Copy]:
        """What cannot be told from a release, of one family or of all."""
        return [one for one in self.copies if not one.certain and family in (None, one.family)]


def recognise(images: Iterable[Image], records: Records) -> Contents:
    """Tell releases from copies.

    :param images: of one project.
    :param records: asked only when an image is there whose properties name no id.
    :raises ImagecycleError: when the properties of a release make no sense.
    """
    images = list(images)
    strange = [
        image
        for image in images
        if identity.is_carried_by(image) and not identity.names_itself(image)
    ]
    recorded = records() if any(_may_be_older(image) for image in strange) else ()
    families = holdings(images, recorded)
    ours = {held.id for family in families.values() for held in family}
    known = {(held.family, str(held.release)): held.id for f in families.values() for held in f}
    return Contents(families, [_copy(image, known) for image in strange if image.id not in ours])


def _may_be_older(image: Image) -> bool:
    return identity.FAMILY in image.properties and identity.IMAGE_ID not in image.properties


def _copy(image: Image, known: dict[tuple[str, str], str]) -> Copy:
    properties = image.properties
    family, release = (properties.get(name, "") for name in (identity.FAMILY, identity.RELEASE))
    of = properties.get(identity.IMAGE_ID) or known.get((family, release), "")
    if any(name in properties for name in _OF_NOVA):
        return Copy(image, of, "a snapshot of a server")
    if identity.FAMILY not in properties:
        return Copy(image, "" if of == image.id else of, "what is left of copied properties")
    if of:
        return Copy(image, of, "made from a volume, or copied by hand")
    recorded = properties.get(identity.DISK_SHA512)
    if recorded and image.hash_algo == "sha512" and image.hash_value != recorded:
        return Copy(image, of, "made from a volume, or copied by hand: its data is another")
    by_hand = any(name.startswith(_OF_A_CLIENT) for name in properties)
    if by_hand and identity.ADOPTED_AT not in properties:
        return Copy(image, of, "uploaded by hand")
    return Copy(image, of, "a copy, or a release of which this machine has no record", False)
