"""Bringing a disk into an image in another way than by upload."""

from __future__ import annotations

import contextvars
import io
import threading
from functools import cached_property
from types import SimpleNamespace
from typing import Any, cast

import pytest

from imagecycle.cloud import image_import
from imagecycle.cloud.image_import import ImageImport
from imagecycle.cloud.session import CloudSession
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import uploading
from imagecycle.lifecycle.interfaces import Images
from imagecycle.lifecycle.steps import Upload


class Endless(ImageImport):
    """An import that Glance never ends; ``event`` is set at the third look at it."""

    def __init__(self, event: threading.Event) -> None:
        super().__init__(cast("CloudSession", SimpleNamespace(name="lab")))
        self.event = event
        self.looks = 0

    @cached_property
    def _client(self) -> Any:
        return SimpleNamespace(images=SimpleNamespace(image_import=lambda *_, **__: None))

    def _tasks(self, image_id: str) -> list[Any]:
        self.looks += 1
        if self.looks == 3:
            self.event.set()
        return [{"id": "1", "status": "processing"}] if self.looks > 1 else []


def test_an_interrupt_ends_the_wait_for_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_import, "PAUSE", 0.0)
    event = threading.Event()
    endless = Endless(event)
    images = cast("Images", SimpleNamespace(importing=endless))
    source = "https://artifacts.example/disk"
    step = Upload("1", "f", "20261122", "name", 4, {}, {}, "web-download", (), source)

    def bring() -> None:
        uploading.stop_when(event)
        uploading._deliver(images, step, io.BytesIO(b"disk"))

    with pytest.raises(KeyboardInterrupt):
        contextvars.copy_context().run(bring)
    assert endless.looks == 3


def test_an_import_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_import, "PAUSE", 0.0)
    monkeypatch.setattr(image_import, "LIMIT", 0.0)
    with pytest.raises(ImagecycleError, match="the import of image 1 has taken 0 s"):
        Endless(threading.Event()).run("1", "glance-direct")
