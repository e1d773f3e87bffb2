"""Machines start from the media that are made, under libvirt, and a stand-in kernel tells from the
console what it was given."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from pathlib import Path

import pytest

import vendor_media as media
from imagecycle import catalog
from imagecycle.artifacts import ArtifactStore
from imagecycle.build import installation
from imagecycle.model import Family, Media, Release
from imagecycle.site import CATALOG, Site
from standin import installer

pytestmark = [pytest.mark.integration, pytest.mark.machines]

# with the place of the menu that the loader for UEFI reads
LAYOUTS = {
    "rhel-9": (media.RHEL_9, "/EFI/BOOT"),
    "fedora-44": (media.FEDORA_44, "/EFI/BOOT"),
    "ubuntu-24.04": (media.UBUNTU_24, "/boot/grub"),
    "sles-15.7": (media.SLES_15, "/EFI/BOOT"),
    "opensuse-16.0": (media.LEAP_16, "/boot/grub2"),
}
BIOS_ONLY = {"centos-7": media.CENTOS_7, "slc-6": media.SLC_6}


def medium(layout: media.Layout, prefix: str, iso: Path) -> Path:
    """A medium that really boots, its menus in the words of the GRUB at hand."""
    menus = {path: _upstream(text) for path, text in layout.menus.items()}
    first = next(iter(menus))
    if layout.isolinux == "/boot/x86_64/loader":  # SUSE's ISOLINUX has this place built in
        menus["/isolinux.cfg"] = f"config {layout.isolinux}/isolinux.cfg {layout.isolinux}/\n"
    real = dataclasses.replace(layout, menus=menus, efi_menu=_upstream(layout.efi_menu))
    return media.write(
        real,
        iso,
        kernel=installer.kernel(),
        initrd=installer.initrd(),
        efi_loader=installer.efi_loader(prefix),
        grub_bios=installer.grub_bios(str(Path(first).parent)) if not layout.isolinux else b"",
    )


def _upstream(text: str) -> str:
    return text.replace("linuxefi", "linux").replace("initrdefi", "initrd").replace(" quiet", "")


def install(family: Family, firmware: tuple[str, ...], iso: Path, site: Site) -> tuple[str, str]:
    """Run an installation from a medium; returns its console, and the sum of the answers."""
    chosen = dataclasses.replace(
        family, firmware=firmware, media=Media("iso", iso.as_uri(), "0" * 64), disk_gib=1
    )
    store = ArtifactStore(site.artifacts)
    folder = store.partial(family.slug, Release.parse("20261122"))
    folder.mkdir(parents=True)
    try:
        raw = folder / "installed.raw"
        installation._install_once(chosen, site, iso.as_uri(), folder, raw)
        console = (folder / "console.log").read_text(errors="replace")
        return console, hashlib.sha256((folder / "unattended").read_bytes()).hexdigest()
    finally:
        shutil.rmtree(folder)


SOON = (("rhel-9", "bios"), ("rhel-9", "uefi"))
"""Tried every time; the others take minutes more"""


@pytest.mark.parametrize(
    ("system", "firmware"),
    [
        pytest.param(system, firmware, marks=[] if (system, firmware) in SOON else pytest.mark.long)
        for system in [*LAYOUTS, *BIOS_ONLY]
        for firmware in ("bios", "uefi")
    ],
)
def test_an_installer_is_started_with_its_answers(
    system: str, firmware: str, build_site: Site, tmp_path: Path
) -> None:
    if system in BIOS_ONLY and firmware == "uefi":
        assert catalog.find(CATALOG, f"{system}-x86_64-base").firmware == ("bios",)
        return
    layout, prefix = LAYOUTS.get(system) or (BIOS_ONLY[system], "/EFI/BOOT")
    iso = medium(layout, prefix, tmp_path / "vendor.iso")
    family = catalog.find(CATALOG, f"{system}-x86_64-base")
    console, answers = install(family, (firmware,), iso, build_site)
    assert f"stand-in: firmware: {firmware}" in console
    assert f"stand-in: answers: {answers}  /medium/" in console
    assert "stand-in: done" in console
    told = next(line for line in console.splitlines() if "stand-in: arguments:" in line)
    assert "console=ttyS0,115200" in told
    assert any(word in told for word in ("ks.cfg", "nocloud", "autoinst.xml", "agama.json"))
