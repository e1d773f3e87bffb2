"""The images of a plan, each read and changed only while it is what the plan was made for.

Before every change the image is read again. What is left is the time between that answer and the
change itself, one round trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from imagecycle.cloud.errors import Refused
from imagecycle.cloud.image import OWN_FIELDS, Image
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle.audit import AuditLog
from imagecycle.lifecycle.interfaces import Images, UsageSource
from imagecycle.lifecycle.plan import Changed
from imagecycle.metadata import identity
from imagecycle.model import ProjectUse, State

_WITHOUT_DATA = {"queued", "saving"}
"""Statuses of an image before its data has arrived, and after an upload that broke off"""


class GuardedImages:
    """The images of one cloud, as a plan saw them.

    :param found: the images of the plan's families, as the plan was made from them.
    :param usage: asks who uses images; None where no step needs it.
    """

    def __init__(
        self,
        images: Images,
        audit: AuditLog,
        found: Iterable[Image],
        *,
        usage: UsageSource | None = None,
    ) -> None:
        self.images = images
        self.audit = audit
        self.changed: dict[str, Image] = {}
        """By id: the images that were changed, as they are now"""
        self.expected = {image.id: image for image in found}
        self._usage = usage

    def made(self, image: Image) -> None:
        """Remember an image that was made just now."""
        self.expected[image.id] = self.changed[image.id] = image

    def unchanged(self, image_id: str) -> Image:
        """Read an image again.

        :raises Changed: when it is not what it was.
        """
        try:
            found = self.images.image(image_id)
        except Refused as refused:
            if refused.status != 404:
                raise
            raise Changed(self.images.cloud, f"image {image_id} is gone") from None
        if not is_same(found, self.expected.get(image_id)):
            raise Changed(self.images.cloud, f"somebody changed image {image_id}")
        return found

    def require_current(self, image_id: str) -> None:
        """See that an image is current, before another stops being so in its favour.

        :raises Changed: when it is not.
        """
        if not is_current(self.images.image(image_id)):
            raise Changed(self.images.cloud, f"image {image_id} is not current any more")

    def change(self, before: Image, fields: Mapping[str, Any]) -> Image:
        """Change an image that was just read again, and remember what it is now.

        :raises Changed: when something else was changed in that moment.
        """
        after = self.images.change(before.id, fields)
        expected = {**_fields(before), **_written(fields)}
        for name in [name for name, value in fields.items() if value is None]:
            expected.pop(name, None)
        if _fields(after) != expected:
            if identity.REVOKED_AT in after.properties.keys() - before.properties.keys():
                # our change came on top of a revocation, which outranks everything
                visibility = "shared" if after.visibility == "public" else after.visibility
                again = {
                    "visibility": visibility,
                    "os_hidden": True,
                    identity.STATE: State.REVOKED.value,
                }
                self.images.change(before.id, again)
            raise Changed(self.images.cloud, f"somebody else changed image {before.id} just now")
        self.made(after)
        return after

    def users(self, image_id: str, owner: str, *, own: bool = False) -> frozenset[str]:
        """The projects that use an image at this moment, without its owner unless ``own``."""
        return frozenset(self.use(image_id, owner, own=own))

    def use(self, image_id: str, owner: str, *, own: bool = False) -> Mapping[str, ProjectUse]:
        """The same with what each of them made from the image."""
        if self._usage is None:
            raise ImagecycleError(
                f"{self.images.cloud}: nothing is taken away without a usage listing",
                hint="this is a defect of imagecycle; report it",
            )
        found = self._usage([image_id]).by_image.get(image_id, {})
        return {project: use for project, use in found.items() if own or project != owner}


def is_same(found: Image, expected: Image | None) -> bool:
    """Whether nobody has changed an image; Glance itself notices late that an upload broke off."""
    if expected is not None and {found.status, expected.status} <= _WITHOUT_DATA:
        found = replace(found, status=expected.status, updated_at=expected.updated_at)
    return found == expected


def _fields(image: Image) -> dict[str, object]:
    """What changes of ours leave alone or set: everything but when it was changed."""
    return {name: value for name, value in image.facts().items() if name != "updated_at"}


def _written(fields: Mapping[str, Any]) -> dict[str, object]:
    return {
        name: value if name in OWN_FIELDS else str(value)
        for name, value in fields.items()
        if value is not None
    }


def is_current(image: Image) -> bool:
    """Whether a release is the one that everybody is offered."""
    state = image.properties.get(identity.STATE)
    return image.visibility == "public" and state == State.CURRENT.value
