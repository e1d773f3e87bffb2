"""What the image itself tells contextualisation; see cloud-init's documentation, "Configuration
sources"."""

from __future__ import annotations

import functools
from typing import Any

import yaml

from imagecycle.verify.pristine import Pristine

FILES = ("/etc/cloud/cloud.cfg", "/etc/cloud/cloud.cfg.d/*.cfg")
"""In the order in which they are read: what a later one says counts"""


def read(pristine: Pristine, path: str) -> dict[str, Any] | str:
    """What a file says, or why that cannot be told."""
    return _said(pristine.text(path))


@functools.lru_cache(maxsize=64)
def _said(text: str) -> dict[str, Any] | str:
    """The same of a text; many checks ask."""
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return "is no YAML: " + " ".join(str(error).split())[:100]
    if said is not None and not isinstance(said, dict):
        return "holds no keys"
    return said or {}


def all_of(pristine: Pristine) -> list[tuple[str, dict[str, Any]]]:
    """What every file says, those left out that cannot be read."""
    read_ = ((path, read(pristine, path)) for path in pristine.found(*FILES))
    return [(path, said) for path, said in read_ if isinstance(said, dict)]
