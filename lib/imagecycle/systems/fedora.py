"""Fedora, whose installer and package manager those of Red Hat become some years later."""

from __future__ import annotations

from typing import ClassVar

from imagecycle.systems.redhat import RedHat


class Fedora(RedHat):
    """Fedora 40 and later."""

    name = "Fedora"
    distros: ClassVar[tuple[str, ...]] = ("fedora",)
