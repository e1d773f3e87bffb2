"""Oz makes media of every vendor's layout that start their installer by themselves.

The classes are real, and so are the media, but for kernel and loaders; the guests are not started.
"""

from __future__ import annotations

import configparser
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oz.GuestFactory
import oz.OzException
import oz.TDL
import pycdlib
import pytest

import vendor_media as media
from families import family
from imagecycle.build import template
from imagecycle.model import Family, Media
from imagecycle.systems import iso_editing, oz_media
from imagecycle.systems.iso_editing import Medium

BIOS, UEFI = 0, 0xEF
"""Platforms of El Torito's boot entries"""
KS = "inst.ks=cdrom:/ks.cfg inst.text inst.nosave=all"
SERIAL = "console=tty0 console=ttyS0,115200"
ARM = "console=ttyAMA0"
NOCLOUD = "autoinstall ds=nocloud;s=/cdrom/nocloud/"
YAST = "autoyast=device://sr0/autoinst.xml textmode=1"
AGAMA = "inst.auto=device://sr0/agama.json inst.finish=poweroff"


@dataclass(frozen=True)
class Case:
    """A system, its medium, and what must come of it."""

    layout: media.Layout
    name: str
    version: str
    answers: str
    arguments: str
    platforms: tuple[int, ...]
    arch: str = "x86_64"


CASES = {
    "rhel-9": Case(media.RHEL_9, "RHEL-9", "9", "/ks.cfg", f"{KS} {SERIAL}", (BIOS, UEFI)),
    "rocky-9-arm": Case(
        media.ROCKY_9_ARM, "Rocky-9", "9", "/ks.cfg", f"{KS} {ARM}", (UEFI,), "aarch64"
    ),
    "fedora-44": Case(media.FEDORA_44, "Fedora", "44", "/ks.cfg", f"{KS} {SERIAL}", (BIOS, UEFI)),
    "centos-7": Case(
        media.CENTOS_7,
        "CentOS-7",
        "7",
        "/ks.cfg",
        f"inst.ks=cdrom:/dev/cdrom:/ks.cfg inst.text {SERIAL}",
        (BIOS,),
    ),
    "slc-6": Case(
        media.SLC_6, "SLC-6", "10", "/ks.cfg", f"ks=cdrom:/ks.cfg text {SERIAL}", (BIOS,)
    ),
    "slc-5": Case(
        media.SLC_5, "SLC-5", "U11", "/ks.cfg", f"ks=cdrom:/ks.cfg text {SERIAL}", (BIOS,)
    ),
    "ubuntu-24.04": Case(
        media.UBUNTU_24,
        "Ubuntu",
        "24.04",
        "/nocloud/user-data",
        f"{NOCLOUD} {SERIAL} ---",
        (BIOS, UEFI),
    ),
    "ubuntu-24.04-desktop": Case(
        media.UBUNTU_24_DESKTOP,
        "Ubuntu",
        "24.04",
        "/nocloud/user-data",
        f"{NOCLOUD} {SERIAL} --- quiet splash",
        (BIOS, UEFI),
    ),
    "ubuntu-24.04-arm": Case(
        media.UBUNTU_24_ARM,
        "Ubuntu",
        "24.04",
        "/nocloud/user-data",
        f"{NOCLOUD} {ARM} ---",
        (UEFI,),
        "aarch64",
    ),
    "ubuntu-20.04": Case(
        media.UBUNTU_20,
        "Ubuntu",
        "20.04",
        "/nocloud/user-data",
        f"{NOCLOUD} {SERIAL} ---",
        (BIOS, UEFI),
    ),
    "debian-12": Case(
        media.DEBIAN_12,
        "Debian",
        "12",
        "/preseed.cfg",
        f"auto=true priority=critical preseed/file=/cdrom/preseed.cfg DEBIAN_FRONTEND=text {SERIAL}"
        " --- quiet",
        (BIOS, UEFI),
    ),
    "sles-15.7": Case(
        media.SLES_15, "SLES", "15.7", "/autoinst.xml", f"{YAST} {SERIAL}", (BIOS, UEFI)
    ),
    "leap-15.6-arm": Case(
        media.LEAP_15_ARM, "OpenSUSE", "15.6", "/autoinst.xml", f"{YAST} {ARM}", (UEFI,), "aarch64"
    ),
    "leap-16.0": Case(
        media.LEAP_16, "OpenSUSE", "16.0", "/agama.json", f"{AGAMA} {SERIAL}", (BIOS, UEFI)
    ),
}


def guest(case: Case, iso: Path, folder: Path) -> Any:
    """A guest of Oz's factory that installs from a medium."""
    answers = folder / "answers"
    answers.write_text("the answers\n")
    described = template.installation(
        _family(case, iso), name="guest", media_url=iso.as_uri(), root_password="locked"
    )
    configuration = configparser.ConfigParser()
    paths = {"output_dir": folder / "out", "data_dir": folder / "oz", "screenshot_dir": folder}
    configuration.read_dict(
        {
            "paths": {name: str(path) for name, path in paths.items()},
            "libvirt": {"uri": "test:///default", "type": "test", "bridge_name": "virbr0"},
            "cache": {"original_media": "no", "modified_media": "no", "jeos": "no"},
        }
    )
    return oz.GuestFactory.guest_factory(
        oz.TDL.TDL(described), configuration, str(answers), str(folder / "disk.raw")
    )


def _family(case: Case, iso: Path) -> Family:
    return family(
        oz_name=case.name,
        oz_version=case.version,
        arch=case.arch,
        media=Media("iso", iso.as_uri(), "0" * 64),
    )


@pytest.fixture(scope="module", autouse=True)
def _taught() -> None:
    oz_media.register()


@pytest.fixture(scope="module", params=CASES)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Case, Path, Path]:
    """A case, the vendor's medium and what Oz has made of it."""
    case = CASES[request.param]
    folder = tmp_path_factory.mktemp("made")
    iso = media.write(case.layout, folder / "vendor.iso")
    found = guest(case, iso, folder)
    found.generate_install_media(False, False)
    return case, iso, Path(found.output_iso)


def test_a_medium_says_where_the_answers_are_in_every_menu_and_has_them_there(
    made: tuple[Case, Path, Path],
) -> None:
    case, vendor, medium = made
    with opened(medium) as disc:
        assert content(disc, case.answers) == b"the answers\n"
        if case.answers == "/nocloud/user-data":
            assert content(disc, "/nocloud/meta-data") == b""
        told = [menu for menu in menus_of(medium, disc) if case.arguments in _plain(menu)]
    assert len(told) == _menus_that_count(case)
    assert all(_plain(menu).count(case.arguments) == 1 for menu in told)
    assert vendor.exists()


def test_a_medium_boots_in_every_way_that_the_vendors_did(made: tuple[Case, Path, Path]) -> None:
    case, vendor, medium = made
    with opened(medium) as disc:
        assert platforms(disc) == list(case.platforms)
        assert disc.pvd.volume_identifier.decode().strip() == case.layout.label
    if UEFI in case.platforms:
        before, after = (Medium(iso).efi_image() for iso in (vendor, medium))
        assert before is not None
        assert after is not None
        assert bool(before.path) == bool(after.path)


def test_all_else_of_a_medium_is_as_the_vendor_made_it(made: tuple[Case, Path, Path]) -> None:
    case, vendor, medium = made
    changed = {*case.layout.menus, case.layout.efi, case.answers, "/nocloud/meta-data"}
    changed |= {f"{case.layout.isolinux}/isolinux.bin", "/images/eltorito.img"}  # patched in place
    with opened(vendor) as before, opened(medium) as after:
        for path in set(Medium(vendor).files()) - changed:
            assert content(before, path) == content(after, path), path


def test_nothing_but_the_new_medium_is_left(tmp_path: Path) -> None:
    case = CASES["rhel-9"]
    iso = media.write(case.layout, tmp_path / "vendor.iso")
    found = guest(case, iso, tmp_path)
    found.generate_install_media(False, False)
    assert not Path(found.iso_contents).exists()
    found.cleanup_install()
    assert not Path(found.output_iso).exists()
    assert iso.exists()


def test_a_medium_without_a_menu_that_installs_is_refused_with_what_it_has(tmp_path: Path) -> None:
    layout = media.Layout(
        label="RESCUE",
        kernel="/vmlinuz",
        initrd="/initrd",
        menus={"/isolinux/isolinux.cfg": "label rescue\n  kernel vmlinuz\n"},
        isolinux="/isolinux",
    )
    iso = media.write(layout, tmp_path / "vendor.iso")
    found = guest(CASES["rhel-9"], iso, tmp_path)
    with pytest.raises(oz.OzException.OzException, match=r"vendor\.iso: nothing .* it has rescue"):
        found.generate_install_media(False, False)
    assert not Path(found.output_iso).exists()


def test_a_file_that_is_no_medium_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vendor.iso").write_bytes(b"<html>" * 9999)
    found = guest(CASES["rhel-9"], tmp_path / "vendor.iso", tmp_path)
    with pytest.raises(oz.OzException.OzException, match=r"vendor\.iso is no ISO image"):
        found.generate_install_media(False, False)


def opened(iso: Path) -> pycdlib.PyCdlib:
    """An image, to be closed by ``with``."""
    disc = pycdlib.PyCdlib()
    disc.open(str(iso))

    class _Closing:
        def __enter__(self) -> pycdlib.PyCdlib:
            return disc

        def __exit__(self, *_: object) -> None:
            disc.close()

    return _Closing()


def content(disc: pycdlib.PyCdlib, path: str) -> bytes:
    found = io.BytesIO()
    disc.get_file_from_iso_fp(found, rr_path=path)
    return found.getvalue()


def platforms(disc: pycdlib.PyCdlib) -> list[int]:
    """Those of the boot entries, in their order."""
    catalog = disc.eltorito_boot_catalog
    return [catalog.validation_entry.platform_id, *(one.platform_id for one in catalog.sections)]


def menus_of(iso: Path, disc: pycdlib.PyCdlib) -> list[str]:
    """All boot menus: of the medium, and of the image that UEFI boots from."""
    medium = Medium(iso)
    names = [path for path in medium.files() if path.endswith(".cfg") and path != "/ks.cfg"]
    texts = [content(disc, path).decode() for path in names if path != "/preseed.cfg"]
    if image := medium.efi_image():
        copy = medium.extract_efi(image, iso.with_suffix(".fat"))
        texts += [iso_editing.fat_read(copy, "/EFI/BOOT/grub.cfg")]
    return texts


def _menus_that_count(case: Case) -> int:
    """ISOLINUX's files become one; the image's own counts where it is a menu."""
    own = [path for path in case.layout.menus if path.endswith("grub.cfg")]
    return len(own) + bool(case.layout.isolinux) + bool(case.layout.efi_menu)


def _plain(menu: str) -> str:
    return menu.replace("\\;", ";")
