"""What a user finds in a cloud, as opposed to what its owner manages there."""

from __future__ import annotations

from typing import Any

from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession


def listed(cloud: CloudSession, **properties: str) -> list[Image]:
    """The images with these properties in a user's ordinary list, the newest first."""
    found: list[Image] = []
    query: dict[str, Any] | None = {**properties, "sort": "created_at:desc,id:asc"}
    page: str | None = "/images"
    while page is not None:
        address = f"{cloud.image_url}{page}"
        answer = cloud.call("list images", "GET", address, retries=2, params=query).json()
        found += [Image.from_document(document) for document in answer["images"]]
        page = answer.get("next", "").removeprefix("/v2") or None
        query = None  # the address of the next page has it already
    return found
