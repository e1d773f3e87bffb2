"""What a user finds in a cloud, as opposed to what its owner manages there."""

from __future__ import annotations

from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession


def listed(cloud: CloudSession, **properties: str) -> list[Image]:
    """The images with these properties in a user's ordinary list, the newest first."""
    return list(Glance(cloud).listed(properties, sort="created_at:desc,id:asc"))
