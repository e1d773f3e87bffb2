"""What a build depends on, as one digest: nothing is built again while it stays the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from imagecycle.model import Family, GuestFile

BUILDER = 4
"""Raise this when the same inputs give another image than before."""


def digest_of(value: object) -> str:
    """The sha256 of a value's canonical JSON, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def digest(family: Family, installation: str, compression: str) -> str:
    """The digest of a build's inputs.

    :param installation: the digest of the installation that it starts from.
    """
    return digest_of(
        {**of_flavour(family, compression), "family": family.slug, "installation": installation}
    )


def of_flavour(family: Family, compression: str) -> dict[str, Any]:
    """What a build adds to its installation, by name."""
    return {
        "builder": BUILDER,
        "packages": family.packages,
        "files": [[file.path, *of_file(file)] for file in family.files],
        "commands": family.commands,
        **_only_where_said(family),
        "compression": compression,
        **({"windows": asdict(family.windows)} if family.windows else {}),
    }


def of_file(file: GuestFile) -> list[object]:
    """What counts of a file."""
    content = hashlib.sha256(file.data()).hexdigest()
    return [content, file.mode, file.owner, file.group]


def _only_where_said(family: Family) -> dict[str, Any]:
    """What few flavours have; the digest of the others is as it was before there was any."""
    found: dict[str, Any] = {
        "repositories": {
            one.name: [
                one.url,
                one.suite,
                one.components,
                one.keep,
                hashlib.sha256(one.key.read_bytes()).hexdigest(),
            ]
            for one in family.repositories
        },
        "services": {one.unit: "on" if one.on else "off" for one in family.services},
        "flavour's disk": family.disk_gib if family.smaller_disk_gib else None,
    }
    return {name: value for name, value in found.items() if value}


def _plain(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} has no place in a digest")
