"""A site with all that Windows Server 2022 is built from; Setup and Windows are the stand-in's."""

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

SLUG = "windows-2022-x86_64-server"
DISK = 32
"""GiB; the least that the release takes, since a build wants as much room"""
SECURE = {"os_secure_boot": "required", "hw_tpm_version": "2.0", "hw_tpm_model": "tpm-crb"}
MACHINES: Mapping[str, Mapping[str, Any]] = {
    "bios": {"firmware": "bios"},
    "uefi": {"firmware": "uefi"},
    "secure": {"firmware": "uefi", "properties": SECURE},
}
"""What the catalog says of each machine that is tried"""


@dataclass(frozen=True)
class Operator:
    """Whoever builds Windows: a site with its media, and a family."""

    site: Site
    family: Family


def prepared(
    home: Path, *, firmware: str, properties: Mapping[str, str] | None = None, key: str = ""
) -> Operator:
    """A new site.

    :param home: QEMU's user can enter it, which it could not below a temporary folder of pytest.
    :param key: the product key; by default the catalog's.
    """
    media, folder = home / "media", home / "catalog"
    for place in (media, folder):
        place.mkdir(parents=True)
    medium = boot_media.make(media / "windows.iso")
    msi = media / "cloudbase-init.msi"
    msi.write_bytes(b"ends with code 3010")  # so that the guest restarts
    path = windows_families.copy(folder) / "windows-2022.yaml"
    said = yaml.safe_load(path.read_text())
    said["architectures"]["x86_64"] = {
        "media": {"kind": "iso", **_named(medium)},
        "firmware": [firmware],
    }
    said["properties"] |= properties or {}
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
    return Operator(site, catalog.find(folder, SLUG))


def _named(path: Path) -> dict[str, str]:
    return {"url": path.as_uri(), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
