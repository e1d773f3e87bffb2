"""`verify --cloud`: bring a release into a cloud as a private candidate, and boot it there.

The candidate is what `publish` would make first, and what it takes when it comes: the disk travels
once. A candidate that was made here and does not pass is deleted again, as after an interrupt.
"""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from imagecycle import log
from imagecycle.artifacts import ArtifactStore, lock_file
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import open_cloud
from imagecycle.errors import DefectsFound, ImagecycleError, UsageError
from imagecycle.lifecycle import delivery, publish
from imagecycle.lifecycle import plan as planning
from imagecycle.lifecycle.cloud_context import CloudContext, lock_path, say
from imagecycle.lifecycle.rules import Decision
from imagecycle.lifecycle.rules.publish import Target
from imagecycle.lifecycle.steps import Discard
from imagecycle.metadata import evidence, identity
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import cloud_records, cloud_stage
from imagecycle.verify.verdict import PASSED


def verify_in_cloud(
    family: Family,
    site: Site,
    *,
    cloud: str,
    release: str | None,
    force: bool,
    keep: bool,
) -> Path:
    """Boot a release of a family in a cloud and check what its users would meet there.

    :param cloud: an entry of ``clouds.yaml``.
    :param release: the release, or None for the newest.
    :param force: verify again what has been verified there.
    :param keep: leave the working folder.
    :returns: the HTML report.
    :raises NotVerified: when the release did not pass verification on this machine.
    :raises DefectsFound: when a check failed; everything has been recorded by then.
    :raises ImagecycleError: when nothing can be said about the image; nothing is left in the cloud.
    """
    if family.os_type != "linux":
        raise UsageError(f"in a cloud, verify looks into Linux only, not into {family.os_type}")
    artifact = ArtifactStore(site.artifacts).find(family.slug, release)
    proven = evidence.gather(artifact)
    page = cloud_records.Files.of(artifact, cloud).page
    if not force and page.exists() and cloud_records.has_passed(artifact, cloud, proven.sha256):
        log.say(f"{family.slug} {artifact.release} has been verified in {cloud} and is unchanged")
        return page
    disk = delivery.disk_for(artifact, site.settings_of(cloud))
    target = delivery.as_delivered(
        site.settings_of(cloud), publish.target_of(family, artifact, site), artifact, disk
    )
    lock = lock_path(site, cloud, family.slug)
    with (
        lock_file(lock, f"verifying {family.slug} in {cloud}", f"verify in {cloud}"),
        log.step(f"verifying {family.slug} {artifact.release} in {cloud}"),
    ):
        session = open_cloud(cloud, site)
        context = CloudContext.of(session, cloud, site)
        delivery.refuse_impossible(target, context.images)
        with _candidate(context, target, disk.path) as image:
            verdict = cloud_stage.verify_image(
                family,
                site,
                artifact,
                session,
                image,
                size=proven.virtual_size,
                sha256=proven.sha256,
                keep=keep,
            )
            log.say(verdict.summary)
            if verdict.verdict != PASSED:
                named = ", ".join(verdict.defects) or "no check was run"
                raise DefectsFound(
                    f"{family.slug} {artifact.release} has defects in {cloud}: "
                    f"{textwrap.shorten(named, 400, placeholder=' ...')}",
                    hint=f"read {verdict.page}",
                )
    return page


def verify_where_required(
    family: Family, site: Site, *, clouds: Sequence[str], release: str | None
) -> None:
    """Do so in each of some clouds whose settings require it before the family is published.

    :param clouds: entries of ``clouds.yaml``, or ``ENTRY/REGION``.
    :param release: the release, or None for the newest.
    :raises ImagecycleError: as :func:`verify_in_cloud` does; the clouds after it are left out.
    """
    for cloud in clouds:
        if site.settings_of(cloud).verify.is_required_for(family.slug):
            verify_in_cloud(family, site, cloud=cloud, release=release, force=False, keep=False)


@contextlib.contextmanager
def _candidate(context: CloudContext, target: Target, disk: Path) -> Iterator[Image]:
    """The image of a release for the length of a ``with`` block.

    :raises ImagecycleError: when the cloud does not take it; nothing half-made stays in it.
    """
    image, made = publish.bring(context, target, disk)
    try:
        yield image
    except BaseException as error:
        if made:
            why = "did not pass in this cloud" if isinstance(error, DefectsFound) else "given up"
            _discard_or_say(context, target, image, why)
        raise


def _discard_or_say(context: CloudContext, target: Target, image: Image, why: str) -> None:
    try:
        images = context.images.images(**{identity.FAMILY: target.family})
        found = context.recognise(images).families
        plan = planning.make(
            Decision([Discard(image.id, f"the candidate of {target.release}: {why}")]),
            found,
            cloud=context.name,
            project=context.images.project_id,
            command="verify",
            why=f"take back {target.family} {target.release}",
            now=context.clock(),
        )
        say(plan)
        context.carry_out(plan, found)
    except ImagecycleError as error:
        log.warn(
            f"candidate {image.id} is left in {context.name} ({error.message}); the next verify "
            "or publish of this release uses it"
        )
