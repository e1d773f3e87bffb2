"""What a user finds in a cloud, as opposed to what its owner manages there."""

from __future__ import annotations

from typing import Any

from imagecycle.cloud.errors import explained
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import ANSWER_LIMIT, CloudSession


def listed(cloud: CloudSession, **properties: str) -> list[Image]:
    """The images with these properties in a user's ordinary list, the newest first."""
    found: list[Image] = []
    query: dict[str, Any] | None = {**properties, "sort": "created_at:desc,id:asc"}
    page: str | None = "/images"
    while page is not None:
        with explained(cloud.name, "list images"):
            answer = cloud.session.get(
                f"{cloud.image_url}{page}",
                params=query,
                connect_retries=2,
                timeout=cloud.session.timeout or ANSWER_LIMIT,
            ).json()
        found += [Image.from_document(document) for document in answer["images"]]
        page = answer.get("next", "").removeprefix("/v2") or None
        query = None  # the address of the next page has it already
    return found
