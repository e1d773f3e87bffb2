"""What imagecycle's classes beside Oz's own have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlparse

import oz
import oz.GuestFactory


def register(module: str, name: str, systems: Iterable[str]) -> None:
    """Let Oz's factory make guests of systems by a module of ours; may be called again.

    :param module: its name in Python.
    :param name: what the factory is to know it by.
    :param systems: their names in templates.
    """
    sys.modules[f"oz.{name}"] = sys.modules[module]
    setattr(oz, name, sys.modules[module])
    oz.GuestFactory.os_dict.update(dict.fromkeys(systems, name))


class LocalMedium:
    """Put before a class of Oz's: a medium on this machine is large, and read where it is."""

    orig_iso: str

    def _get_original_iso(self, isourl: str, *others: Any) -> None:
        if not isourl.startswith("file://"):
            super()._get_original_iso(isourl, *others)  # type: ignore[misc]
            return
        self.orig_iso = unquote(urlparse(isourl).path)
