"""What is gathered for an installation of Windows, and what is said when something is not there."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import virtio_iso
import windows_families
import windows_media_made
from imagecycle.build import media, windows_medium
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.site import Site
from imagecycle.systems import windows_media
from imagecycle.systems.windows_media import Edition
from windows_media_made import CORE, FULL


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A medium and the drivers."""
    folder = tmp_path_factory.mktemp("media")
    iso = windows_media_made.iso(windows_media_made.tree(folder / "tree", CORE, FULL))
    return iso, virtio_iso.make(folder)


def named(path: Path) -> dict[str, str]:
    return {"url": path.as_uri(), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def site(folder: Path, **windows: Any) -> Site:
    return Site.model_validate({"home": folder / "home", "windows": windows})


def test_setup_is_given_drivers_scripts_and_the_number_of_the_image(
    tmp_path: Path, made: tuple[Path, Path]
) -> None:
    iso, drivers = made
    found = windows_medium.extras(
        windows_families.family(),
        site(tmp_path, drivers=named(drivers)),
        iso.as_uri(),
        tmp_path / "medium",
    )
    assert found.answers == {"image_index": "2"} and found.secret and found.room
    own = tmp_path / "medium" / "imagecycle"
    assert (own / "drivers" / "viostor" / "viostor.sys").read_text() == "viostor 2k22 amd64"
    assert b"\r\n" in (own / "load-drivers.cmd").read_bytes()
    assert {path.name for path in own.iterdir()} == {
        *("drivers", "load-drivers.cmd", "first-logon.ps1", "access.ps1")
    }
    assert {driver.name for driver in found.drivers} >= {"viostor", "netkvm"}


@pytest.mark.parametrize(
    ("image", "gib"),
    [(0, 40), (12, 12 + 4 + 6), (38, 40)],
    ids=["unknown", "of the image", "the whole disk"],
)
def test_an_installation_needs_room_for_its_image_and_the_medium(
    tmp_path: Path, image: int, gib: int
) -> None:
    medium = tmp_path / "windows.iso"
    with medium.open("wb") as file:
        file.truncate(5 * 2**30)
    found = Edition(
        2, "Standard", "ServerStandard", "Server", "x86_64", 20348, ("en-US",), image * 2**30
    )
    wanted = windows_medium.room(windows_families.family(), found, medium)
    assert wanted == (5 + gib) * 2**30


def test_a_linux_takes_nothing_from_elsewhere(tmp_path: Path) -> None:
    from families import family

    found = windows_medium.extras(family(), site(tmp_path), "file:///m.iso", tmp_path / "m")
    assert found == windows_medium.Extras()


def test_without_drivers_it_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    family = windows_families.family()
    with pytest.raises(UsageError, match="name no virtio drivers") as caught:
        media.find(family, site(tmp_path))
    assert "windows.drivers" in caught.value.hint


def test_drivers_and_scripts_are_inputs_of_the_installation(
    tmp_path: Path, made: tuple[Path, Path]
) -> None:
    family = windows_families.family()
    one = media.find(family, site(tmp_path, drivers=named(made[1])))
    two = media.find(family, site(tmp_path, drivers={**named(made[1]), "sha256": "0" * 64}))
    assert one.digest != two.digest
    assert set(one.ingredients) == {"medium", "drivers", "scripts"}


def test_drivers_with_another_checksum_are_refused(tmp_path: Path, made: tuple[Path, Path]) -> None:
    iso, drivers = made
    wrong = site(tmp_path, drivers={**named(drivers), "sha256": "0" * 64})
    with pytest.raises(ImagecycleError, match="has the checksum"):
        windows_medium.extras(windows_families.family(), wrong, iso.as_uri(), tmp_path / "m")


def test_the_medium_with_the_password_is_for_qemu_alone(tmp_path: Path) -> None:
    folder = tmp_path / "medium"
    folder.mkdir()
    windows_medium.write_access(folder, "Administrator", "Aa1-secret")
    iso = tmp_path / "access.iso"
    windows_medium.write_iso(folder, iso)
    assert iso.stat().st_mode & 0o777 == 0o600
    windows_media.unpack(iso, tmp_path / "unpacked")
    said = json.loads((tmp_path / "unpacked" / windows_medium.ACCESS).read_text())
    assert said == {"account": "Administrator", "password": "Aa1-secret"}
    label = subprocess.run(["isoinfo", "-d", "-i", iso], check=True, capture_output=True, text=True)
    assert f"Volume id: {windows_medium.LABEL}" in label.stdout


@pytest.mark.parametrize(
    ("firmware", "missing"),
    [("uefi", windows_media.UEFI_BOOT), ("bios", windows_media.BIOS_BOOT)],
)
def test_a_medium_that_does_not_start_is_refused_before_anything_is_copied(
    tmp_path: Path, made: tuple[Path, Path], firmware: str, missing: str
) -> None:
    tree = windows_media_made.tree(tmp_path / "tree", CORE, FULL)
    (tree / missing).unlink()
    iso = windows_media_made.iso(tree)
    family = windows_families.family(firmware=(firmware,))
    settings = site(tmp_path, drivers=named(made[1]))
    with pytest.raises(UsageError, match=f"does not start from {firmware}: it has no {missing}"):
        windows_medium.extras(family, settings, iso.as_uri(), tmp_path / "medium")
    assert not (tmp_path / "medium").exists()
