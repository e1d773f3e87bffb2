"""Glance's documents of images, for tests of the panels."""

from typing import Any

PUBLISHER = "publisher"


def image_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def document(number: int = 1, *, of_nobody: bool = False, **changes: Any) -> dict[str, Any]:
    """One release, the current one of debian-12-x86_64-server unless said otherwise.

    :param of_nobody: without imagecycle's properties.
    :param changes: fields and properties; None removes one.
    """
    found: dict[str, Any] = {
        "id": image_id(number),
        "name": "Debian 12 Server - x86_64 [2026-11-22]",
        "status": "active",
        "visibility": "public",
        "os_hidden": False,
        "os_hash_algo": "sha512",
        "os_hash_value": "5f" * 64,
        "owner": PUBLISHER,
        "size": 700 * 2**20,
        "min_disk": 3,
        "min_ram": 512,
        "created_at": "2026-11-22T13:00:00Z",
        "tags": [],
        "stores": "files",
    }
    if not of_nobody:
        found |= {
            "imagecycle_family": "debian-12-x86_64-server",
            "imagecycle_flavour": "server",
            "imagecycle_release": "20261122",
            "imagecycle_state": "current",
            "imagecycle_image_id": image_id(number),
            "imagecycle_build_date": "2026-11-22T12:00:00+00:00",
            "imagecycle_verified": "2026-11-22T12:10:00+00:00",
            "imagecycle_checks": "47",
            "imagecycle_shared_with": "3:" + "5f" * 12,
            "image_description": "Debian 12 Server: What an administrator expects",
            "image_original_user": "debian",
            "maintained_until": "2028-06-30",
            "os_distro": "debian",
            "os_version": "12",
            "os_type": "linux",
            "architecture": "x86_64",
            "hw_disk_bus": "virtio",
        }
    found |= changes
    return {name: value for name, value in found.items() if value is not None}
