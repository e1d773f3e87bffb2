"""The usage stage: who depends on an image, on a family's releases, or on all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imagecycle import log
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.projects import Contact, contacts
from imagecycle.cloud.session import open_cloud
from imagecycle.cloud.usage import collect
from imagecycle.errors import UnknownName, UsageError
from imagecycle.metadata import identity
from imagecycle.model import ProjectUse, Usage
from imagecycle.site import Site

_IMAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Report:
    """Who uses which of these images, and who that is."""

    cloud: str
    usage: Usage
    images: Sequence[Image]
    """By family and release, oldest first"""
    contacts: Mapping[str, Contact]

    def uses(self, image: Image) -> list[tuple[Contact, ProjectUse]]:
        """The projects that use an image, by name."""
        found = self.usage.by_image.get(image.id, {})
        named = [(self.contacts[project], use) for project, use in found.items()]
        return sorted(named, key=lambda entry: (entry[0].name, entry[0].project))


def gather(site: Site, cloud: str, subject: str | None) -> Report:
    """Look through a cloud for the users of images.

    :param subject: an image's id or a family; None for every image that imagecycle published.
    :raises UnknownName: when the cloud has no image of that family.
    :raises Incomplete: when any user could be missing.
    """
    session = open_cloud(cloud, site)
    images = _images(Glance(session), subject)
    with log.step(f"listing who uses {_count(len(images), 'image')} of {cloud}"):
        usage = collect(session, images=[image.id for image in images])
        projects = {project for image in images for project in usage.by_image.get(image.id, ())}
        named = contacts(session, projects)
    return Report(cloud, usage, images, named)


def _images(glance: Glance, subject: str | None) -> list[Image]:
    if subject is not None and _IMAGE_ID.fullmatch(subject):
        return [_image(glance, subject)]
    if subject is not None:
        found = glance.images(**{identity.FAMILY: subject})
    else:
        found = [image for image in glance.images() if identity.FAMILY in image.properties]
    if subject is not None and not found:
        known = {image.properties.get(identity.FAMILY, "") for image in glance.images()} - {""}
        raise UnknownName(
            f"family in {glance.cloud}",
            subject,
            known,
            hint="name an image's id, or a family that this entry's project has published there",
        )
    return sorted(found, key=_place)


def _image(glance: Glance, image_id: str) -> Image:
    try:
        return glance.image(image_id)
    except Refused as refused:
        if refused.status != 404:
            raise
        raise UsageError(
            f"there is no image {image_id} in {glance.cloud}", hint="name its id or its family"
        ) from None


def _place(image: Image) -> tuple[str, str, str]:
    names = (identity.FAMILY, identity.RELEASE)
    family, release = (image.properties.get(name, "") for name in names)
    return family, release, image.created_at


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
