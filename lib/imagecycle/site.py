"""The operator's settings: where things live, which mirror to use, how images are named.

They come from the file that ``IMAGECYCLE_SITE`` names, else from ``/etc/imagecycle/site.yaml``
if it is there; every setting has a default, so that no file is needed to begin.
"""

from __future__ import annotations

import fnmatch
import os
import re
from pathlib import Path

import pydantic
import yaml

from imagecycle import model, shipped
from imagecycle.errors import InvalidFile, Problem, UsageError
from imagecycle.model import SecurityProfile
from imagecycle.site_sections import (
    MOST_DAYS,
    CloudSettings,
    Explanation,
    Retention,
    Retirement,
    SecurityProfileOfFamilies,
    Smtp,
    WindowsSettings,
)

DEFAULT_SITE_FILE = Path("/etc/imagecycle/site.yaml")
DEFAULT_HOME = Path("/var/lib/imagecycle")
CATALOG = shipped.CATALOG
SHIPPED = "shipped"
"""What settings call the catalog that imagecycle ships"""
JOBS = shipped.JOBS


class Site(pydantic.BaseModel):
    """One site's settings; the field descriptions are their documentation."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    home: Path = pydantic.Field(
        DEFAULT_HOME,
        description="Everything that imagecycle keeps. QEMU's user must be able to enter it.",
    )
    catalog: tuple[Path, ...] = pydantic.Field(
        (CATALOG,),
        min_length=1,
        description="The folder of the catalog files, or a list of folders, of which a later one "
        "overrides those before it; `shipped` is the one that imagecycle ships.",
    )
    jobs: Path = pydantic.Field(JOBS, description="The folder of the job library.")
    mirror: str = pydantic.Field(
        "", description="Debian package mirror; by default the one of the machine's apt sources."
    )
    security_mirror: str = pydantic.Field(
        "", description="Debian security mirror; by default that of the machine's apt sources."
    )
    index_days: int = pydantic.Field(
        0,
        ge=0,
        le=MOST_DAYS,
        description="Days after its date for which an index of the mirror is accepted, even if it "
        "has expired by then; 0: only until it expires.",
    )
    windows: WindowsSettings = pydantic.Field(
        default_factory=lambda: WindowsSettings.model_validate({}),
        description="What the images of Windows have in common.",
    )
    proxy: str = pydantic.Field(
        "", description="The proxy through which install media are fetched, such as http://..."
    )
    media_mirrors: dict[str, str] = pydantic.Field(
        {},
        description="Where else install media are: the beginning of an address, and what to put "
        "in its place.",
    )
    name_template: str = pydantic.Field(
        "{title} - {arch} [{date}]",
        description="An image's name, for people: title, family, arch, flavour, release, date.",
    )
    libvirt_uri: str = pydantic.Field("qemu:///system", description="Where Oz installs.")
    builder: str = pydantic.Field(
        "oz",
        pattern="^(oz|imagefactory)$",
        description="What installs Linux, unless a catalog file says it: `oz`, or `imagefactory`, "
        "which drives Oz.",
    )
    install_timeout: float = pydantic.Field(
        3600, gt=0, description="Seconds after which an installation is given up."
    )
    stall_timeout: float = pydantic.Field(
        300, gt=0, description="Seconds without disk or network activity that count as a stall."
    )
    boot_timeout: float = pydantic.Field(
        600, gt=0, description="Seconds that verify waits for a booted image to be ready."
    )
    compression: str = pydantic.Field(
        "zstd",
        pattern="^(zstd|zlib|none)$",
        description="Compression of the finished disk: `zstd`, `zlib` or `none`.",
    )
    checks: Path | None = pydantic.Field(
        None, description="A folder with checks of your own, which verify runs beside its own."
    )
    explained: tuple[Explanation, ...] = pydantic.Field(
        (), description="Findings of checks that are no defects, in the images of every family."
    )
    security_guides: Path = pydantic.Field(
        Path("/usr/share/xml/scap/ssg/content"),
        description="The folder of security guides: SCAP data streams.",
    )
    security_profiles: tuple[SecurityProfileOfFamilies, ...] = pydantic.Field(
        (),
        description="Security profiles for families whose catalog file asks for none; the first "
        "that names a family counts.",
    )
    clouds: dict[str, CloudSettings] = pydantic.Field(
        {},
        description="How images come into a cloud, by its entry of clouds.yaml or ENTRY/REGION.",
    )
    smtp: Smtp = pydantic.Field(
        default_factory=lambda: Smtp.model_validate({}),
        description="How messages to projects are sent.",
    )
    notice_template: Path | None = pydantic.Field(
        None, description="The jinja2 template of messages to projects; the package's by default."
    )
    retirement: Retirement = pydantic.Field(
        default_factory=lambda: Retirement.model_validate({}),
        description="When releases are retired and deleted.",
    )
    retention: Retention = pydantic.Field(
        default_factory=lambda: Retention.model_validate({}),
        description="What the janitor keeps on this machine.",
    )

    @pydantic.field_validator("catalog", mode="before")
    @classmethod
    def _folders(cls, value: object) -> object:
        several = value if isinstance(value, list | tuple) else [value]
        return [CATALOG if folder == SHIPPED else folder for folder in several]

    def settings_of(self, cloud: str) -> CloudSettings:
        """How images come into a cloud: as its region says, else its entry."""
        for name in (cloud, cloud.partition("/")[0]):
            if name in self.clouds:
                return self.clouds[name]
        return CloudSettings.model_validate({})

    def security_profile_of(self, family: str) -> SecurityProfile | None:
        """What the site asks of a family; None where it asks for nothing."""
        for one in self.security_profiles:
            if any(fnmatch.fnmatchcase(family, pattern) for pattern in one.families):
                accepted = tuple(model.AcceptedRule(r.rule, r.reason) for r in one.accepted)
                return SecurityProfile(one.guide, one.profile, one.score, one.severity, accepted)
        return None

    @property
    def artifacts(self) -> Path:
        return self.home / "artifacts"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def work(self) -> Path:
        return self.home / "work"


def load(path: Path | None = None) -> Site:
    """Read the settings.

    :param path: the file; by default ``IMAGECYCLE_SITE`` or the standard place. The variable
        ``IMAGECYCLE_HOME`` outranks the file's ``home``.
    :raises InvalidFile: when the file has mistakes.
    """
    named = path or (Path(p) if (p := os.environ.get("IMAGECYCLE_SITE")) else None)
    file = named or DEFAULT_SITE_FILE
    settings: dict[str, object] = {}
    if named is not None or file.exists():
        settings = _read(file)
    if home := os.environ.get("IMAGECYCLE_HOME"):
        settings["home"] = home
    try:
        return Site.model_validate(settings)
    except pydantic.ValidationError as error:
        raise InvalidFile(
            [
                Problem(file, _line_of(file, str(e["loc"][0]) if e["loc"] else ""), _words(e))
                for e in error.errors()
            ]
        ) from None


def _read(file: Path) -> dict[str, object]:
    try:
        settings = yaml.safe_load(file.read_text()) or {}
    except OSError as error:
        raise UsageError(
            f"cannot read {file}: {error.strerror}", hint="check IMAGECYCLE_SITE"
        ) from None
    except UnicodeDecodeError:
        raise InvalidFile([Problem(file, 1, "expected text in UTF-8")]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidFile([Problem(file, line, str(error.problem))]) from None
    except yaml.YAMLError as error:
        message = f"not YAML: {str(error).splitlines()[0]}"
        raise InvalidFile([Problem(file, 1, message)]) from None
    if not isinstance(settings, dict):
        raise InvalidFile([Problem(file, 1, "expected settings, such as `home: /srv/images`")])
    return settings


def _words(error: object) -> str:
    assert isinstance(error, dict)
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown setting {where}; the settings are {', '.join(Site.model_fields)}"
    return f"{where}: {error['msg']}"


def _line_of(file: Path, key: str) -> int:
    if file.exists():
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            if re.match(rf"{re.escape(key)}\s*:", line):
                return number
    return 1
