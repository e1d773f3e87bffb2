"""How a release's disk comes into a cloud: its format, its way, and the stores that hold it."""

from __future__ import annotations

import dataclasses

from imagecycle.artifacts import Artifact
from imagecycle.build import formats
from imagecycle.errors import UsageError
from imagecycle.lifecycle.interfaces import Images
from imagecycle.lifecycle.rules.publish import Target
from imagecycle.metadata import evidence
from imagecycle.site_sections import CloudSettings


def disk_for(artifact: Artifact, settings: CloudSettings) -> formats.Disk:
    """The disk of a release in the format that a cloud wants, converted if it has not been.

    :raises NotVerified: when the release did not pass verification.
    """
    proven = evidence.gather(artifact)
    hashes = {"sha256": proven.sha256, "sha512": proven.sha512}
    original = formats.Disk(artifact.disk, proven.disk_format, proven.size, hashes)
    return formats.convert(artifact, original, settings.disk_format)


def as_delivered(
    settings: CloudSettings, target: Target, artifact: Artifact, disk: formats.Disk
) -> Target:
    """The release as a cloud with these settings is to get it."""
    source = ""
    if settings.artifacts_url:
        folder = f"{settings.artifacts_url.rstrip('/')}/{artifact.family}/{artifact.release}"
        source = f"{folder}/{disk.path.name}"
    return dataclasses.replace(
        target,
        size=disk.size,
        disk_format=disk.format,
        hashes=disk.hashes,
        other_formats=disk.others,
        method=settings.import_method,
        stores=settings.stores,
        source=source,
    )


def refuse_impossible(target: Target, images: Images) -> None:
    """Refuse stores and ways that a cloud does not have, before anything is begun.

    :raises UsageError: naming those that it has.
    """
    cloud = images.cloud
    if target.stores:
        stores = images.importing.stores()
        for store in target.stores:
            if store not in stores:
                has = f"it has {', '.join(stores)}" if stores else "it has one store without a name"
                raise UsageError(
                    f"{cloud}: Glance has no store {store}",
                    hint=f"{has}; correct `stores` below `clouds` in the site's settings",
                )
    copied = target.method == "upload" and len(target.stores) > 1
    needed = "copy-image" if copied else target.method
    if needed != "upload":
        methods = images.importing.methods()
        if needed not in methods:
            raise UsageError(
                f"{cloud}: Glance does not offer the import method {needed}",
                hint=f"it offers {', '.join(methods) or 'none'}; let it, or correct "
                "`import_method` below `clouds` in the site's settings",
            )
