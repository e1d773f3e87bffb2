"""A site with all that a Windows is built from; Setup and Windows are the stand-in's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import virtio_iso
import windows_families
from imagecycle import catalog
from imagecycle.model import Family
from imagecycle.site import Site
from standin.windows import boot_media

DISK = 32
"""GiB; the least that a server takes"""
SECURE = {"os_secure_boot": "required", "hw_tpm_version": "2.0", "hw_tpm_model": "tpm-crb"}
MACHINES: Mapping[str, Mapping[str, Any]] = {
    "bios": {"firmware": "bios"},
    "uefi": {"firmware": "uefi"},
    "secure": {"firmware": "uefi", "properties": SECURE},
    "client": {"firmware": "uefi", "properties": {"hw_disk_bus": "scsi"}, "release": "11"},
}
"""What the catalog says of each machine that is tried"""


SLUGS = {"2022": "windows-2022-x86_64-server", "11": "windows-11-x86_64-desktop"}
_IMAGES = {"2022": boot_media.SERVER_2022, "11": boot_media.CLIENT_11}


@dataclass(frozen=True)
class Operator:
    """Whoever builds Windows: a site with its media, and a family."""

    site: Site
    family: Family


def prepared(
    home: Path,
    *,
    firmware: str,
    properties: Mapping[str, str] | None = None,
    key: str = "",
    release: str = "2022",
) -> Operator:
    """A new site.

    :param home: QEMU's user can enter it, which it could not below a temporary folder of pytest.
    :param key: the product key of a server; by default the catalog's.
    :param release: one of :data:`SLUGS`.
    """
    media, folder = home / "media", home / "catalog"
    for place in (media, folder):
        place.mkdir(parents=True)
    medium = boot_media.make(media / "windows.iso", _IMAGES[release])
    msi = media / "cloudbase-init.msi"
    msi.write_bytes(b"ends with code 3010")  # so that the guest restarts
    path = windows_families.copy(folder) / f"windows-{release}.yaml"
    said = yaml.safe_load(path.read_text())
    media_and_firmware = {"media": {"kind": "iso", **_named(medium)}, "firmware": [firmware]}
    said["architectures"] = {"x86_64": media_and_firmware}
    said["properties"] |= properties or {}
    if release == "2022":
        said["disk"] = DISK
    if key:
        said["windows"]["kms_client_keys"]["ServerStandard"] = key
    path.write_text(yaml.safe_dump(said))
    settings = {
        "drivers": _named(virtio_iso.make(media)),
        "cloudbase_init": _named(msi),
        "install_timeout": 600,
        "stall_timeout": 120,
        "boot_timeout": 400,
    }
    site = Site.model_validate({"home": home / "home", "catalog": (folder,), "windows": settings})
    return Operator(site, catalog.find(folder, SLUGS[release]))


def _named(path: Path) -> dict[str, str]:
    return {"url": path.as_uri(), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
