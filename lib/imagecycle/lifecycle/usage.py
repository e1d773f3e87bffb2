"""The usage stage: who depends on an image, on a family's releases, or on all of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from imagecycle import log
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.projects import Contact, contacts
from imagecycle.cloud.session import open_cloud
from imagecycle.cloud.usage import collect
from imagecycle.errors import UnknownName, UsageError
from imagecycle.lifecycle import upload_records
from imagecycle.lifecycle.recognition import recognise
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
    copies: Collection[str] = ()
    """Ids of those images that only have a release's properties"""

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
    images = _images(Glance(session), subject, site)
    with log.step(f"listing who uses {_count(len(images), 'image')} of {cloud}"):
        usage = collect(session, images=[image.id for image in images])
        projects = {project for image in images for project in usage.by_image.get(image.id, ())}
        named = contacts(session, projects)
    copies = recognise(images, upload_records.of_site(site)).copies
    return Report(cloud, usage, images, named, [one.image.id for one in copies])


def _images(glance: Glance, subject: str | None, site: Site) -> list[Image]:
    if subject is not None and _IMAGE_ID.fullmatch(subject):
        return [_image(glance, subject)]
    found = glance.images(**({identity.FAMILY: subject} if subject else {}))
    families = recognise(found, upload_records.of_site(site)).families
    if subject is not None and subject not in families:
        known = recognise(glance.images(), upload_records.of_site(site)).families
        raise UnknownName(
            f"family in {glance.cloud}",
            subject,
            known,
            hint="name an image's id, or a family that this entry's project has published there",
        )
    return [held.image for family in sorted(families) for held in families[family]]


def _image(glance: Glance, image_id: str) -> Image:
    try:
        return glance.image(image_id)
    except Refused as refused:
        if refused.status != 404:
            raise
        raise UsageError(
            f"there is no image {image_id} in {glance.cloud}", hint="name its id or its family"
        ) from None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
