"""The sections of the operator's settings: what :class:`imagecycle.site.Site` is made of."""

from __future__ import annotations

import dataclasses
import fnmatch
import re
import zoneinfo

import pydantic

from imagecycle.model import FamilyRetirement

KMS_HOST = r"^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[1-9]\d{0,4})?)?$"
QUIET_HOURS = r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$"
MOST_DAYS = 36500
"""A hundred years: a time that no calendar ends before."""


def time_zone_exists(name: str) -> bool:
    """Whether a name such as Europe/Berlin is that of a time zone."""
    if name == "UTC":  # a small system has no list of time zones
        return True
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


class Retirement(pydantic.BaseModel):
    """When superseded releases are retired, and retired ones deleted.

    A family may have its own words for all but ``max_changes``, in the catalog.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    keep: int = pydantic.Field(
        1, ge=0, description="Superseded releases of a family that stay usable for everyone."
    )
    after_days: float = pydantic.Field(
        90,
        ge=0,
        le=MOST_DAYS,
        description="Days that a release is superseded before it is retired.",
    )
    grace_days: float = pydantic.Field(
        30,
        ge=0,
        le=MOST_DAYS,
        description="Days that a retired release is unused before it is deleted.",
    )
    quiet_hours: str = pydantic.Field(
        "",
        pattern=QUIET_HOURS,
        description="Hours in which nothing is withdrawn or deleted, such as 08:00-18:00.",
    )
    time_zone: str = pydantic.Field(
        "UTC", description="The time zone of quiet_hours, such as Europe/Berlin."
    )
    members: str = pydantic.Field(
        "pending",
        pattern="^(pending|accepted)$",
        description="How users find a retired release: `pending`, by its id; `accepted`, in their "
        "lists too.",
    )
    max_changes: int = pydantic.Field(
        20, ge=0, description="Images that one run withdraws or deletes, at most."
    )

    @pydantic.field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if not time_zone_exists(name):
            raise ValueError(f"unknown time zone: {name}")
        return name

    def of(self, family: FamilyRetirement) -> Retirement:
        """The policy for a family: its own words, and these for the rest."""
        said = {
            name: value for name, value in dataclasses.asdict(family).items() if value is not None
        }
        return self.model_copy(update=said)


class Retention(pydantic.BaseModel):
    """What `imagecycle janitor` keeps on a machine; ages are in days."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    releases: int = pydantic.Field(
        2, ge=1, description="Newest releases of a family that stay, whatever their age."
    )
    days: int = pydantic.Field(
        200,
        ge=0,
        description="After so many days, other releases and installations that no build has "
        "used are removed.",
    )
    evidence_days: int = pydantic.Field(
        60,
        ge=0,
        description="After so many days, the evidence of failures and what --keep has kept are "
        "removed.",
    )


class Explanation(pydantic.BaseModel):
    """What a check would call a defect, and what is meant to be so at this site."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    check: str = pydantic.Field(
        description="The check's name, such as ownership.every_file_is_explained."
    )
    what: str = pydantic.Field(
        description="What its finding begins with, such as a path; * and ** are wildcards."
    )
    reason: str = pydantic.Field(description="Why it is meant to be so.")


class AcceptedRule(pydantic.BaseModel):
    """A rule of a security profile that need not be met at this site."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    rule: str = pydantic.Field(
        description="The rule's name, such as partition_for_home; * is a wildcard."
    )
    reason: str = pydantic.Field(min_length=1, description="Why it need not be met.")


class SecurityProfileOfFamilies(pydantic.BaseModel):
    """A security profile that a site asks of families whose catalog file asks for none."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    families: tuple[str, ...] = pydantic.Field(
        min_length=1, description="Which families, such as debian-12-*; * is a wildcard."
    )
    guide: str = pydantic.Field(
        pattern=r"^[^/\s]+$",
        description="A SCAP data stream in `security_guides`, such as ssg-debian12-ds.xml.",
    )
    profile: str = pydantic.Field(
        pattern=r"^\S+$", description="A profile of it, such as anssi_bp28_minimal."
    )
    score: float = pydantic.Field(0, ge=0, le=100, description="The lowest score that is enough.")
    severity: str = pydantic.Field(
        "any",
        pattern="^(any|low|medium|high)$",
        description="The mildest rule to be met or accepted: `any`, `low`, `medium` or `high`.",
    )
    accepted: tuple[AcceptedRule, ...] = pydantic.Field(
        (), description="Rules that need not be met, each with `rule` and `reason`."
    )


class Download(pydantic.BaseModel):
    """A file that the site names, with its checksum."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    url: str = pydantic.Field(
        pattern=r"^(https?|file)://\S+$", description="Where it is: https://... or file:///..."
    )
    sha256: str = pydantic.Field(pattern=r"^[0-9a-f]{64}$", description="Its SHA-256 checksum.")


class WindowsSettings(pydantic.BaseModel):
    """What the images of Windows have in common at a site."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    drivers: Download | None = pydantic.Field(
        None, description="The ISO with the virtio drivers, virtio-win.iso."
    )
    cloudbase_init: Download | None = pydantic.Field(
        None, description="The installer of cloudbase-init, an MSI."
    )
    lgpo: Download | None = pydantic.Field(
        None, description="Microsoft's LGPO.exe, which imports backups of group policies."
    )
    kms_host: str = pydantic.Field(
        "",
        pattern=KMS_HOST,
        description="Where Windows is activated, HOST or HOST:PORT; by default DNS tells it.",
    )
    install_timeout: float = pydantic.Field(
        14400, gt=0, description="Seconds after which an installation of Windows is given up."
    )
    stall_timeout: float = pydantic.Field(
        1200, gt=0, description="Seconds without activity that count as a stall of Windows."
    )
    boot_timeout: float = pydantic.Field(
        3600, gt=0, description="Seconds that verify waits for a Windows to be ready."
    )


class Smtp(pydantic.BaseModel):
    """How `imagecycle notify` sends mail."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    host: str = pydantic.Field("", description="The mail server; without one, nothing is sent.")
    port: int | None = pydantic.Field(
        None, gt=0, lt=65536, description="By default 587 for starttls, 465 for tls, 25 for none."
    )
    security: str = pydantic.Field(
        "starttls",
        pattern="^(starttls|tls|none)$",
        description="How the connection is encrypted: `starttls`, `tls` or `none`.",
    )
    sender: str = pydantic.Field("", description="The address that messages come from.")
    reply_to: str = pydantic.Field("", description="The address that answers go to.")
    user: str = pydantic.Field(
        "", description="The account to log in with; IMAGECYCLE_SMTP_PASSWORD is its password."
    )
    timeout: float = pydantic.Field(
        30, gt=0, description="Seconds that the mail server may take for an answer."
    )
    signature: str = pydantic.Field(
        "The operators of this cloud", description="The last lines of a message."
    )

    @pydantic.model_validator(mode="after")
    def _keeps_the_password(self) -> Smtp:
        if self.user and self.security == "none":
            raise ValueError("a password is only sent over starttls or tls")
        return self


class CloudVerification(pydantic.BaseModel):
    """How `imagecycle verify --cloud` boots a release in a cloud."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    network: str = pydantic.Field(
        "", description="The network of the server, by name or id; `verify --cloud` needs it."
    )
    floating_network: str = pydantic.Field(
        "",
        description="The external network that gives the server a floating address; without one, "
        "its fixed address must be reachable from this machine.",
    )
    flavour: str = pydantic.Field(
        "", description="The server's flavour, by name or id; by default the smallest that fits."
    )
    security_group: str = pydantic.Field(
        "", description="A security group that lets SSH in; by default one is made and deleted."
    )
    console: bool = pydantic.Field(
        True, description="Whether Nova provides the console log of servers."
    )
    boot_seconds: float = pydantic.Field(
        0,
        ge=0,
        description="Seconds from ACTIVE to the login, at most; 0: as the family's budget says.",
    )
    required_for: tuple[str, ...] = pydantic.Field(
        (),
        description="Families that `publish` refuses until they have passed, such as debian-*; * "
        "is a wildcard.",
    )

    def is_required_for(self, family: str) -> bool:
        """Whether a family is published only after it was verified in the cloud."""
        return any(fnmatch.fnmatchcase(family, pattern) for pattern in self.required_for)


class CloudSettings(pydantic.BaseModel):
    """How images come into one cloud."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    disk_format: str = pydantic.Field(
        "qcow2",
        pattern="^(qcow2|raw|vmdk)$",
        description="The format that its storage wants: `qcow2`, `raw` (for Ceph) or `vmdk`.",
    )
    stores: tuple[str, ...] = pydantic.Field(
        (), description="Stores of a Glance that has several; by default, Glance decides."
    )
    import_method: str = pydantic.Field(
        "upload",
        pattern="^(upload|glance-direct|web-download)$",
        description="`upload`, or where that is off, `glance-direct` or `web-download`.",
    )
    artifacts_url: str = pydantic.Field(
        "", description="For web-download: the address at which Glance finds the artifact folder."
    )
    verify: CloudVerification = pydantic.Field(
        default_factory=lambda: CloudVerification.model_validate({}),
        description="How releases are verified in this cloud, and whether they have to be.",
    )

    @pydantic.model_validator(mode="after")
    def _has_its_address(self) -> CloudSettings:
        if (self.import_method == "web-download") != bool(self.artifacts_url):
            raise ValueError("web-download and artifacts_url belong together")
        if self.artifacts_url and not re.match(r"https?://[^/?#]+", self.artifacts_url):
            raise ValueError(
                "artifacts_url is to be an address that begins with http:// or https://"
            )
        return self
