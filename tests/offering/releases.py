"""Images that are releases, as Glance describes them, for tests of the offering."""

import datetime
from collections.abc import Iterable
from typing import Any

from imagecycle.cloud.image import Image
from imagecycle.metadata import identity

FIRST_DAY = datetime.date(2020, 1, 1)


def image_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def image(
    number: int = 1,
    *,
    release: str = "20261122",
    state: str = "current",
    flavour: str = "server",
    version: str = "12",
    name: str | None = None,
    description: str | None = None,
    **properties: str | None,
) -> Image:
    """One release; a property of None is left out."""
    family = properties.pop("imagecycle_family", f"debian-{version}-x86_64-{flavour}")
    written: dict[str, Any] = {
        identity.FAMILY: family,
        identity.FLAVOUR: flavour,
        identity.RELEASE: release,
        identity.STATE: state,
        identity.IMAGE_ID: image_id(number),
        identity.BUILD_DATE: "2026-11-22T12:00:00+00:00",
        identity.VERIFIED: "2026-11-22T12:10:00+00:00",
        identity.CHECKS: "47",
        identity.INPUT_DIGEST: "17" * 32,
        identity.DISK_SHA512: "2f" * 64,
        "image_description": description
        or f"Debian {version} {flavour.capitalize()}: What an administrator expects",
        "image_original_user": "debian",
        "image_source": "private",
        "maintained_until": "2028-06-30",
        "os_distro": "debian",
        "os_version": version,
        "os_type": "linux",
        "architecture": "x86_64",
        "hw_disk_bus": "virtio",
        **properties,
    }
    return Image(
        id=image_id(number),
        name=name if name is not None else f"Debian {version} [{release}]",
        status="active",
        visibility="public",
        hidden=state == "superseded",
        owner="owner",
        size=700 * 2**20,
        min_disk=3,
        min_ram=512,
        hash_algo="sha512",
        hash_value="2f" * 64,
        created_at=f"2026-11-22T13:{number // 60 % 60:02d}:{number % 60:02d}Z",
        properties={key: str(value) for key, value in written.items() if value is not None},
    )


def many(families: int, releases: int) -> Iterable[Image]:
    """So many families with so many releases each, all but the newest superseded."""
    number = 0
    for family in range(families):
        for release in range(releases):
            number += 1
            day = FIRST_DAY + datetime.timedelta(days=91 * release)
            current = release == releases - 1
            yield image(
                number,
                release=f"{day:%Y%m%d}",
                state="current" if current else "superseded",
                version=str(family // 4 + 1),
                flavour=("server", "base", "desktop", "gpu")[family % 4],
                imagecycle_superseded_at=None if current else "2026-11-01T00:00:00+00:00",
            )
