"""What imagecycle writes on an image in Glance: who it is, where it comes from, and the standard
properties that follow from a family. What each of them means stands in :mod:`.schema`.

A release's identity in a cloud is these properties and the image's id, never its name. Nova and
Cinder copy properties to snapshots and uploads, and people do by hand; so a release also carries
its own id, and an image that names another one is a copy.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass

from imagecycle import __version__
from imagecycle.cloud.image import OWN_FIELDS, Image
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.machine import platforms
from imagecycle.metadata import schema, validation
from imagecycle.metadata.evidence import Evidence
from imagecycle.model import Family, Release, State

PREFIX = schema.PREFIX
IMAGE_ID = f"{PREFIX}image_id"
"""The id of the image that is the release; under any other id, the properties are copied ones"""
FAMILY = f"{PREFIX}family"
FLAVOUR = f"{PREFIX}flavour"
RELEASE = f"{PREFIX}release"
STATE = f"{PREFIX}state"
BUILD_DATE = f"{PREFIX}build_date"
"""When the build ended, UTC, ISO 8601"""
INPUT_DIGEST = f"{PREFIX}input_digest"
"""Of all that went into the build; two builds with the same one are interchangeable"""
DISK_SHA512 = f"{PREFIX}disk_sha512"
"""Of the disk as it was verified, hexadecimal"""
VERIFIED = f"{PREFIX}verified"
"""When it was verified, UTC, ISO 8601"""
CHECKS = f"{PREFIX}checks"
"""How many checks it passed"""
SECURITY_PROFILE = f"{PREFIX}security_profile"
SECURITY_SCORE = f"{PREFIX}security_score"
CHANGES = f"{PREFIX}changes"
"""What changed in its packages: the release before, a colon, and the rest for people"""
VERSION = f"{PREFIX}version"
"""The imagecycle that published it"""
ADOPTED_AT = f"{PREFIX}adopted_at"
"""When an image that was published by hand was taken over, UTC, ISO 8601"""
SUPERSEDED_AT = f"{PREFIX}superseded_at"
"""When it went out of sight, UTC, ISO 8601; the time until its retirement runs from then"""
RETIRED_AT = f"{PREFIX}retired_at"
"""When it was last shared with its users, UTC, ISO 8601"""
REVOKED_AT = f"{PREFIX}revoked_at"
"""When it was taken away, UTC, ISO 8601"""
REVOKED_REASON = f"{PREFIX}revoked_reason"
"""Why it was taken away, for people"""
SUCCESSOR = f"{PREFIX}successor"
"""The id of the image to use instead"""
UNUSED_SINCE = f"{PREFIX}unused_since"
"""When it was first seen without any user, UTC, ISO 8601; the grace period runs from then"""
SHARED_WITH = f"{PREFIX}shared_with"
"""A digest of the members that it was last seen to have; empty while they are being changed"""

EDITION = f"{PREFIX}edition"
"""Of Windows, by its id"""
LANGUAGE = f"{PREFIX}language"
"""Of Windows"""
LICENSE_CHANNEL = f"{PREFIX}license_channel"
"""The kind of key that Windows was installed with"""

WRITTEN_ONCE = frozenset({VERSION, CHANGES})
"""Facts of the upload: not brought up to date on an image that is published already."""
_GIB = 2**30


@dataclass(frozen=True)
class Identity:
    """Which release an image is, and where in its life."""

    family: str
    release: Release
    state: State


def read(image: Image) -> Identity | None:
    """The release that an image is; None when its properties do not name its own id.

    :raises ImagecycleError: when it is one of ours and its properties make no sense.
    """
    return parse(image.properties) if names_itself(image) else None


def names_itself(image: Image) -> bool:
    """Whether the properties of a release are this image's own, and not copied ones."""
    return image.properties.get(IMAGE_ID) == image.id and FAMILY in image.properties


def is_carried_by(image: Image) -> bool:
    """Whether an image has properties of imagecycle's, its own or copied ones."""
    return any(name.startswith(PREFIX) for name in image.properties)


def parse(properties: Mapping[str, str]) -> Identity:
    """The identity that is written in the properties of a release.

    :raises ImagecycleError: when they make no sense.
    """
    try:
        release = Release.parse(properties[RELEASE])
        return Identity(properties[FAMILY], release, State(properties[STATE]))
    except (KeyError, ValueError, UsageError):
        written = ", ".join(f"{key}={properties.get(key)}" for key in (RELEASE, STATE))
        raise ImagecycleError(
            f"an image of {properties.get(FAMILY)} has properties that make no sense: {written}",
            hint=f"mend {RELEASE} and {STATE}, or remove {FAMILY} if the image is none of ours",
        ) from None


def properties(family: Family, evidence: Evidence, *, kept: int = 1) -> dict[str, str]:
    """All properties of a release, except its state and its id; they keep to the schema.

    :param kept: how many superseded releases stay usable by their ids, by the policy.
    :raises UsageError: when the family sets a property that is not for the catalog to set.
    :raises InvalidProperties: when a value is not what the schema expects.
    """
    for name in family.properties:
        if name in OWN_FIELDS or name.startswith(PREFIX):
            raise UsageError(
                f"{family.source}: the property {name} is not for the catalog to set",
                hint="remove it; imagecycle and Glance write it themselves",
            )
    firmware = {"hw_firmware_type": family.firmware[0]} if len(family.firmware) == 1 else {}
    kinds = platforms.of(family.arch).machines
    machine = {"hw_machine_type": kinds[0]} if len(kinds) == 1 else {}
    written = {
        "os_distro": family.distro,
        "os_version": family.version,
        "os_type": family.os_type,
        "os_admin_user": family.admin_user,
        "architecture": family.arch,
        **firmware,
        **machine,
        **_promises(family, kept),
        **_windows(family, evidence),
        **{name: str(value) for name, value in family.properties.items()},
        "image_build_date": _utc(evidence.built_at),
        FAMILY: family.slug,
        FLAVOUR: family.flavour,
        RELEASE: str(evidence.release),
        BUILD_DATE: evidence.built_at,
        INPUT_DIGEST: evidence.input_digest,
        DISK_SHA512: evidence.sha512,
        VERIFIED: evidence.verified_at,
        CHECKS: str(evidence.checks),
        **_security(evidence),
        **({CHANGES: evidence.changes} if evidence.changes else {}),
        VERSION: __version__,
    }
    validation.validate(written, f"{family.slug} {evidence.release}")
    return written


def _security(evidence: Evidence) -> dict[str, str]:
    if not evidence.security_profile:
        return {}
    return {
        SECURITY_PROFILE: evidence.security_profile,
        SECURITY_SCORE: str(evidence.security_score),
    }


def _promises(family: Family, kept: int) -> dict[str, str]:
    """What public clouds have agreed on; see :mod:`imagecycle.catalog.maintenance_terms`."""
    promised = family.promises
    description = " ".join(f"{family.title}: {family.description}".split()).rstrip(":")
    written = {
        "image_description": description,
        "image_original_user": family.admin_user,
        "image_source": family.image_source,
        "os_purpose": family.purpose,
        "replace_frequency": promised.replace_frequency,
        "uuid_validity": promised.uuid_validity or (f"last-{kept}" if kept else "none"),
        "provided_until": promised.provided_until,
    }
    if promised.hotfix_hours is not None:
        written["hotfix_hours"] = str(promised.hotfix_hours)
    if family.end_of_support is not None:
        written["maintained_until"] = family.end_of_support.isoformat()
    return written


def _windows(family: Family, evidence: Evidence) -> dict[str, str]:
    """What sets an image of Windows apart, by what was installed."""
    if family.windows is None:
        return {}
    patched = {"patchlevel": evidence.patchlevel} if evidence.patchlevel else {}
    return {
        EDITION: family.windows.edition,
        LANGUAGE: family.windows.language,
        LICENSE_CHANNEL: family.windows.key,
        **patched,
    }


def _utc(timestamp: str) -> str:
    """A timestamp in the form of public clouds; one that is none is left for the schema to name."""
    try:
        moment = datetime.datetime.fromisoformat(timestamp)
    except ValueError:
        return timestamp
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S}"


def min_disk(family: Family, evidence: Evidence) -> int:
    """The smallest root disk in GiB: never less than the image unpacks to."""
    return max(family.disk_gib, math.ceil(evidence.virtual_size / _GIB))
