"""The steps that plans are made of: each is one thing done to one image.

They are plain values; ``execution`` carries them out, and ``str`` says them in words for people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from imagecycle.errors import ImagecycleError

UPLOADING = "upload the disk"
"""How the words of an :class:`Upload` begin, also those that are kept in records"""
_NAMED = 5
"""Projects named in a line; of more, the rest is counted."""


@dataclass(frozen=True)
class Upload:
    """Make a private image, a candidate, and give it the disk of a release."""

    image_id: str = field(compare=False)
    family: str
    release: str
    name: str
    size: int
    """Of the disk's file, in bytes"""
    hashes: Mapping[str, str]
    """Of the disk: hexadecimal digests by Glance's name of the algorithm"""
    fields: Mapping[str, Any] = field(compare=False)
    method: str = "upload"
    """``upload``, or Glance's name of an import method"""
    stores: tuple[str, ...] = ()
    """Of a Glance that has several; none leaves the choice to it"""
    source: str = ""
    """The address that Glance takes the disk from, for ``web-download``"""

    def __str__(self) -> str:
        size = f"{self.size / 2**20:.1f} MiB"
        way = "" if self.method == "upload" else f" by {self.method}"
        way += f" from {self.source}" if self.source else ""
        way += f" to {', '.join(self.stores)}" if self.stores else ""
        return f'{UPLOADING} ({size}){way} as "{self.name}", private, image {self.image_id}'


@dataclass(frozen=True)
class Change:
    """Change fields and properties of one image, in one request.

    ``relies_on`` is an image that must be public and current when this one stops being so.
    """

    image_id: str
    what: str
    fields: Mapping[str, Any] = field(compare=False)
    """By name; None removes a property"""
    relies_on: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"image {self.image_id}: {self.what}"


@dataclass(frozen=True)
class Share:
    """Take an image from everyone but the projects that use it: to ``shared``, then its members.

    Between the two, its users cannot use it. ``back`` is what undoes the first change should
    anything fail; None when it must stay (a revocation).
    """

    image_id: str
    what: str
    first: Mapping[str, Any] = field(compare=False)
    """Fields of the change that makes it ``shared``"""
    members: tuple[str, ...] = ()
    """The projects that used it when the plan was made"""
    last: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Fields of the change that ends it, when all are members"""
    back: Mapping[str, Any] | None = field(default=None, compare=False)
    accept: bool = False
    """Accept on behalf of the members, so that the image is in their lists"""
    relies_on: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"image {self.image_id}: {self.what}"


@dataclass(frozen=True)
class SyncMembers:
    """Make the members of a shared image those who use it."""

    image_id: str
    what: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Fields of the change that ends it"""
    accept: bool = False

    def __str__(self) -> str:
        parts = [f"add {named(self.add)}"] if self.add else []
        parts += [f"remove {named(self.remove)}"] if self.remove else []
        return f"image {self.image_id}: {self.what}: {', '.join(parts) or 'as they are'}"


@dataclass(frozen=True)
class Discard:
    """Delete a private image that a publish left unfinished."""

    image_id: str
    why: str

    def __str__(self) -> str:
        return f"delete image {self.image_id}: {self.why}"


@dataclass(frozen=True)
class Delete:
    """Delete an image that nobody has used for the grace period."""

    image_id: str
    why: str

    def __str__(self) -> str:
        return f"delete image {self.image_id}: {self.why}"


Step = Upload | Change | Share | SyncMembers | Discard | Delete
_KINDS: Mapping[str, type[Step]] = {
    "upload": Upload,
    "change": Change,
    "share": Share,
    "sync_members": SyncMembers,
    "discard": Discard,
    "delete": Delete,
}


def named(projects: Collection[str]) -> str:
    """``1 project (a)`` or ``7 projects (a, b, c, d, e and 2 more)``."""
    shown = sorted(projects)
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    which = f" ({', '.join(shown[:_NAMED])}{more})" if shown else ""
    return f"{len(shown)} project{'' if len(shown) == 1 else 's'}{which}"


def members_digest(projects: Collection[str]) -> str:
    """What is written on an image about its members: how many, and a digest of their ids."""
    text = "\n".join(sorted(projects))
    return f"{len(projects)}:{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def as_document(step: Step) -> dict[str, Any]:
    """A step as JSON takes it."""
    kind = next(name for name, type_ in _KINDS.items() if type(step) is type_)
    return {"do": kind, "says": str(step), **asdict(step)}


def from_document(document: Mapping[str, Any]) -> Step:
    """:raises ImagecycleError: when it is no step that this version knows."""
    values = dict(document)
    kind = values.pop("do", None)
    values.pop("says", None)
    for name in ("members", "add", "remove", "stores"):
        if name in values:
            values[name] = tuple(values[name])
    try:
        return _KINDS[str(kind)](**values)
    except (KeyError, TypeError):
        raise ImagecycleError(
            f"a plan has a step that this imagecycle does not know: {kind}",
            hint="make the plan again with this version",
        ) from None
