"""What the life of a release asks of a cloud: the doors that plans are carried out through.

``cloud.glance.Glance`` and ``cloud.usage.collect`` are behind them, and a cloud in memory in the
tests of the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, BinaryIO, Protocol

from imagecycle.cloud.image import Image
from imagecycle.cloud.image_import import ImageImport
from imagecycle.model import Usage

UsageSource = Callable[[Collection[str]], Usage]
"""Asks who uses these images; an incomplete listing is an exception."""


class Images(Protocol):
    """The images of our project in one cloud; see :class:`imagecycle.cloud.glance.Glance`."""

    @property
    def cloud(self) -> str: ...

    @property
    def project_id(self) -> str: ...

    def images(self, **properties: str) -> list[Image]: ...

    def image(self, image_id: str) -> Image: ...

    def create(self, fields: Mapping[str, Any]) -> Image: ...

    def upload(
        self,
        image_id: str,
        stream: BinaryIO,
        size: int,
        report: Callable[[int], None],
        *,
        store: str = "",
    ) -> None: ...

    def stage(
        self, image_id: str, stream: BinaryIO, size: int, report: Callable[[int], None]
    ) -> None: ...

    @property
    def importing(self) -> ImageImport: ...

    def change(self, image_id: str, fields: Mapping[str, Any]) -> Image: ...

    def delete(self, image_id: str) -> bool: ...

    def members(self, image_id: str) -> dict[str, str]: ...

    def add_members(
        self,
        image_id: str,
        projects: Collection[str],
        *,
        accept: bool = False,
        within: float | None = None,
    ) -> list[str]: ...

    def accept_members(self, image_id: str, projects: Collection[str]) -> None: ...

    def remove_members(self, image_id: str, projects: Collection[str]) -> None: ...
