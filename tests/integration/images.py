"""Images for tests that do not care what is in them."""

from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import CloudSession


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
