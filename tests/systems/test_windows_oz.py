"""The medium that Oz writes for an unattended installation of Windows."""

import configparser
import struct
from pathlib import Path
from typing import Any

import oz.GuestFactory
import oz.OzException
import oz.TDL
import pytest

import windows_families
import windows_media_made
from imagecycle import systems
from imagecycle.build import template
from imagecycle.errors import UsageError
from imagecycle.systems import windows_media, windows_oz
from windows_media_made import FULL, iso


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files of a medium with Microsoft's layout."""
    return windows_media_made.tree(tmp_path / "tree", FULL)


def guest(folder: Path, medium: Path, version: str = "2022") -> Any:
    configuration = configparser.ConfigParser()
    configuration.read_dict(
        {
            "paths": {"output_dir": str(folder / "out"), "data_dir": str(folder / "data")},
            "libvirt": {"uri": "test:///default", "type": "qemu", "bridge_name": "virbr0"},
        }
    )
    family = windows_families.family(version=version, oz_version=version)
    described = template.installation(
        family, name="n", media_url=medium.as_uri(), root_password="none"
    )
    (folder / "answers").write_text("<unattend/>")
    systems.of(family).teach_oz()
    return oz.GuestFactory.guest_factory(
        oz.TDL.TDL(described), configuration, str(folder / "answers"), str(folder / "disk.raw")
    )


def boot_images(medium: Path) -> dict[int, bytes]:
    """What the medium boots, by El Torito's number of the platform: 0 is BIOS, 0xEF is UEFI."""
    data = medium.read_bytes()
    (catalog,) = struct.unpack_from("<I", data, 17 * 2048 + 71)
    place = catalog * 2048
    entries = {data[place + 1]: place + 32, data[place + 65]: place + 96}
    starts = {kind: struct.unpack_from("<I", data, entry + 8)[0] for kind, entry in entries.items()}
    return {kind: data[start * 2048 :][:64].rstrip(b"\0") for kind, start in starts.items()}


@pytest.mark.parametrize("version", ["2012r2", "2016", "2019", "2022", "2025", "10", "11"])
def test_a_medium_boots_from_bios_and_uefi_and_answers_itself(
    tmp_path: Path, tree: Path, version: str
) -> None:
    extra = tmp_path / "extra" / "imagecycle" / "drivers"
    extra.mkdir(parents=True)
    (extra / "viostor.inf").write_text("driver")
    original = iso(tree)
    made = guest(tmp_path, original, version)
    made.extras = (tmp_path / "extra",)
    made.generate_install_media(False, False)
    medium = Path(made.output_iso)
    assert boot_images(medium) == {
        0: windows_media.BIOS_BOOT.encode(),
        0xEF: windows_media.UEFI_BOOT.encode(),
    }
    assert medium.stat().st_mode & 0o777 == 0o600
    windows_media.unpack(medium, tmp_path / "unpacked")
    unpacked = tmp_path / "unpacked"
    assert (unpacked / "autounattend.xml").read_text() == "<unattend/>"
    assert (unpacked / "imagecycle" / "drivers" / "viostor.inf").read_text() == "driver"
    images = (tree / "sources" / "install.wim").read_bytes()
    assert (unpacked / "sources" / "install.wim").read_bytes() == images
    assert not (unpacked / windows_oz.ASKS_FOR_A_KEY).exists()
    made.cleanup_install()
    assert not medium.exists() and original.exists()


@pytest.mark.parametrize("missing", [windows_media.BIOS_BOOT, windows_media.UEFI_BOOT])
def test_a_medium_that_would_not_boot_is_refused(tmp_path: Path, tree: Path, missing: str) -> None:
    (tree / missing).unlink()
    made = guest(tmp_path, iso(tree))
    with pytest.raises(oz.OzException.OzException, match=missing):
        made.generate_install_media(False, False)
    assert not Path(made.output_iso).exists()


def test_what_is_no_medium_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.iso").write_text("no medium")
    made = guest(tmp_path, tmp_path / "text.iso")
    with pytest.raises(UsageError, match="neither an ISO nor"):
        made.generate_install_media(False, False)
