"""Glance's interoperable image import: the ways other than a direct upload.

See the Image service API, version 2, "Interoperable image import" and "Tasks of an image".
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from imagecycle.cloud.errors import Refused
from imagecycle.cloud.session import CloudSession
from imagecycle.errors import ImagecycleError

LIMIT = 7200.0
"""Seconds that Glance may take to import an image."""
PAUSE = 0.5
"""Seconds between two looks at an import."""
_ENDED = ("success", "failure")


class ImageImport:
    """Imports in one cloud. Every call raises ``Refused`` or ``Unreachable`` when it fails."""

    def __init__(self, cloud: CloudSession) -> None:
        self._cloud = cloud

    def stores(self) -> list[str]:
        """The stores that this Glance has; none when it has but one without a name."""
        try:
            found = self._call("list the image stores", "GET", "/info/stores").json()["stores"]
        except Refused as refused:
            if refused.status == 404:
                return []
            raise
        return [one["id"] for one in found if not one.get("read-only")]

    def methods(self) -> list[str]:
        """The import methods that this Glance offers."""
        answer = self._call("list the import methods", "GET", "/info/import").json()
        return list(answer["import-methods"]["value"])

    def run(
        self, image_id: str, method: str, *, stores: Sequence[str] = (), source: str = ""
    ) -> None:
        """Import data into an image, and wait until all is there.

        :param method: Glance's name: ``glance-direct``, ``web-download`` or ``copy-image``.
        :param stores: that shall hold the image, all of them; none leaves the choice to Glance.
        :param source: the address to take the data from, for ``web-download``.
        :raises ImagecycleError: when the import fails or takes too long.
        """
        how: dict[str, Any] = {"name": method, **({"uri": source} if source else {})}
        asked: dict[str, Any] = {"method": how}
        if stores:
            asked |= {"stores": list(stores), "all_stores_must_succeed": True}
        before = {task["id"] for task in self._tasks(image_id)}
        path = f"/images/{image_id}/import"
        self._call(f"import image {image_id}", "POST", path, retries=0, json=asked)
        deadline = time.monotonic() + LIMIT
        while True:
            tasks = [task for task in self._tasks(image_id) if task["id"] not in before]
            if tasks and all(task["status"] in _ENDED for task in tasks):
                return self._see_success(image_id, method, tasks)
            if time.monotonic() >= deadline:
                raise ImagecycleError(
                    f"{self._cloud.name}: the import of image {image_id} has taken {LIMIT:.0f} s",
                    hint="read Glance's log, then run this again",
                )
            time.sleep(PAUSE)

    def _see_success(self, image_id: str, method: str, tasks: Sequence[Mapping[str, Any]]) -> None:
        for task in tasks:
            if task["status"] == "failure":
                raise ImagecycleError(
                    f"{self._cloud.name}: the import of image {image_id} by {method} failed: "
                    f"{task.get('message') or 'Glance does not say why'}",
                    hint="with web-download, Glance must reach the address and be allowed to; "
                    "its log says more",
                )

    def _tasks(self, image_id: str) -> list[Mapping[str, Any]]:
        path = f"/images/{image_id}/tasks"
        answer = self._call(f"follow the import of image {image_id}", "GET", path, retries=3)
        return list(answer.json()["tasks"])

    def _call(self, doing: str, method: str, path: str, **more: Any) -> Any:
        address = f"{self._cloud.image_url}{path}"
        return self._cloud.call(doing, method, address, **{"retries": 2, **more})
