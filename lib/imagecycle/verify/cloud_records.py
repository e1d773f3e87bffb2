"""What verification in clouds leaves in the artifact folder of a release.

``verify-cloud.json`` has an entry for each cloud; each has a report, JUnit XML and the console.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagecycle.artifacts import Artifact
from imagecycle.verify.verdict import PASSED

RECORD = "verify-cloud"


def has_passed(artifact: Artifact, cloud: str, sha256: str) -> bool:
    """Whether a disk has been verified in a cloud and passed."""
    entry = entry_of(artifact, cloud)
    return entry.get("verdict") == PASSED and entry.get("disk_sha256") == sha256


def entry_of(artifact: Artifact, cloud: str) -> Mapping[str, Any]:
    """What the record says of a cloud; nothing while it was not verified there."""
    clouds = (artifact.record(RECORD) or {}).get("clouds", {})
    entry = clouds.get(cloud, {}) if isinstance(clouds, dict) else {}
    return entry if isinstance(entry, dict) else {}


@dataclass(frozen=True)
class Files:
    """What is left for people and for Jenkins."""

    page: Path
    junit: Path
    console: Path

    @classmethod
    def of(cls, artifact: Artifact, cloud: str) -> Files:
        name = urllib.parse.quote(cloud, safe=" @+")
        folder = artifact.folder
        return cls(
            folder / f"verify-{name}.html",
            folder / f"verify-{name}.xml",
            folder / f"cloud-console-{name}.log",
        )
