"""What the earlier stages say about a release, and the refusal of one that did not pass them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from imagecycle.artifacts import Artifact, Record
from imagecycle.errors import ImagecycleError
from imagecycle.metadata import package_changes
from imagecycle.model import Release


class NotVerified(ImagecycleError):
    """A release that nobody may publish: it was not verified, or not this disk."""


@dataclass(frozen=True)
class Evidence:
    """A release whose disk is the one that passed verification."""

    release: Release
    disk_format: str
    size: int
    """Of the file, in bytes"""
    virtual_size: int
    """Of the disk inside, in bytes"""
    sha256: str
    sha512: str
    input_digest: str
    built_at: str
    verified_at: str
    checks: int
    patchlevel: str = ""
    """In the system's own words, where the build says it"""
    security_profile: str = ""
    """That it was held against; empty where there was none"""
    security_score: int = 0
    """Of 100, rounded down"""
    changes: str = ""
    """In its packages, since the release before, where that is known"""


def gather(artifact: Artifact) -> Evidence:
    """Read the records of build and verify, and see that they speak of the disk that is there.

    :raises NotVerified: when the release may not be published.
    :raises ImagecycleError: when a record lacks something.
    """
    family, release = artifact.family, artifact.release
    build = artifact.record("build")
    if build is None:
        raise NotVerified(
            f"{family} {release} has no build record", hint=f"imagecycle build {family}"
        )
    evidence = Evidence(
        release=release,
        disk_format=str(_get(artifact, "build", build, "disk", "format")),
        size=int(_get(artifact, "build", build, "disk", "size")),
        virtual_size=int(_get(artifact, "build", build, "disk", "virtual_size")),
        sha256=str(_get(artifact, "build", build, "disk", "sha256")),
        sha512=str(_get(artifact, "build", build, "disk", "sha512")),
        input_digest=str(_get(artifact, "build", build, "input_digest")),
        built_at=str(_get(artifact, "build", build, "built_at")),
        patchlevel=str(build.get("patchlevel") or ""),
        changes=package_changes.since_published(artifact),
        **_verdict(artifact, str(_get(artifact, "build", build, "disk", "sha256"))),
    )
    _see_disk(artifact, evidence)
    return evidence


def _verdict(artifact: Artifact, sha256: str) -> dict[str, Any]:
    family, release = artifact.family, artifact.release
    again = f"imagecycle verify {family} --release {release}"
    verify = artifact.record("verify")
    if verify is None:
        raise NotVerified(f"{family} {release} was not verified", hint=again)
    verdict = _get(artifact, "verify", verify, "verdict")
    if verdict != "passed":
        raise NotVerified(
            f"{family} {release} did not pass verification: {verdict}",
            hint=f"read the report in {artifact.folder}; mend the image and build it again",
        )
    if _get(artifact, "verify", verify, "disk_sha256") != sha256:
        raise NotVerified(f"{family} {release} was verified with another disk", hint=again)
    checks = _get(artifact, "verify", verify, "checks")
    return {
        "verified_at": str(_get(artifact, "verify", verify, "ended_at")),
        **_security(verify),
        "checks": sum(check.get("outcome") == "passed" for check in checks),
    }


def _security(verify: Record) -> dict[str, Any]:
    found = verify.get("security_profile")
    if not found:
        return {}
    return {
        "security_profile": str(found["profile"]),
        "security_score": math.floor(found["score"]),
    }


def _see_disk(artifact: Artifact, evidence: Evidence) -> None:
    again = f"build it again: imagecycle build {artifact.family} --force"
    try:
        size = artifact.disk.stat().st_size
    except OSError as error:
        raise ImagecycleError(f"{artifact.disk}: {error.strerror}", hint=again) from None
    if size != evidence.size:
        raise NotVerified(
            f"{artifact.disk} has {size} bytes, and had {evidence.size} when it was built",
            hint=again,
        )


def _get(artifact: Artifact, stage: str, record: Record, *path: str) -> Any:
    value: Any = record
    for key in path:
        if not isinstance(value, dict) or key not in value:
            raise ImagecycleError(
                f"{artifact.folder / stage}.json lacks {'.'.join(path)}",
                hint=f"run {stage} again: imagecycle {stage} {artifact.family} --force",
            )
        value = value[key]
    return value
