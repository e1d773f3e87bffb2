"""A release as users of a cloud see it: what its image says, checked and made fit to be shown."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError
from imagecycle.metadata import identity, property_types, schema
from imagecycle.model import Release, State
from imagecycle.offering.plain_text import plain

_LONGEST_SLUG = 150
"""Of a family's slug, which is part of file names"""
_LARGEST_SERIAL = 999_999_999
"""Of a release, likewise"""
_OF_NO_CONCERN = frozenset(
    [
        identity.IMAGE_ID,
        identity.SHARED_WITH,
        identity.UNUSED_SINCE,
        identity.INPUT_DIGEST,
        "os_admin_user",
    ]
)
"""Of the operator's own book-keeping, or said by another property too"""
_OF_THE_MACHINE = re.compile(r"^(hw_[a-z0-9_]{1,60}|trait:[A-Z0-9_]{1,100})$")
"""Properties that Nova reads, beyond the schema"""
_SLUG = re.compile(r"^(?P<distro>[^-]+)-(?P<version>[^-]+)-(?P<arch>[^-]+)-(?P<flavour>.+)$")


class NotForShow(ImagecycleError):
    """An image that says it is a release, and whose identity makes no sense."""


@dataclass(frozen=True)
class OfferedRelease:
    """What is told of one release. All text is one line; times are UTC, ``2026-11-22T12:00:00Z``,
    and empty where nothing tells."""

    family: str
    release: str
    state: str
    image_id: str
    name: str
    title: str
    """Of the family, for people: ``Debian 12 Server``"""
    system: str
    """``Debian 12``"""
    description: str
    distro: str
    version: str
    os_type: str
    architecture: str
    flavour: str
    login: str
    size: int
    """Of the download, in bytes"""
    min_disk: int
    """GiB"""
    min_ram: int
    """MiB"""
    published_at: str
    built_at: str
    verified_at: str
    checks: int | None
    end_of_support: str
    """A date"""
    superseded_at: str
    retired_at: str
    revoked_at: str
    revoked_reason: str
    successor: str
    """The id of the image to use instead"""
    properties: Mapping[str, str] = field(default_factory=dict)
    """The properties of the schema that make sense, and those of the virtual machine"""

    @property
    def order(self) -> str:
        """Sorts the releases of a family as text."""
        day, _point, serial = self.release.partition(".")
        return f"{day}.{serial:0>9}"

    @property
    def date(self) -> str:
        """The day of the build: ``2026-11-22``."""
        return Release.parse(self.release).date.isoformat()

    @property
    def for_everyone(self) -> bool:
        """Whether everybody in the cloud can use it."""
        return self.state in (State.CURRENT.value, State.SUPERSEDED.value)


def of_image(image: Image) -> OfferedRelease:
    """What is told of an image that is a release.

    What makes no sense is left out, except for its identity.

    :raises NotForShow: when its family, release or state is none.
    """
    family = image.properties.get(identity.FAMILY, "")
    if not _is_family(family):
        raise NotForShow(f"image {image.id}: {plain(family, 80)!r} is no family")
    try:
        known = identity.parse(image.properties)
    except ImagecycleError as error:
        raise NotForShow(f"image {image.id}: {plain(error.message, 300)}") from None
    if known.release.serial > _LARGEST_SERIAL:
        raise NotForShow(f"image {image.id}: {plain(known.release, 80)} is no release of one day")
    said = _sensible(image.properties)
    from_slug = _SLUG.match(family)
    parts = from_slug.groupdict() if from_slug else {}
    distro = said.get("os_distro") or parts.get("distro", family)
    version = said.get("os_version") or parts.get("version", "")
    flavour = said.get(identity.FLAVOUR) or parts.get("flavour", "")
    title, description = _title(said.get("image_description", ""), family)
    checks = said.get(identity.CHECKS, "")
    return OfferedRelease(
        family=family,
        release=_written(known.release),
        state=known.state.value,
        image_id=image.id,
        name=plain(image.name, 255),
        title=title,
        system=_system(title, flavour, f"{distro.capitalize()} {version}".strip()),
        description=description,
        distro=distro,
        version=version,
        os_type=said.get("os_type", ""),
        architecture=said.get("architecture") or parts.get("arch", ""),
        flavour=flavour,
        login=said.get("image_original_user") or said.get("os_admin_user", ""),
        size=_count(image.size),
        min_disk=_count(image.min_disk),
        min_ram=_count(image.min_ram),
        published_at=_moment(image.created_at),
        built_at=_moment(said.get(identity.BUILD_DATE, "")),
        verified_at=_moment(said.get(identity.VERIFIED, "")),
        checks=int(checks) if checks and len(checks) < 9 else None,
        end_of_support=said.get("maintained_until", ""),
        superseded_at=_moment(said.get(identity.SUPERSEDED_AT, "")),
        retired_at=_moment(said.get(identity.RETIRED_AT, "")),
        revoked_at=_moment(said.get(identity.REVOKED_AT, "")),
        revoked_reason=said.get(identity.REVOKED_REASON, ""),
        successor=said.get(identity.SUCCESSOR, ""),
        properties={name: value for name, value in said.items() if name not in _OF_NO_CONCERN},
    )


def _is_family(text: str) -> bool:
    """Whether it can stand in file names; a folder must not be called as another family's file."""
    fits = property_types.FAMILY.accepts(text) and len(text) <= _LONGEST_SLUG
    return fits and not text.endswith((".html", ".json"))


def _written(release: Release) -> str:
    """With all digits of its year."""
    day, point, serial = str(release).partition(".")
    return f"{day:0>8}{point}{serial}"


def _count(value: object) -> int:
    """A number of Glance's; 0 where it is none."""
    return value if type(value) is int and 0 <= value < 2**62 else 0


def _sensible(properties: Mapping[str, str]) -> dict[str, str]:
    """What the schema knows and accepts, and what Nova reads; in the schema's order."""
    said = {}
    for one in schema.PROPERTIES:
        value = properties.get(one.name)
        if value is not None and one.kind.accepts(value):
            said[one.name] = plain(value)
    for name in sorted(properties):
        if name not in schema.BY_NAME and _OF_THE_MACHINE.match(name):
            said[name] = plain(properties[name], 200)
    return {name: value for name, value in said.items() if value}


def _title(description: str, family: str) -> tuple[str, str]:
    """The family's title and what it is, from ``TITLE: DESCRIPTION`` as publish writes it."""
    title, colon, rest = description.partition(": ")
    if not title:
        return family, ""
    if colon and len(title) <= 80:
        return title, rest
    return (description, "") if len(description) <= 80 else (family, description)


def _system(title: str, flavour: str, otherwise: str) -> str:
    """The title without the flavour, where it ends in that."""
    ending = f" {flavour}"
    if flavour and title.casefold().endswith(ending.casefold()):
        return title[: -len(ending)]
    return otherwise


def _moment(text: object) -> str:
    if not isinstance(text, str):  # Glance's own fields come as they are
        return ""
    try:
        found = datetime.datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=datetime.UTC)
        utc = found.astimezone(datetime.UTC).replace(tzinfo=None)
        return f"{utc.isoformat(timespec='seconds')}Z"
    except (ValueError, OverflowError):
        return ""
