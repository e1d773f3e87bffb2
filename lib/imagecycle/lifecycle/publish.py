"""The publish stage: make a verified release the current one of its family in a cloud.

It can be interrupted anywhere and run again: what an earlier run left is used or removed, so that
a release is in a cloud once. Run on a published release, it changes nothing.
"""

from __future__ import annotations

import dataclasses
import datetime
import time
from pathlib import Path
from typing import Any

from imagecycle import log
from imagecycle.artifacts import Artifact, ArtifactStore, lock_file
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import open_cloud
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import evidence, metadata, naming
from imagecycle.lifecycle.apply import apply, digests
from imagecycle.lifecycle.plan import Plan, Target, decide
from imagecycle.model import Family
from imagecycle.site import Site


def publish(
    family: Family, site: Site, *, cloud: str, release: str | None, dry_run: bool
) -> Image | None:
    """Publish a release of a family; the newest in the artifact folder unless one is named.

    :param cloud: an entry of ``clouds.yaml``.
    :param dry_run: print the plan and change nothing.
    :returns: the published image; None with ``dry_run``.
    :raises NotVerified: when the release did not pass verification.
    :raises LockHeld: when another process publishes the same family.
    :raises ImagecycleError: when the cloud does not play along; nothing half-made stays in it.
    """
    began = time.monotonic()
    artifact = ArtifactStore(site.artifacts).find(family.slug, release)
    target = _target(family, artifact, site)
    if dry_run:
        glance = Glance(open_cloud(cloud, site))
        _say(_plan(target, glance, artifact.disk), target, cloud)
        return None
    with lock_file(_lock(site, family), f"publishing {family.slug}", f"publish to {cloud}"):
        glance = Glance(open_cloud(cloud, site))
        plan = _plan(target, glance, artifact.disk)
        _say(plan, target, cloud)
        image = apply(plan, target, glance, artifact.disk)
        if image is None:
            raise ImagecycleError(f"{cloud}: the plan published nothing", hint="run this again")
        _record(artifact, cloud, image, plan, time.monotonic() - began)
    return image


def _target(family: Family, artifact: Artifact, site: Site) -> Target:
    proven = evidence.gather(artifact)
    return Target(
        family=family.slug,
        release=artifact.release,
        name=naming.name(site.name_template, family, artifact.release),
        size=proven.size,
        disk_format=proven.disk_format,
        min_disk=metadata.min_disk(family, proven),
        min_ram=family.min_ram_mib,
        properties=metadata.properties(family, proven),
        hashes={"sha256": proven.sha256, "sha512": proven.sha512},
    )


def _plan(target: Target, glance: Glance, disk: Path) -> Plan:
    images = glance.images(**{metadata.FAMILY: target.family})
    unknown = {image.hash_algo for image in images if image.hash_algo} - target.hashes.keys()
    if unknown:
        found = digests(disk, {*unknown, "sha512"})
        if found.pop("sha512") == target.hashes["sha512"]:
            hashes = {**found, **target.hashes}
            target = dataclasses.replace(target, hashes=hashes)
    return decide(target, images)


def _say(plan: Plan, target: Target, cloud: str) -> None:
    what = f"{target.family} {target.release}"
    for note in plan.notes:
        log.say(f"note: {note}")
    if not plan.steps:
        assert plan.published is not None
        log.say(f"nothing to do: {what} is current in {cloud}, image {plan.published.id}")
        return
    log.say(f"plan for {what} in {cloud}:")
    for number, step in enumerate(plan.steps, start=1):
        log.say(f"  {number}. {step}")


def _record(artifact: Artifact, cloud: str, image: Image, plan: Plan, seconds: float) -> None:
    """Leave ``publish.json``: one entry for each cloud, unchanged when nothing was done."""
    record: dict[str, Any] = artifact.record("publish") or {}
    clouds = record.get("clouds", {})
    if not plan.steps and clouds.get(cloud, {}).get("image_id") == image.id:
        return
    now = datetime.datetime.now(datetime.UTC)
    entry = {
        "image_id": image.id,
        "name": image.name,
        "published_at": now.isoformat(timespec="seconds"),
        "steps": [str(step) for step in plan.steps],
        "image": image.facts(),
        "durations": {"total": round(seconds, 3)},
    }
    artifact.write_record(
        "publish",
        {
            "family": artifact.family,
            "release": str(artifact.release),
            "clouds": {**clouds, cloud: entry},
        },
    )


def _lock(site: Site, family: Family) -> Path:
    return site.artifacts / family.slug / ".publish.lock"
