"""The schema of what a release carries in Glance: one table of properties.

It is the reference in ``docs/metadata.rst``, the metadata definition namespace that ``imagecycle
metadata install`` gives to a cloud, and what :mod:`.validation` holds values against.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from imagecycle.catalog import maintenance_terms
from imagecycle.metadata.property_types import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    FAMILY,
    FLAVOUR,
    IMAGE_ID,
    LANGUAGE,
    NUMBER,
    RELEASE,
    SHA256,
    SHA512,
    TEXT,
    TIMESTAMP,
    WORD,
    Kind,
    one_of,
)
from imagecycle.model import State

PREFIX = "imagecycle_"


class Origin(enum.StrEnum):
    """Who gives a property its meaning."""

    OPENSTACK = "openstack"
    """Glance and Nova; Glance brings its own definitions of these"""
    PUBLIC_CLOUDS = "public clouds"
    """SCS-0102"""
    IMAGECYCLE = "imagecycle"


@dataclass(frozen=True)
class Property:
    """One property of an image."""

    name: str
    title: str
    kind: Kind
    meaning: str
    """For the people who choose an image"""
    set_by: str
    """``imagecycle``, or the key of the catalog that it comes from"""
    when: str
    """The command that writes it: ``publish``, ``retire`` ..."""
    example: str
    required: bool = False
    """Whether every release that imagecycle publishes has it"""

    @property
    def origin(self) -> Origin:
        if self.name.startswith(PREFIX):
            return Origin.IMAGECYCLE
        return Origin.OPENSTACK if self.name in _OPENSTACK else Origin.PUBLIC_CLOUDS


_OPENSTACK = frozenset(
    ["architecture", "hw_firmware_type", "os_admin_user", "os_distro", "os_type", "os_version"]
)

PROPERTIES: tuple[Property, ...] = (
    # What an image is
    Property(
        f"{PREFIX}family",
        "Family",
        FAMILY,
        "The product: operating system, version, architecture and flavour. Choose by this.",
        "imagecycle",
        "publish, adopt",
        "debian-12-x86_64-server",
        required=True,
    ),
    Property(
        f"{PREFIX}flavour",
        "Flavour",
        FLAVOUR,
        "What sets the family apart from others of the same system.",
        "flavours",
        "publish",
        "server",
        required=True,
    ),
    Property(
        f"{PREFIX}release",
        "Release",
        RELEASE,
        "The dated build of the family, UTC. The newest is the best.",
        "imagecycle",
        "publish, adopt",
        "20261122",
        required=True,
    ),
    Property(
        f"{PREFIX}state",
        "State",
        one_of(*(state.value for state in State)),
        "Where the release is in its life: use a current one.",
        "imagecycle",
        "every change of state",
        "current",
    ),
    Property(
        f"{PREFIX}image_id",
        "Image",
        IMAGE_ID,
        "The id of the image that this is said of. An image with another id only has a copy of "
        "these properties: none of them is true of it.",
        "imagecycle",
        "publish, adopt",
        "39ae4cf7-de9c-4b0a-87cc-4210a8af80a9",
    ),
    Property(
        "maintained_until",
        "End of support",
        DATE,
        "The vendor mends defects of the system until this day, UTC.",
        "end_of_support",
        "publish",
        "2028-06-30",
    ),
    Property(
        "image_description",
        "Description",
        TEXT,
        "What is in the image.",
        "name, title, description",
        "publish",
        "Debian 12 Server: What an administrator expects to find on a server",
        required=True,
    ),
    Property(
        "os_purpose",
        "Purpose",
        one_of(*maintenance_terms.PURPOSES),
        "What the image is made for. Of one system, version and architecture one is generic.",
        "purpose",
        "publish",
        "generic",
        required=True,
    ),
    Property(
        "image_original_user",
        "User to log in as",
        WORD,
        "The account that takes the key pair of a server.",
        "admin_user",
        "publish",
        "debian",
        required=True,
    ),
    Property(
        "image_build_date",
        "Built",
        DATE_TIME,
        "When the image was built, UTC: later updates are not in it.",
        "imagecycle",
        "publish",
        "2026-11-22 12:00:00",
        required=True,
    ),
    Property(
        "image_source",
        "Source",
        Kind(maintenance_terms.IMAGE_SOURCE_WORDS, maintenance_terms.IMAGE_SOURCE),
        "Where the image can be downloaded, or private.",
        "image_source",
        "publish",
        "private",
        required=True,
    ),
    Property(
        "patchlevel",
        "Patch level",
        TEXT,
        "The patch level in the system's own words, where the date does not tell it.",
        "properties",
        "publish",
        "12.12",
    ),
    Property(
        f"{PREFIX}edition",
        "Edition",
        TEXT,
        "The edition of Windows; absent for other systems.",
        "windows.edition",
        "publish",
        "ServerStandard",
    ),
    Property(
        f"{PREFIX}language",
        "Language",
        LANGUAGE,
        "The language of Windows; absent for other systems.",
        "windows.language",
        "publish",
        "en-US",
    ),
    Property(
        f"{PREFIX}license_channel",
        "License channel",
        one_of("kms", "mak", "retail", "evaluation"),
        "How Windows is licensed: by the site's KMS host, a volume key, a retail key, or for a "
        "time to try it.",
        "windows.key",
        "publish",
        "kms",
    ),
    # What the operator promises
    Property(
        "replace_frequency",
        "Replaced",
        one_of(*maintenance_terms.FREQUENCIES),
        "How often, at least, the family gets a new release.",
        "promises.replace_frequency",
        "publish",
        "quarterly",
        required=True,
    ),
    Property(
        "uuid_validity",
        "Id valid until",
        Kind(maintenance_terms.UUID_VALIDITY_WORDS, maintenance_terms.UUID_VALIDITY, dated=True),
        "How long the image can be used by its id: the last N, until a day, until a notice, or no "
        "promise.",
        "promises.uuid_validity",
        "publish",
        "last-1",
        required=True,
    ),
    Property(
        "provided_until",
        "Provided until",
        Kind(maintenance_terms.PROVIDED_UNTIL_WORDS, maintenance_terms.PROVIDED_UNTIL, dated=True),
        "Until when the family is offered and gets new releases, or no promise.",
        "promises.provided_until",
        "publish",
        "none",
        required=True,
    ),
    Property(
        "hotfix_hours",
        "Hours to a hotfix",
        Kind(maintenance_terms.HOTFIX_HOURS_WORDS, NUMBER.pattern, lowest=0),
        "Within how many hours a release follows the fix of a critical defect; 0: as soon as can "
        "be; absent: no promise.",
        "promises.hotfix_hours",
        "publish",
        "48",
    ),
    Property(
        "license_included",
        "License included",
        BOOLEAN,
        "Whether the price of a server contains the licenses of what is in the image.",
        "properties",
        "publish",
        "true",
    ),
    Property(
        "license_required",
        "License required",
        BOOLEAN,
        "Whether its user must bring a license.",
        "properties",
        "publish",
        "false",
    ),
    Property(
        "subscription_included",
        "Subscription included",
        BOOLEAN,
        "Whether the image contains a subscription for updates.",
        "properties",
        "publish",
        "true",
    ),
    Property(
        "subscription_required",
        "Subscription required",
        BOOLEAN,
        "Whether its user must bring a subscription to get updates.",
        "properties",
        "publish",
        "false",
    ),
    Property(
        "l1_support_contact",
        "Support",
        TEXT,
        "Where users find support that is part of the price.",
        "properties",
        "publish",
        "https://support.example/images",
    ),
    # Where it comes from
    Property(
        f"{PREFIX}build_date",
        "Build ended",
        TIMESTAMP,
        "When the build ended.",
        "imagecycle",
        "publish",
        "2026-11-22T12:00:00+00:00",
        required=True,
    ),
    Property(
        f"{PREFIX}input_digest",
        "Digest of the inputs",
        SHA256,
        "Of all that went into the build; builds with the same one are interchangeable.",
        "imagecycle",
        "publish",
        "17" * 32,
        required=True,
    ),
    Property(
        f"{PREFIX}disk_sha512",
        "SHA-512 of the disk",
        SHA512,
        "Of the disk as it was verified; the download must have the same.",
        "imagecycle",
        "publish",
        "2f" * 64,
        required=True,
    ),
    Property(
        f"{PREFIX}verified",
        "Verified",
        TIMESTAMP,
        "When it had been booted and checked.",
        "imagecycle",
        "publish",
        "2026-11-22T12:10:00+00:00",
        required=True,
    ),
    Property(
        f"{PREFIX}checks",
        "Checks passed",
        NUMBER,
        "How many checks it passed.",
        "imagecycle",
        "publish",
        "47",
        required=True,
    ),
    Property(
        f"{PREFIX}security_profile",
        "Security profile",
        WORD,
        "The profile of a published security guide that it was held against; absent where there "
        "was none.",
        "security_profile",
        "publish",
        "anssi_bp28_high",
    ),
    Property(
        f"{PREFIX}security_score",
        "Security score",
        NUMBER,
        "Its score in that profile, of 100. Rules that the operator has accepted count as failed.",
        "imagecycle",
        "publish",
        "81",
    ),
    Property(
        f"{PREFIX}changes",
        "Changes",
        TEXT,
        "What changed in its packages since the release that is named first: + is new, - is gone.",
        "imagecycle",
        "publish",
        "20260822: packages: 1 added, 0 removed, 2 changed (+jq, apt, openssl)",
    ),
    Property(
        f"{PREFIX}version",
        "Published by",
        TEXT,
        "The version of imagecycle that published it.",
        "imagecycle",
        "publish",
        "0.1.0",
        required=True,
    ),
    # What became of it
    Property(
        f"{PREFIX}adopted_at",
        "Adopted",
        TIMESTAMP,
        "When imagecycle took over an image that was published by hand.",
        "imagecycle",
        "adopt",
        "2026-11-22T14:00:00+00:00",
    ),
    Property(
        f"{PREFIX}superseded_at",
        "Superseded",
        TIMESTAMP,
        "When a newer release took its place.",
        "imagecycle",
        "publish, adopt",
        "2027-02-22T12:00:00+00:00",
    ),
    Property(
        f"{PREFIX}retired_at",
        "Retired",
        TIMESTAMP,
        "When it was left to the projects that use it.",
        "imagecycle",
        "retire",
        "2027-05-23T12:00:00+00:00",
    ),
    Property(
        f"{PREFIX}unused_since",
        "Unused since",
        TIMESTAMP,
        "Since when nobody uses it; it is deleted when the grace period is over.",
        "imagecycle",
        "retire",
        "2027-06-23T12:00:00+00:00",
    ),
    Property(
        f"{PREFIX}shared_with",
        "Shared with",
        Kind("a number, a colon and a digest, or nothing", r"^(\d+:[0-9a-f]{24})?$"),
        "How many projects it is shared with, and a digest of their ids; empty while they change.",
        "imagecycle",
        "retire, revoke",
        "3:" + "5f" * 12,
    ),
    Property(
        f"{PREFIX}revoked_at",
        "Revoked",
        TIMESTAMP,
        "When it was taken away.",
        "imagecycle",
        "revoke",
        "2026-12-01T09:00:00+00:00",
    ),
    Property(
        f"{PREFIX}revoked_reason",
        "Revoked because",
        TEXT,
        "Why it was taken away.",
        "imagecycle",
        "revoke",
        "its SSH host keys are not its own",
    ),
    Property(
        f"{PREFIX}successor",
        "Successor",
        IMAGE_ID,
        "The id of the image to use instead.",
        "imagecycle",
        "publish, revoke",
        "39ae4cf7-de9c-4b0a-87cc-4210a8af80a9",
    ),
    # What OpenStack itself reads
    Property(
        "os_distro",
        "OS distribution",
        Kind("a name such as debian", r"^[a-z][a-z0-9]*$"),
        "The distribution.",
        "distro",
        "publish",
        "debian",
        required=True,
    ),
    Property(
        "os_version",
        "OS version",
        Kind("a version such as 12", r"^[a-z0-9][a-z0-9.]*$"),
        "Its version.",
        "version",
        "publish",
        "12",
        required=True,
    ),
    Property(
        "os_type",
        "OS type",
        one_of("linux", "windows"),
        "What Nova prepares disks and clock for.",
        "type",
        "publish",
        "linux",
        required=True,
    ),
    Property(
        "os_admin_user",
        "OS administrator",
        WORD,
        "The account with administrator's rights.",
        "admin_user",
        "publish",
        "debian",
        required=True,
    ),
    Property(
        "architecture",
        "Architecture",
        one_of("x86_64", "aarch64"),
        "The processor it runs on.",
        "architectures",
        "publish",
        "x86_64",
        required=True,
    ),
    Property(
        "hw_firmware_type",
        "Firmware",
        one_of("bios", "uefi"),
        "What it boots from; absent when it boots from either.",
        "architectures.*.firmware",
        "publish",
        "uefi",
    ),
)

BY_NAME: Mapping[str, Property] = {one.name: one for one in PROPERTIES}

NOT_INHERITED: tuple[str, ...] = (
    *(name for name in BY_NAME if name.startswith(PREFIX)),
    *("image_build_date", "image_description", "image_source", "patchlevel"),
    *("replace_frequency", "uuid_validity", "provided_until", "hotfix_hours"),
)
"""What is true of a release and not of a snapshot of its servers: where it comes from, what became
of it, and what the operator promises. The rest, what OpenStack reads and what is in the system
(``os_*``, ``hw_*``, licenses, the end of its support), is inherited."""


def is_inherited(name: str) -> bool:
    """Whether a property of a release is true of what is made from it as well."""
    return name not in NOT_INHERITED and not name.startswith(PREFIX)
