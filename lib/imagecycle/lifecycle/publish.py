"""The publish stage: make a verified release the current one of its family in a cloud.

It can be interrupted anywhere and run again: what an earlier run left is used or removed, so that
a release is in a cloud once. Run on a published release, it changes nothing.
"""

from __future__ import annotations

import dataclasses
import datetime
import time
import uuid
from pathlib import Path
from typing import Any

from imagecycle import log
from imagecycle.artifacts import Artifact, ArtifactStore, lock_file
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import delivery
from imagecycle.lifecycle import plan as planning
from imagecycle.lifecycle.cloud_context import CloudContext, Families, lock_path, say
from imagecycle.lifecycle.plan import Plan
from imagecycle.lifecycle.rules.publish import Publication, Target, bringing, decide
from imagecycle.lifecycle.uploading import digests
from imagecycle.metadata import definitions, evidence, identity, naming
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import cloud_records
from imagecycle.verify.verdict import PASSED

_RECORD_WAIT = 30.0  # seconds for another cloud's entry in the same record


def publish(
    family: Family,
    site: Site,
    *,
    cloud: str,
    release: str | None,
    dry_run: bool,
    out: Path | None = None,
) -> Image | None:
    """Publish a release of a family; the newest in the artifact folder unless one is named.

    :param cloud: an entry of ``clouds.yaml``.
    :param dry_run: print the plan and change nothing.
    :param out: write the plan there for ``imagecycle apply``, and change nothing.
    :returns: the published image; None with ``dry_run`` or ``out``.
    :raises NotVerified: when the release did not pass verification.
    :raises LockHeld: when another process changes the same family in this cloud.
    :raises ImagecycleError: when the cloud does not play along; nothing half-made stays in it.
    """
    began = time.monotonic()
    artifact = ArtifactStore(site.artifacts).find(family.slug, release)
    _see_verified_there(family, artifact, site, cloud)
    disk = delivery.disk_for(artifact, site.settings_of(cloud))
    target = delivery.as_delivered(
        site.settings_of(cloud), target_of(family, artifact, site), artifact, disk
    )
    if dry_run or out is not None:
        context = CloudContext.open(cloud, site)
        delivery.refuse_impossible(target, context.images)
        plan = _plan(target, context, disk.path)[0]
        if out is not None:
            planning.write(plan, out)
            log.say(f"written: {out}; apply it with `imagecycle apply {out}`")
        return None
    with lock_file(_lock(site, family, cloud), f"publishing {family.slug}", f"publish to {cloud}"):
        session = open_cloud(cloud, site)
        context = CloudContext.of(session, cloud, site)
        delivery.refuse_impossible(target, context.images)
        image, plan = publish_in(context, target, disk.path)
        _record(artifact, cloud, image, plan, time.monotonic() - began)
    _say_of_definitions(session)
    return image


def publish_in(context: CloudContext, target: Target, disk: Path) -> tuple[Image, Plan]:
    """Publish a release in a cloud that we are logged in to; returns its image and the plan.

    :raises ImagecycleError: when the cloud does not play along; nothing half-made stays in it.
    """
    plan, found, publication = _plan(target, context, disk)
    result = context.carry_out(plan, found, disk)
    image = result.changed.get(publication.image_id, publication.published)
    if image is None:
        raise ImagecycleError(f"{context.name}: the plan published nothing", hint="run this again")
    return image, plan


def bring(context: CloudContext, target: Target, disk: Path) -> tuple[Image, bool]:
    """See that a release is in a cloud, be it as a private candidate.

    :returns: its image, and whether it was made now.
    :raises ImagecycleError: when the cloud does not play along; nothing half-made stays in it.
    """
    plan, found, publication = _plan(target, context, disk, only_bring=True)
    if publication.published is not None:
        return publication.published, False
    result = context.carry_out(plan, found, disk)
    return result.changed[publication.image_id], True


def target_of(family: Family, artifact: Artifact, site: Site) -> Target:
    """A release as it should be in a cloud.

    :raises NotVerified: when the release did not pass verification.
    :raises InvalidProperties: when what it would carry is not what the schema expects.
    """
    proven = evidence.gather(artifact)
    kept = site.retirement.of(family.retirement).keep
    return Target(
        family=family.slug,
        release=artifact.release,
        name=naming.name(site.name_template, family, artifact.release),
        size=proven.size,
        disk_format=proven.disk_format,
        min_disk=identity.min_disk(family, proven),
        min_ram=family.min_ram_mib,
        properties=identity.properties(family, proven, kept=kept),
        hashes={"sha256": proven.sha256, "sha512": proven.sha512},
    )


def _plan(
    target: Target, context: CloudContext, disk: Path, *, only_bring: bool = False
) -> tuple[Plan, Families, Publication]:
    images = context.images.images(**{identity.FAMILY: target.family})
    contents = context.recognise(images)
    family = contents.families.get(target.family, [])
    algorithms = {held.image.hash_algo for held in family}
    unknown = algorithms - target.hashes.keys() - {""}
    if unknown:
        found = digests(disk, {*unknown, "sha512"})
        if found.pop("sha512") == target.hashes["sha512"]:
            hashes = {**found, **target.hashes}
            target = dataclasses.replace(target, hashes=hashes)
    publication = decide(
        target,
        family,
        unsure=contents.unsure(target.family),
        now=context.clock(),
        new_id=_new_id(),
    )
    if only_bring:
        publication = bringing(publication)
    plan = planning.make(
        publication,
        contents.families,
        cloud=context.name,
        project=context.images.project_id,
        command="verify" if only_bring else "publish",
        why=f"{'bring' if only_bring else 'publish'} {target.family} {target.release}",
        now=context.clock(),
        uploads=[target.family],
    )
    if not only_bring:
        _say(plan, publication, target)
    elif publication.published is not None:
        log.say(f"{plan.cloud} has {target.family} {target.release}: {publication.published.id}")
    else:
        say(plan)
    return plan, contents.families, publication


def _see_verified_there(family: Family, artifact: Artifact, site: Site, cloud: str) -> None:
    """Refuse a release that the site wants booted in a cloud first.

    :raises NotVerified: when it has not passed there.
    """
    if not site.settings_of(cloud).verify.is_required_for(family.slug):
        return
    proven = evidence.gather(artifact)
    if cloud_records.has_passed(artifact, cloud, proven.sha256):
        return
    again = f"imagecycle verify {family.slug} --release {artifact.release} --cloud {cloud}"
    if verdict := cloud_records.entry_of(artifact, cloud).get("verdict"):
        page = cloud_records.Files.of(artifact, cloud).page
        why, way_out = f"did not pass verification in {cloud}: {verdict}", f"read {page}"
        if verdict == PASSED:
            why, way_out = f"was verified in {cloud} with another disk", again
    else:
        why, way_out = f"was not verified in {cloud}, which the site's settings require", again
    raise evidence.NotVerified(f"{family.slug} {artifact.release} {why}", hint=way_out)


def _new_id() -> str:
    return str(uuid.uuid4())


def _say(plan: Plan, publication: Publication, target: Target) -> None:
    if plan.steps or publication.published is None:
        say(plan)
        return
    for note in plan.notes:
        log.say(f"note: {note}")
    log.say(
        f"nothing to do: {target.family} {target.release} is current in {plan.cloud}, "
        f"image {publication.published.id}"
    )


def _say_of_definitions(session: CloudSession) -> None:
    """Say it in one line when Horizon cannot explain what was published; it stops nobody."""
    try:
        wrong = definitions.shortcoming(session)
    except ImagecycleError:
        return
    if wrong:
        log.say(
            f"{session.name} {wrong}: an administrator can install them with "
            f"`imagecycle metadata install --cloud {session.name}`"
        )


def _record(artifact: Artifact, cloud: str, image: Image, plan: Plan, seconds: float) -> None:
    """Leave ``publish.json``: one entry for each cloud, unchanged when nothing was done."""
    lock = artifact.folder / ".publish.lock"
    with lock_file(lock, f"{artifact.folder}/publish.json", f"publish to {cloud}", _RECORD_WAIT):
        record: dict[str, Any] = artifact.record("publish") or {}
        clouds = record.get("clouds", {})
        if not plan.steps and clouds.get(cloud, {}).get("image_id") == image.id:
            return
        entry = {
            "image_id": image.id,
            "name": image.name,
            "published_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
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


def _lock(site: Site, family: Family, cloud: str) -> Path:
    return lock_path(site, cloud, family.slug)
