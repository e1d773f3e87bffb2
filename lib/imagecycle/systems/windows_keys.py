"""Product keys of Windows, by kind: public ones of the catalog, and secrets of the site.

A KMS client key is public and activates nothing by itself. Keys of the kinds ``mak`` and ``retail``
are the site's secrets: they stand in a file that ``IMAGECYCLE_PRODUCT_KEYS`` names, such as a
credential of Jenkins, and reach nothing but the answer file of the installation.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from imagecycle.errors import UsageError, suggestion

VARIABLE = "IMAGECYCLE_PRODUCT_KEYS"
KINDS = ("kms", "mak", "retail", "evaluation")
"""Volume licence by the site's KMS host or by a key of its own, retail licence, none"""
SECRET = ("mak", "retail")
EVALUATION = "Eval"
"""How the edition of an evaluation medium ends."""
_FORM = re.compile(r"([BCDFGHJKMPQRTVWXY2346789N]{5}-){4}[BCDFGHJKMPQRTVWXY2346789N]{5}")
_EXAMPLE = "five groups of five letters and digits"


@dataclass(frozen=True)
class ProductKey:
    """A key that shows itself to nobody who does not ask for it."""

    text: str = field(default="", repr=False)

    def __str__(self) -> str:
        return "*****" if self.text else "no key"


def is_key(text: str) -> bool:
    """Whether a text has the form of a product key."""
    return _FORM.fullmatch(text) is not None


def unfit(edition: str, kind: str) -> str:
    """Why a kind of key does not go with an edition; empty when it does."""
    evaluation = edition.endswith(EVALUATION)
    if evaluation and kind != "evaluation":
        return (
            f"{edition} is an evaluation edition and takes no {kind} key; "
            "take a volume or retail medium, or key: evaluation"
        )
    if not evaluation and kind == "evaluation":
        return f"{edition} is no evaluation edition and needs a key; those end with {EVALUATION}"
    return ""


def secret(name: str, environment: Mapping[str, str] = os.environ) -> ProductKey:
    """A key of the site's file.

    :param name: of the key there: ``windows-2022-ServerStandard-mak``.
    :raises UsageError: when it cannot be had; the message never shows a key.
    """
    place = environment.get(VARIABLE, "")
    if not place:
        raise UsageError(
            f"the product key {name} is a secret of the site, and {VARIABLE} names no file",
            hint=f"write a line `{name}: KEY` to a file that only you can read, and name it",
        )
    keys = _read(Path(place))
    if name not in keys:
        raise UsageError(
            f"{place} holds no product key {name}{suggestion(name, keys)}",
            hint=f"add a line `{name}: KEY`",
        )
    if not is_key(keys[name]):
        raise UsageError(
            f"{place}: {name} is no product key", hint=f"a key has {_EXAMPLE}, as XXXXX-XXXXX-..."
        )
    return ProductKey(keys[name])


def _read(path: Path) -> Mapping[str, str]:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise UsageError(f"{path} can be read by others than you", hint=f"run chmod 600 {path}")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"the product keys in {path} cannot be read: {error.strerror}",
            hint=f"check {VARIABLE}",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
        raise UsageError(
            f"{path} is no list of product keys",
            hint="expected lines such as `windows-2022-ServerStandard-mak: KEY`",
        )
    return {str(name): key.strip().upper() for name, key in content.items()}
