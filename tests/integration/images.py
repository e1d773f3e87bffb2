"""Images for tests that do not care what is in them."""

import io
import uuid

from families import FAMILY
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession
from imagecycle.metadata import identity


def make_image(cloud: CloudSession, name: str = "image") -> str:
    glance = Glance(cloud)
    image = glance.create(
        {"name": name, "disk_format": "raw", "container_format": "bare", "visibility": "public"}
    )
    cloud.session.put(
        f"{cloud.image_url}/images/{image.id}/file",
        data=b"an operating system",
        headers={"Content-Type": "application/octet-stream"},
    )
    return image.id


def make_release(
    glance: Glance,
    release: str,
    state: str = "current",
    *,
    data: bytes = b"data",
    visibility: str = "public",
    name: str = "",
    **properties: str,
) -> Image:
    """A release as imagecycle leaves it: its properties name its own id.

    :param data: empty leaves the image queued, as an upload that has not come does.
    """
    image_id = str(uuid.uuid4())
    made = glance.create(
        {
            "id": image_id,
            "name": name or f"image {release}",
            "container_format": "bare",
            "disk_format": "raw",
            "visibility": visibility,
            identity.IMAGE_ID: image_id,
            identity.FAMILY: FAMILY.slug,
            identity.RELEASE: release,
            identity.STATE: state,
            **properties,
        }
    )
    if data:
        glance.upload(made.id, io.BytesIO(data), len(data), lambda _: None)
        made = glance.image(made.id)
    return made
