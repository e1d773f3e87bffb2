"""What a catalog file may say of Windows besides what it says of any system.

The section stands in the file and in its flavours; a flavour changes what differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from imagecycle.model import WindowsContext, WindowsFacts
from imagecycle.site import KMS_HOST

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
        said |= section.model_dump(exclude_none=True, exclude={"kms_client_keys", "context"})
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
    )
