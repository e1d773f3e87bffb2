"""A release as Glance's document of its image tells it.

An image is a release only if its properties name its own id: Nova and Cinder copy properties to
snapshots and uploads, and people do by hand. What makes no sense is left out.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagecycle_dashboard.moments import moment
from imagecycle_dashboard.plain_text import plain

PREFIX = "imagecycle_"
CURRENT, SUPERSEDED, RETIRED, REVOKED = "current", "superseded", "retired", "revoked"
STATES = (CURRENT, SUPERSEDED, RETIRED, REVOKED)
"""What users may meet; a candidate is nobody's business yet"""
_FAMILY = re.compile(r"[a-z0-9][a-z0-9._]*(-[a-z0-9][a-z0-9._]*)+")
_PARTS = re.compile(r"(?P<distro>[^-]+)-(?P<version>[^-]+)-(?P<arch>[^-]+)-(?P<flavour>.+)")
_RELEASE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:\.([1-9][0-9]{0,8}))?")
_IMAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORD = re.compile(r"[a-z0-9][a-z0-9._]*")
_LOGIN = re.compile(r"\S+")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_LONGEST_SLUG = 150
_OF_GLANCE = ("os_hidden", "os_hash_algo", "os_hash_value")
_TOLD_APART = re.compile(
    r"imagecycle_(family|release|state|image_id|flavour|shared_with|unused_since|input_digest|"
    r"checks|verified|build_date|version|superseded_at|retired_at|revoked_at|revoked_reason|"
    r"successor|adopted_at|changes)|image_description|image_original_user|image_build_date|os_admin_user|"
    r"os_distro|os_version|architecture|maintained_until"
)
_SHOWN = re.compile(
    r"imagecycle_[a-z0-9_]+|os_[a-z_]+|hw_[a-z0-9_]+|trait:[A-Z0-9_]+|image_[a-z_]+|"
    r"replace_frequency|uuid_validity|provided_until|hotfix_hours|license_(included|required)|"
    r"subscription_(included|required)|l1_support_contact|patchlevel"
)


@dataclass(frozen=True)
class Release:
    """One release; text is one line, and empty where nothing tells."""

    image_id: str
    family: str
    release: str
    state: str
    owner: str
    visibility: str
    hidden: bool
    name: str
    title: str
    """Of the family: ``Debian 12 Server``"""
    system: str
    """``Debian 12``"""
    description: str
    distro: str
    version: str
    architecture: str
    flavour: str
    login: str
    size: int
    """Bytes"""
    min_disk: int
    """GiB"""
    min_ram: int
    """MiB"""
    checks: int | None
    date: datetime.date
    """The day of the build"""
    serial: int
    end_of_support: datetime.date | None
    published_at: datetime.datetime | None
    built_at: datetime.datetime | None
    verified_at: datetime.datetime | None
    superseded_at: datetime.datetime | None
    retired_at: datetime.datetime | None
    revoked_at: datetime.datetime | None
    revoked_reason: str
    successor: str
    """The id of the image to use instead"""
    changes: str
    """In its packages"""
    changes_since: str
    """The release that these are told against"""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Further properties, by name"""

    @property
    def order(self) -> tuple[datetime.date, int]:
        """Sorts the releases of a family."""
        return self.date, self.serial

    @property
    def is_public(self) -> bool:
        """Whether only who may publish for everybody can have said this."""
        return self.visibility == "public"


def release_of(document: Mapping[str, Any]) -> Release | None:
    """The release that an image is; None when it is none, or its identity makes no sense."""
    image_id = str(document.get("id"))
    family = str(document.get(f"{PREFIX}family"))
    state = str(document.get(f"{PREFIX}state"))
    order = _order(str(document.get(f"{PREFIX}release")))
    if document.get(f"{PREFIX}image_id") != image_id or not is_family(family) or order is None:
        return None
    if state not in STATES or document.get("status") not in ("active", "deactivated"):
        return None
    parts = match.groupdict() if (match := _PARTS.fullmatch(family)) else {}

    def word(name: str, form: re.Pattern[str]) -> str:
        value = str(document.get(name) or "")
        return plain(value, 200) if form.fullmatch(value) else ""

    distro = word("os_distro", _WORD) or parts.get("distro", family)
    version = word("os_version", _WORD) or parts.get("version", "")
    flavour = word(f"{PREFIX}flavour", _WORD) or parts.get("flavour", "")
    since, _colon, changes = plain(document.get(f"{PREFIX}changes") or "", 300).partition(": ")
    told = _order(since) is not None and bool(changes)
    title, description = _title(plain(document.get("image_description") or ""), family)
    checks = word(f"{PREFIX}checks", _NUMBER)
    return Release(
        image_id=image_id,
        family=family,
        release=str(document[f"{PREFIX}release"]),
        state=state,
        owner=str(document.get("owner") or ""),
        visibility=str(document.get("visibility") or ""),
        hidden=bool(document.get("os_hidden")),
        name=plain(document.get("name") or "", 255),
        title=title,
        system=_system(title, flavour, f"{distro.capitalize()} {version}".strip()),
        description=description,
        distro=distro,
        version=version,
        architecture=word("architecture", _WORD) or parts.get("arch", ""),
        flavour=flavour,
        login=word("image_original_user", _LOGIN) or word("os_admin_user", _LOGIN),
        size=_count(document.get("size")),
        min_disk=_count(document.get("min_disk")),
        min_ram=_count(document.get("min_ram")),
        checks=int(checks) if checks else None,
        date=order[0],
        serial=order[1],
        end_of_support=_day(document.get("maintained_until")),
        published_at=moment(document.get("created_at")),
        built_at=moment(document.get(f"{PREFIX}build_date")),
        verified_at=moment(document.get(f"{PREFIX}verified")),
        superseded_at=moment(document.get(f"{PREFIX}superseded_at")),
        retired_at=moment(document.get(f"{PREFIX}retired_at")),
        revoked_at=moment(document.get(f"{PREFIX}revoked_at")),
        revoked_reason=plain(document.get(f"{PREFIX}revoked_reason") or "", 500),
        successor=word(f"{PREFIX}successor", _IMAGE_ID),
        changes=changes if told else "",
        changes_since=since if told else "",
        facts=_facts(document),
    )


def is_image_id(text: object) -> bool:
    """Whether a text can stand for an image in a request."""
    return isinstance(text, str) and _IMAGE_ID.fullmatch(text) is not None


def is_family(text: str) -> bool:
    """Whether a text can be a family's slug."""
    return len(text) <= _LONGEST_SLUG and _FAMILY.fullmatch(text) is not None


def _order(text: str) -> tuple[datetime.date, int] | None:
    match = _RELEASE.fullmatch(text)
    if match is None:
        return None
    year, month, day, serial = match.groups()
    try:
        return datetime.date(int(year), int(month), int(day)), int(serial or 0)
    except ValueError:
        return None


def _title(description: str, family: str) -> tuple[str, str]:
    """The family's title and what it is, from ``TITLE: DESCRIPTION`` as it is published."""
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


def _facts(document: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for name in sorted(document):
        value = document[name]
        shown = _SHOWN.fullmatch(name) and not _TOLD_APART.fullmatch(name)
        if shown and isinstance(value, str) and name not in _OF_GLANCE and len(name) <= 100:
            found[name] = plain(value, 500)
    return {name: value for name, value in found.items() if value}


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**62 else 0


def _day(value: object) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        return None
