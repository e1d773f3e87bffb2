"""What a catalog file may say: its keys, their types and what each expects.

The descriptions are the reference for operators and the words of the error messages, which read
"KEY: expected DESCRIPTION, found VALUE".
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field

from imagecycle.catalog.maintenance_terms import (
    HOTFIX_HOURS_WORDS,
    IMAGE_SOURCE,
    IMAGE_SOURCE_WORDS,
    PROVIDED_UNTIL,
    PROVIDED_UNTIL_WORDS,
    UUID_VALIDITY,
    UUID_VALIDITY_WORDS,
    dates_exist,
)
from imagecycle.catalog.windows import WindowsSection
from imagecycle.site_sections import MOST_DAYS, QUIET_HOURS, time_zone_exists

Arch = Literal["x86_64", "aarch64"]
Firmware = Literal["bios", "uefi"]
Frequency = Literal["yearly", "quarterly", "monthly", "weekly", "daily", "critical_bug", "never"]
Purpose = Literal["generic", "minimal", "k8snode", "gpu", "network", "custom"]

Text = Annotated[str, Field(pattern=r"^\S(.*\S)?$", description="one line of text")]
Word = Annotated[str, Field(pattern=r"^\S+$", description="text without spaces")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="a name in small letters")]
PackageName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9@]\S*( \[(x86_64|aarch64)\])?$",
        description="the name of a package, such as curl, or curl [aarch64] for one architecture",
    ),
]
Unit = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9:_.@\\-]*$",
        description="the name of a unit, such as chrony",
    ),
]
FlavourName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        description="small letters and digits, in words with - between them",
    ),
]


_BESIDE = r"^[A-Za-z0-9_-][\w.+-]*(/[A-Za-z0-9_-][\w.+-]*)*$"
"""A file in the same folder or below it"""
_ACCOUNT = r"^[a-z_][a-z0-9_.-]*[$]?$"


def _as_text(value: Any) -> Any:
    """A date of YAML as people write it."""
    return value.isoformat() if type(value) is datetime.date else value


def _dates_exist(text: str) -> str:
    if not dates_exist(text):
        raise ValueError
    return text


DateOrWord = Annotated[str, BeforeValidator(_as_text), AfterValidator(_dates_exist)]


def _time_zone_exists(name: str) -> str:
    if not time_zone_exists(name):
        raise ValueError
    return name


TimeZone = Annotated[str, Field(description="a time zone"), AfterValidator(_time_zone_exists)]


class _Section(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)


class OzName(_Section):
    """The operating system in Oz's words."""

    name: Word = Field(description="Oz's name of the system, such as Debian")
    version: Text = Field(description='Oz\'s name of the version in quotes, such as "12"')


class Memory(_Section):
    """Main memory, in MiB."""

    minimum: int = Field(
        gt=0, description="MiB that the image needs to boot, a whole number such as 512"
    )
    install: int = Field(
        gt=0, description="MiB that the installer gets, a whole number such as 1024"
    )


class MediaSource(_Section):
    """What an installation starts from."""

    kind: Literal["tree", "url", "iso"] = Field(description="tree, url or iso")
    url: str = Field(
        "", pattern=r"^(https?|file)://\S+$", description="an address such as https://..."
    )
    sha256: str = Field(
        "", pattern=r"^[0-9a-f]{64}$", description="a SHA-256 checksum of 64 hexadecimal digits"
    )
    checksums: str = Field(
        "", pattern=r"^(https?|file)://\S+$", description="the address of a list of checksums"
    )
    signature: str = Field(
        "", pattern=r"^(https?|file)://\S+$", description="the address of that list's signature"
    )
    key: str = Field(
        "", pattern=r"^[^/\s]+$", description="a file with the vendor's public key beside this one"
    )
    repositories: dict[Key, str] = Field(
        {}, description="package sources that the installer uses besides, and their addresses"
    )


class Architecture(_Section):
    """One architecture that a system is offered for."""

    media: MediaSource = Field(description="a section with kind, and url and sha256 where needed")
    firmware: list[Firmware] = Field(min_length=1, description="a list of bios and uefi")


class AddedRepository(_Section):
    """A package source that a flavour adds, with the key that it is signed with."""

    name: FlavourName = Field(
        description="small letters and digits, in words with - between them, such as monitoring"
    )
    url: str = Field(
        pattern=r"^https?://\S+$", description="an address such as https://packages.example/debian"
    )
    key: str = Field(
        pattern=_BESIDE, description="a file with its public key beside this one, such as site.asc"
    )
    fingerprint: str = Field(
        "",
        pattern=r"^(([0-9A-Fa-f]{4} ?){10}|[0-9A-Fa-f]{64})$",
        description="the fingerprint of that key, 40 hexadecimal digits",
    )
    suite: str = Field(
        "",
        pattern=r"^[^\s/]\S*$|^\./$",
        description="for apt: a suite such as bookworm, or a folder such as ./",
    )
    components: list[Word] = Field(
        [], description="for apt: a list of components of the suite, such as main"
    )
    keep: bool = Field(
        True, description="true where servers go on using it, false where only the build does"
    )


class AddedFile(_Section):
    """A file that a flavour puts into the image."""

    path: str = Field(
        pattern=r"^(/\S*[^/\s]|[A-Z]:\\[^\x00-\x1f]*[^\\\s])$",
        description="an absolute path in the image",
    )
    content: str = Field("", description="the text of the file")
    source: str = Field(
        "", pattern=_BESIDE, description="a file with the content beside this one, such as motd"
    )
    mode: str = Field(
        "0644", pattern=r"^0[0-7]{3,4}$", description='permissions in quotes, such as "0644"'
    )
    owner: str = Field("root", pattern=_ACCOUNT, description="an account, such as root")
    group: str = Field("root", pattern=_ACCOUNT, description="a group, such as adm")


class Services(_Section):
    """Units of systemd that a flavour switches on or off, ``.service`` where no kind is said."""

    enabled: list[Unit] = Field(default=[], description="a list of units, such as chrony")
    disabled: list[Unit] = Field(default=[], description="a list of units, such as apt-daily.timer")


class Explanation(_Section):
    """What a check would call a defect, and what is meant to be so."""

    check: Word = Field(
        description="the name of a check, such as ownership.every_file_is_explained"
    )
    what: Word = Field(description="what its finding begins with, such as /opt/agent/**")
    reason: Text = Field(description="one line that says why it is meant to be so")


class LeftOutCheck(_Section):
    """A check that is not run."""

    check: Word = Field(description="the name of a check, such as clock.is_in_utc")
    reason: Text = Field(description="one line that says why it is not run")


class Promised(_Section):
    """What the operator promises to those who use the images."""

    replace_frequency: Frequency = Field(
        default="quarterly",
        description="yearly, quarterly, monthly, weekly, daily, critical_bug or never",
    )
    uuid_validity: DateOrWord = Field(
        default="", pattern=UUID_VALIDITY, description=UUID_VALIDITY_WORDS
    )
    provided_until: DateOrWord = Field(
        default="none", pattern=PROVIDED_UNTIL, description=PROVIDED_UNTIL_WORDS
    )
    hotfix_hours: int | None = Field(default=None, ge=0, description=HOTFIX_HOURS_WORDS)


class OwnRetirement(_Section):
    """When releases are retired and deleted, where it is not as the site says."""

    keep: int | None = Field(
        default=None,
        ge=0,
        description="superseded releases that stay usable, a whole number such as 1",
    )
    after_days: float | None = Field(
        default=None, ge=0, le=MOST_DAYS, description=f"days such as 90, at most {MOST_DAYS}"
    )
    grace_days: float | None = Field(
        default=None, ge=0, le=MOST_DAYS, description=f"days such as 30, at most {MOST_DAYS}"
    )
    quiet_hours: str | None = Field(
        default=None, pattern=QUIET_HOURS, description='hours such as 08:00-18:00, or "" for none'
    )
    time_zone: TimeZone | None = Field(
        default=None, description="a time zone such as Europe/Berlin"
    )
    members: Literal["pending", "accepted"] | None = Field(
        default=None, description="pending or accepted"
    )

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _is_said(cls, value: Any) -> Any:
        if value is None:
            raise ValueError
        return value


class BudgetSection(_Section):
    """What a server at rest may cost."""

    boot_seconds: float = Field(
        default=30.0, gt=0, description="seconds from power-on to the login, such as 30"
    )
    memory_mib: int = Field(default=0, ge=0, description="MiB in use at rest, such as 200")
    disk_mib: int = Field(default=0, ge=0, description="MiB in use on the disk, such as 900")


class VerifyMatrix(_Section):
    """What the full matrix of a verification varies."""

    machine_types: list[Literal["pc", "q35"]] = Field(
        default=[], description="a list of pc and q35"
    )
    disk_buses: list[Literal["virtio", "scsi"]] = Field(
        default=[], description="a list of virtio and scsi"
    )
    sources: list[Literal["config drive", "NoCloud", "metadata service"]] = Field(
        default=[], description="a list of config drive, NoCloud and metadata service"
    )


class AcceptedRule(_Section):
    """A rule of a security profile that need not be met."""

    rule: Word = Field(
        description="the name of a rule, such as partition_for_home; * is a wildcard"
    )
    reason: Text = Field(description="one line that says why it need not be met")


class SecurityProfileSection(_Section):
    """What a published security guide asks of the image, see docs/security.rst."""

    guide: str = Field(
        pattern=r"^[^/\s]+$",
        description="a SCAP data stream among the site's guides, such as ssg-debian12-ds.xml",
    )
    profile: Word = Field(description="a profile of the guide, such as anssi_bp28_high")
    score: float = Field(
        default=0.0, ge=0, le=100, description="the lowest score that is enough, 0 to 100"
    )
    severity: Literal["any", "low", "medium", "high"] = Field(
        default="any",
        description="any, low, medium or high: the mildest rule that has to be met or accepted",
    )
    accepted: list[AcceptedRule] = Field(
        default=[], description="a list of sections with rule and reason"
    )


class Flavour(_Section):
    """One flavour; with ``extends`` it adds to another one of the same system."""

    title: Text = Field(description="a name for people, such as Server")
    description: Text = Field(description="one line that says what it is for")
    extends: FlavourName | None = Field(None, description="the name of another flavour")
    purpose: Purpose = Field(
        "custom", description="generic, minimal, k8snode, gpu, network or custom"
    )
    disk: int | None = Field(
        None, gt=0, description="GiB of its disk, where that is more than the system's"
    )
    memory: int | None = Field(
        None, gt=0, description="MiB that it needs to boot, where that is not the system's"
    )
    screen: Literal["text", "graphics"] | None = Field(
        None, description="text or graphics: what servers show when they have started"
    )
    repositories: list[AddedRepository] = Field(
        [], description="a list of sections with name, url and key"
    )
    packages: list[PackageName] = Field([], description="a list of package names")
    files: list[AddedFile] = Field(
        [], description="a list of sections with path, and content or source"
    )
    commands: list[Text] = Field([], description="a list of shell commands")
    services: Services = Field(Services(), description="a section with enabled and disabled")
    properties: dict[Key, str] = Field({}, description="Glance properties and their values")
    leave_out_checks: list[LeftOutCheck] = Field(
        [], description="a list of sections with check and reason"
    )
    explained: list[Explanation] = Field(
        [], description="a list of sections with check, what and reason"
    )
    retirement: OwnRetirement = Field(
        OwnRetirement(), description="a section with keys such as keep and after_days"
    )
    security_profile: SecurityProfileSection | None = Field(
        None, description="a section with guide and profile"
    )
    windows: WindowsSection | None = Field(None, description="a section with keys such as edition")


class Declaration(_Section):
    """One catalog file: one operating system."""

    extends: str = Field("", description="the name of another catalog file, such as debian-12.yaml")
    name: Text = Field(description="a name for people, such as Debian 12")
    distro: str = Field(
        pattern=r"^[a-z][a-z0-9]*$", description="Glance's os_distro in small letters"
    )
    version: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.]*$", description='the version in quotes, such as "12"'
    )
    codename: str = Field("", description="the vendor's name of the version, such as bookworm")
    type: Literal["linux", "windows"] = Field(description="linux or windows")
    oz: OzName = Field(description="a section with name and version")
    unattended: str = Field(
        pattern=r"^[^/\s]+\.[a-z]+\.j2$",
        description="the name of a template of the catalog, such as debian.preseed.j2",
    )
    builder: Literal["", "oz", "imagefactory"] = Field(
        "", description="oz or imagefactory; without it, as the site's settings say"
    )
    admin_user: Word = Field(description="the account that users log in with, such as debian")
    end_of_support: datetime.date | None = Field(
        None,
        description="a date such as 2028-06-30, or null for none; without it, the vendor's own",
    )
    image_source: str = Field("private", pattern=IMAGE_SOURCE, description=IMAGE_SOURCE_WORDS)
    promises: Promised = Field(
        Promised(), description="a section with keys such as replace_frequency and hotfix_hours"
    )
    retirement: OwnRetirement = Field(
        OwnRetirement(), description="a section with keys such as keep and after_days"
    )
    disk: int = Field(gt=0, description="GiB of the installed disk, a whole number such as 3")
    memory: Memory = Field(description="a section with minimum and install")
    properties: dict[Key, str] = Field({}, description="Glance properties and their values")
    leave_out_checks: list[LeftOutCheck] = Field(
        [], description="a list of sections with check and reason"
    )
    explained: list[Explanation] = Field(
        [], description="a list of sections with check, what and reason"
    )
    windows: WindowsSection | None = Field(None, description="a section with keys such as edition")
    budgets: BudgetSection = Field(
        BudgetSection(), description="a section with boot_seconds, memory_mib and disk_mib"
    )
    security_profile: SecurityProfileSection | None = Field(
        None, description="a section with guide and profile"
    )
    matrix: VerifyMatrix = Field(
        VerifyMatrix(), description="a section with machine_types, disk_buses and sources"
    )
    architectures: dict[Arch, Architecture] = Field(
        min_length=1, description="a section per architecture: x86_64 or aarch64"
    )
    flavours: dict[FlavourName, Flavour] = Field(
        min_length=1, description="a section per flavour, its name in small letters"
    )
