"""The values that travel between the rooms of imagecycle."""

from __future__ import annotations

import datetime
import enum
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagecycle.errors import UsageError
from imagecycle.windows_facts import WindowsFacts

TEXT, GRAPHICS = "text", "graphics"
_RELEASE = re.compile(r"(?P<date>\d{8})(?:\.(?P<serial>[1-9]\d*))?")


class State(enum.StrEnum):
    """Of a release in a cloud; see "Life in a cloud" in the documentation."""

    CANDIDATE = "candidate"
    CURRENT = "current"
    SUPERSEDED = "superseded"
    RETIRED = "retired"
    DELETED = "deleted"
    REVOKED = "revoked"


@functools.total_ordering
@dataclass(frozen=True)
class Release:
    """One dated build of a family: ``20261122``, ``20261122.1`` for the second that day (UTC)."""

    date: datetime.date
    serial: int = 0

    @classmethod
    def parse(cls, text: str) -> Release:
        """:raises UsageError: when the text is not a release."""
        match = _RELEASE.fullmatch(text)
        try:
            if match is None:
                raise ValueError
            date = datetime.datetime.strptime(match["date"], "%Y%m%d").date()
        except ValueError:
            raise UsageError(
                f"not a release: {text}",
                hint="a release is a date such as 20261122, or 20261122.1 for the second that day",
            ) from None
        return cls(date, int(match["serial"] or 0))

    def __str__(self) -> str:
        serial = f".{self.serial}" if self.serial else ""
        return f"{self.date:%Y%m%d}{serial}"

    def __lt__(self, other: Release) -> bool:
        return (self.date, self.serial) < (other.date, other.serial)


def newest_since(releases: Iterable[Release], since: Release) -> Release | None:
    """The newest of these releases, unless it is older than ``since``."""
    newest = max(releases, default=None)
    return newest if newest is not None and newest >= since else None


@dataclass(frozen=True)
class ProjectUse:
    """What one project holds of one image."""

    servers: Mapping[str, int]
    """How many in each of Nova's statuses: ``{"ACTIVE": 3, "SHELVED_OFFLOADED": 1}``"""
    volumes: int = 0

    @property
    def amount(self) -> int:
        """Servers and volumes together."""
        return sum(self.servers.values()) + self.volumes


@dataclass(frozen=True)
class Usage:
    """Who depends on which image. There is none of an incomplete listing: that is an error."""

    taken_at: datetime.datetime
    """When the listing began, UTC"""
    by_image: Mapping[str, Mapping[str, ProjectUse]]
    """Image id, then project id; images that nobody uses are not in it"""
    with_volumes: bool
    """False when the cloud has no volume service"""

    def projects(self, image_id: str) -> frozenset[str]:
        """The projects that use an image."""
        return frozenset(self.by_image.get(image_id, ()))


@dataclass(frozen=True)
class Media:
    """What an installation starts from.

    ``kind`` is ``tree`` (a self-made install tree, see ``build.installtree``), ``url`` (the
    vendor's install tree) or ``iso``. ``url`` and ``sha256`` are empty for ``tree``, and while a
    site has not configured the vendor's media.
    """

    kind: str
    url: str = ""
    sha256: str = ""
    repositories: Mapping[str, str] = field(default_factory=dict)
    """Package sources that the installer uses besides, by name"""
    checksums: str = ""
    """The address of the vendor's list of checksums, in the place of ``sha256``"""
    signature: str = ""
    """The address of the list's signature; empty where the list has it around itself"""
    key: Path | None = None
    """The vendor's public key"""
    place: str = field(default="", compare=False)
    """Where the catalog names them: ``images/rocky-9.yaml:12``"""

    @property
    def configured(self) -> bool:
        """Whether there is something to install from."""
        return self.kind == "tree" or bool(self.url)


@dataclass(frozen=True)
class GuestFile:
    """A file that the build puts into the image; ``mode`` is an octal number such as 0o644."""

    path: str
    content: str = ""
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    source: Path | None = None
    """A file of the catalog that holds the content"""

    def data(self) -> bytes:
        """What is in the file."""
        return self.content.encode() if self.source is None else self.source.read_bytes()


@dataclass(frozen=True)
class Repository:
    """A package source that a flavour adds to those of its system."""

    name: str
    url: str
    key: Path
    """The public key, or keys, that its packages or indexes are signed with"""
    suite: str = ""
    """Of apt alone; one that ends with / has no components"""
    components: tuple[str, ...] = ()
    keep: bool = True
    """Whether servers go on using it; else only the build does"""
    place: str = field(default="", compare=False)
    """Where the catalog names it: ``images/debian-12.yaml:44``"""


@dataclass(frozen=True)
class Service:
    """A unit of systemd that a flavour switches on or off."""

    unit: str
    on: bool


@dataclass(frozen=True)
class Explained:
    """What a check would call a defect, and what is meant to be so."""

    check: str
    """Its name: ``ownership.every_file_is_explained``"""
    what: str
    """What the check's finding begins with, such as a path; wildcards as in
    :class:`imagecycle.systems.unowned.Unowned`"""
    reason: str


@dataclass(frozen=True)
class LeftOut:
    """A check that is not run, and why."""

    check: str
    """Its name: ``clock.is_in_utc``"""
    reason: str


@dataclass(frozen=True)
class Budgets:
    """What a server at rest may cost; 0 stands for what the family's own sizes suggest."""

    boot_seconds: float = 30.0
    """From power-on to the login, on a machine with an ordinary accelerator"""
    memory_mib: int = 0
    disk_mib: int = 0


@dataclass(frozen=True)
class Matrix:
    """What `imagecycle verify --matrix full` varies for a family, in Glance's and Nova's words. An
    empty list stands for what its properties say, or for all that OpenStack gives."""

    machine_types: tuple[str, ...] = ()
    disk_buses: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    """Where instances are told about themselves: see :mod:`imagecycle.machine.hardware`"""


@dataclass(frozen=True)
class AcceptedRule:
    """A rule of a security profile that need not be met, and why."""

    rule: str
    """Its name, or several by wildcards: ``kernel_config_*``"""
    reason: str


@dataclass(frozen=True)
class SecurityProfile:
    """What is asked of an image by a published security guide; see
    :mod:`imagecycle.verify.security_profile`."""

    guide: str
    """A SCAP data stream among the site's guides: ``ssg-debian12-ds.xml``"""
    profile: str
    """Its name in the guide, without prefix: ``anssi_bp28_high``"""
    score: float = 0.0
    """Of 100, at least"""
    severity: str = "any"
    """The mildest severity of a rule that has to be met or accepted"""
    accepted: tuple[AcceptedRule, ...] = ()


@dataclass(frozen=True)
class MaintenanceTerms:
    """What the operator promises to those who use a family;
    see :mod:`imagecycle.catalog.maintenance_terms`."""

    replace_frequency: str = "quarterly"
    uuid_validity: str = ""
    """Empty: what follows from the policy of retirement"""
    provided_until: str = "none"
    hotfix_hours: int | None = None


@dataclass(frozen=True)
class FamilyRetirement:
    """What a family says about the end of life of its releases, see
    :class:`imagecycle.site_sections.Retirement`; None: as the site says."""

    keep: int | None = None
    after_days: float | None = None
    grace_days: float | None = None
    quiet_hours: str | None = None
    time_zone: str | None = None
    members: str | None = None


@dataclass(frozen=True)
class Family:
    """One product: operating system, architecture and flavour; what a user picks."""

    slug: str
    """``debian-12-x86_64-server``"""
    title: str
    """For people: ``Debian 12 Server``"""
    distro: str
    """Glance's os_distro: ``debian``"""
    version: str
    """Glance's os_version: ``12``"""
    codename: str
    """The vendor's name of the version: ``bookworm``; empty where there is none"""
    os_type: str
    """``linux`` or ``windows``"""
    arch: str
    flavour: str
    description: str
    oz_name: str
    """The operating system in Oz's words, for the template: ``Debian``"""
    oz_version: str
    media: Media
    unattended: Path
    """The jinja2 template of the unattended-install file"""
    admin_user: str
    """The account that contextualisation makes: ``debian``"""
    disk_gib: int
    """Size of the disk, and Glance's min_disk"""
    min_ram_mib: int
    install_memory_mib: int
    firmware: tuple[str, ...]
    """What the image boots from: ``bios``, ``uefi`` or both"""
    packages: tuple[str, ...]
    files: tuple[GuestFile, ...]
    commands: tuple[str, ...]
    properties: Mapping[str, str]
    """Glance properties besides those that imagecycle sets by itself"""
    leave_out_checks: tuple[LeftOut, ...]
    explained: tuple[Explained, ...]
    end_of_support: datetime.date | None
    source: Path
    """The catalog file that declares the family"""
    purpose: str = "custom"
    """What it is made for, in the words of :data:`imagecycle.catalog.maintenance_terms.PURPOSES`"""
    image_source: str = "private"
    """Where its images can be downloaded, or ``private``"""
    promises: MaintenanceTerms = MaintenanceTerms()
    retirement: FamilyRetirement = FamilyRetirement()
    windows: WindowsFacts | None = None
    """None where it is no Windows"""
    matrix: Matrix = Matrix()
    budgets: Budgets = Budgets()
    security_profile: SecurityProfile | None = None
    """None where the catalog asks for none"""
    repositories: tuple[Repository, ...] = ()
    services: tuple[Service, ...] = ()
    smaller_disk_gib: int = 0
    """Of the disk that flavours share, where this one's is larger"""
    screen: str = TEXT
    """What servers show when they have started: ``text`` or ``graphics``"""
    builder: str = ""
    """What installs it: ``oz`` or ``imagefactory``; empty: as the site says"""
    places: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Where the catalog says what, such as ``packages.less``: ``images/debian-12.yaml:44``"""

    @property
    def installed_disk_gib(self) -> int:
        """Size of the disk that Oz installs."""
        return self.smaller_disk_gib or self.disk_gib

    @property
    def system(self) -> str:
        """What its flavours are flavours of: ``debian-12-x86_64``."""
        return f"{self.distro}-{self.version}-{self.arch}"

    @property
    def installation(self) -> str:
        """What flavours of one system share: ``debian-12-x86_64``. Those of Windows share one
        only where they have the edition in common."""
        if self.windows is None:
            return self.system
        image = f"{self.windows.edition} {self.windows.installation_type} {self.windows.language}"
        return f"{self.system}-{re.sub('[^a-z0-9]+', '-', image.lower())}"
