"""Glance's interoperable image import: the ways other than a direct upload.

Through python-glanceclient. See the Image service API, version 2, "Interoperable image import" and
"Tasks of an image".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

from imagecycle.cloud import clients
from imagecycle.cloud.errors import Refused, explained
from imagecycle.cloud.session import CloudSession, Retries
from imagecycle.errors import ImagecycleError

LIMIT = 7200.0
"""Seconds that Glance may take to import an image."""
PAUSE = 0.5
"""Seconds between two looks at an import."""
_ENDED = ("success", "failure")
_RETRIES: Mapping[str, Retries] = {"GET": Retries(3)}


class ImageImport:
    """Imports in one cloud. Every call raises ``Refused`` or ``Unreachable`` when it fails."""

    def __init__(self, cloud: CloudSession) -> None:
        self._cloud = cloud

    @cached_property
    def _client(self) -> Any:
        return clients.glance(self._cloud, _RETRIES)

    def stores(self) -> list[str]:
        """The stores that this Glance has; none when it has but one without a name."""
        try:
            with self._doing("list the image stores"):
                found = self._client.images.get_stores_info()["stores"]
        except Refused as refused:
            if refused.status == 404:
                return []
            raise
        return [one["id"] for one in found if not one.get("read-only")]

    def methods(self) -> list[str]:
        """The import methods that this Glance offers."""
        with self._doing("list the import methods"):
            return list(self._client.images.get_import_info()["import-methods"]["value"])

    def run(
        self,
        image_id: str,
        method: str,
        *,
        stores: Sequence[str] = (),
        source: str = "",
        before_each_look: Callable[[], None] = lambda: None,
    ) -> None:
        """Import data into an image, and wait until all is there.

        :param method: Glance's name: ``glance-direct``, ``web-download`` or ``copy-image``.
        :param stores: that shall hold the image, all of them; none leaves the choice to Glance.
        :param source: the address to take the data from, for ``web-download``.
        :param before_each_look: ends the wait by what it raises.
        :raises ImagecycleError: when the import fails or takes too long.
        """
        before = {task["id"] for task in self._tasks(image_id)}
        with self._doing(f"import image {image_id}"):
            self._client.images.image_import(
                image_id,
                method,
                uri=source or None,
                stores=list(stores) or None,
                # all stores must succeed: what Glance wants unless it is told otherwise
                allow_failure=False,
            )
        deadline = time.monotonic() + LIMIT
        while True:
            before_each_look()
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
        with self._doing(f"follow the import of image {image_id}"):
            # glanceclient's own method asks for Glance's versions first, each time
            _, document = self._client.http_client.get(f"/v2/images/{image_id}/tasks")
        return list(document["tasks"])

    def _doing(self, what: str) -> AbstractContextManager[None]:
        return explained(self._cloud.name, what)
