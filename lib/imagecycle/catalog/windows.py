"""What a catalog file may say of Windows besides what it says of any system.

The section stands in the file and in its flavours; a flavour changes what differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from imagecycle.site_sections import KMS_HOST
from imagecycle.windows_facts import (
    RegistryValue,
    Software,
    Task,
    WindowsChanges,
    WindowsContext,
    WindowsFacts,
)

Line = Annotated[str, Field(pattern=r"^\S(.*\S)?$", description="one line of text")]
Language = Annotated[
    str, Field(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?-[A-Z]{2}$", description="such as en-US")
]
Edition = Annotated[str, Field(pattern=r"^\S(.*\S)?$", description="an edition")]
Key = Annotated[
    str,
    Field(
        pattern=r"^([BCDFGHJKMPQRTVWXY2346789N]{5}-){4}[BCDFGHJKMPQRTVWXY2346789N]{5}$",
        description="a public KMS client key of Microsoft's list",
    ),
]


class ContextSection(pydantic.BaseModel):
    """How instances are contextualised; what is left out is as in the file."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    services: list[Literal["config-drive", "http"]] | None = Field(
        None, min_length=1, description="a list of config-drive and http in the order of search"
    )
    groups: list[Line] | None = Field(None, description="a list of local groups of the user")
    inject_password: bool | None = Field(None, description="true or false")
    mtu_from_dhcp: bool | None = Field(None, description="true or false")
    ntp_from_dhcp: bool | None = Field(None, description="true or false")
    extend_volumes: bool | None = Field(None, description="true or false")
    user_data: bool | None = Field(None, description="true or false")
    winrm: bool | None = Field(None, description="true or false")
    kms_host: str | None = Field(
        None, pattern=KMS_HOST, description='HOST or HOST:PORT, or "" for what DNS says'
    )
    activate: bool | None = Field(None, description="true or false")


class SoftwareSection(pydantic.BaseModel):
    """Something to install from a file."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Line = Field(description="a name for people")
    url: str = Field(pattern=r"^(https?|file)://\S+$", description="an address such as https://...")
    sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="a SHA-256 checksum of 64 hexadecimal digits"
    )
    arguments: str = Field("", description="arguments for its installer")
    exit_codes: list[int] = Field(
        [0, 3010], min_length=1, description="a list of numbers that mean success"
    )
    limit: int = Field(3600, gt=0, description="seconds that it may take, such as 3600")


class RegistrySection(pydantic.BaseModel):
    """One value of the registry."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    key: str = Field(
        pattern=r"^HK(LM|U)\\[^\x00-\x1f]*[^\\\x00-\x1f]$",
        description="a key such as HKLM\\SOFTWARE\\Example",
    )
    name: Line = Field(description="the value's name")
    kind: Literal["String", "ExpandString", "MultiString", "DWord", "QWord"] = Field(
        description="String, ExpandString, MultiString, DWord or QWord"
    )
    value: str = Field(description="the value in quotes")


class TaskSection(pydantic.BaseModel):
    """A script that every instance runs once."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = Field(
        pattern=r"^\d\d-[a-z0-9-]+\.(cmd|ps1)$", description="a name such as 10-join-domain.ps1"
    )
    content: str = Field(description="the text of the script")


class ChangesSection(pydantic.BaseModel):
    """What is added to an installation; a flavour adds to the lists of those that it extends."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    wsus: str | None = Field(
        None,
        pattern=r"^(|vendor|https?://\S+)$",
        description='an address of WSUS, vendor for Microsoft\'s own, or "" for no updates',
    )
    updates: list[SoftwareSection] = Field([], description="a list of sections with url and sha256")
    features: list[Annotated[str, Field(pattern=r"^\S+$", description="a name")]] = Field(
        [], description="a list of roles and features"
    )
    software: list[SoftwareSection] = Field(
        [], description="a list of sections with name, url and sha256"
    )
    registry: list[RegistrySection] = Field(
        [], description="a list of sections with key, name, kind and value"
    )
    policies: list[SoftwareSection] = Field(
        [], description="a list of sections with name, url and sha256"
    )
    tasks: list[TaskSection] = Field([], description="a list of sections with name and content")


class WindowsSection(pydantic.BaseModel):
    """Windows; what is left out is as in the file or in the flavour that is extended."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    edition: Line | None = Field(
        None, description="the medium's edition, such as ServerStandard, or an image's full name"
    )
    installation: Literal["Server", "Server Core", "Client"] | None = Field(
        None, description="Server, Server Core or Client"
    )
    language: Language | None = Field(None, description="the medium's language, such as en-US")
    locale: Language | None = Field(None, description="how dates are written, such as en-GB")
    keyboard: str | None = Field(
        None,
        pattern=r"^([0-9A-Fa-f]{4}:[0-9A-Fa-f]{8}|[a-z]{2,3}(-[A-Z][a-z]{3})?-[A-Z]{2})$",
        description="such as 0407:00000407, or a language such as de-DE for its usual one",
    )
    time_zone: Line | None = Field(
        None, description="in Windows' words: UTC, or W. Europe Standard Time"
    )
    key: Literal["kms", "mak", "retail", "evaluation"] | None = Field(
        None, description="kms, mak, retail or evaluation"
    )
    kms_client_keys: dict[Edition, Key] | None = Field(
        None, description="a section with the public key of every edition"
    )
    owner: Line | None = Field(None, description="a name that Windows shows as its owner")
    organization: Line | None = Field(None, description="a name that Windows shows")
    remote_desktop: bool | None = Field(None, description="true or false")
    recovery: int | None = Field(
        None, ge=0, description="MiB of the recovery partition such as 1024, or 0 for none"
    )
    bypass_requirements: bool | None = Field(None, description="true or false")
    context: ContextSection | None = Field(
        None, description="a section with keys such as services and kms_host"
    )
    changes: ChangesSection | None = Field(
        None, description="a section with keys such as updates and software"
    )


_APART = {"kms_client_keys", "context", "changes"}
"""Sections of a section, which add up."""


def facts(sections: Sequence[WindowsSection]) -> WindowsFacts:
    """What sections say together; each outranks those before it."""
    said: dict[str, Any] = {}
    keys: dict[str, str] = {}
    context: dict[str, Any] = {}
    for section in sections:
        keys |= section.kms_client_keys or {}
        own = section.context.model_dump(exclude_none=True) if section.context else {}
        for key, value in own.items():
            context[key] = tuple(value) if isinstance(value, list) else value
        said |= section.model_dump(exclude_none=True, exclude=_APART)
    language = said.get("language", "en-US")
    edition = said.get("edition", "")
    return WindowsFacts(
        edition=edition,
        installation_type=said.get("installation", "Server"),
        language=language,
        locale=said.get("locale", language),
        keyboard=said.get("keyboard", said.get("locale", language)),
        time_zone=said.get("time_zone", "UTC"),
        key=said.get("key", "kms"),
        kms_client_key=keys.get(edition, ""),
        owner=said.get("owner", ""),
        organization=said.get("organization", ""),
        remote_desktop=said.get("remote_desktop", True),
        recovery_mib=said.get("recovery", 1024),
        bypass_requirements=said.get("bypass_requirements", False),
        context=WindowsContext(**context),
        changes=_changes([one.changes for one in sections if one.changes is not None]),
    )


def _changes(sections: Sequence[ChangesSection]) -> WindowsChanges:
    """All that sections add, in their order; of several with one name the last counts."""
    wsus = [section.wsus for section in sections if section.wsus is not None]
    registry = [RegistryValue(**value.model_dump()) for one in sections for value in one.registry]
    tasks = [Task(**task.model_dump()) for one in sections for task in one.tasks]
    return WindowsChanges(
        wsus=wsus[-1] if wsus else "",
        updates=_files(section.updates for section in sections),
        features=tuple(dict.fromkeys(name for one in sections for name in one.features)),
        software=_files(section.software for section in sections),
        registry=tuple({(one.key.lower(), one.name.lower()): one for one in registry}.values()),
        policies=_files(section.policies for section in sections),
        tasks=tuple({task.name: task for task in tasks}.values()),
    )


def _files(lists: Iterable[Sequence[SoftwareSection]]) -> tuple[Software, ...]:
    found = {}
    for one in (section for several in lists for section in several):
        said: dict[str, Any] = one.model_dump()
        found[one.name] = Software(**{**said, "exit_codes": tuple(one.exit_codes)})
    return tuple(found.values())
