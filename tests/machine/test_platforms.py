"""What of this machine each architecture needs, and the refusal when it is not there."""

import dataclasses
from pathlib import Path

import pytest

from families import artifact, family
from imagecycle.build.stage import build
from imagecycle.catalog.consistency import FIRMWARE
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.machine import platforms
from imagecycle.site import Site
from imagecycle.verify.stage import verify

ARM = family(slug="debian-12-aarch64-server", arch="aarch64", firmware=("uefi",))


@pytest.fixture
def without_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that can emulate no aarch64."""
    nothing = dataclasses.replace(
        platforms.of("aarch64"),
        emulator="qemu-system-nothing",
        firmware=((tmp_path / "code", tmp_path / "variables"),),
    )
    monkeypatch.setitem(platforms.PLATFORMS, "aarch64", nothing)


def test_every_architecture_of_the_catalog_has_a_platform() -> None:
    assert platforms.PLATFORMS.keys() == FIRMWARE.keys()


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(UsageError, match="s390x"):
        platforms.of("s390x")


def test_older_firmware_files_do_where_there_are_no_others(tmp_path: Path) -> None:
    newer, older = (
        (tmp_path / f"{age}-code", tmp_path / f"{age}-variables") for age in ("newer", "older")
    )
    for path in older:
        path.touch()
    platform = dataclasses.replace(platforms.of("x86_64"), firmware=(newer, older))
    assert platform.uefi() == older


def test_firmware_is_missed_only_by_what_boots_from_it(tmp_path: Path) -> None:
    nowhere = ((tmp_path / "code", tmp_path / "variables"),)
    platform = dataclasses.replace(platforms.of("x86_64"), emulator="sh", firmware=nowhere)
    assert platform.missing(["bios"]) == ()
    assert platform.missing(["bios", "uefi"]) == ("ovmf",)
    with pytest.raises(ImagecycleError) as caught:
        platform.uefi()
    assert "ovmf" in caught.value.hint


@pytest.mark.usefixtures("without_emulator")
def test_a_build_is_refused_before_anything_starts(tmp_path: Path) -> None:
    site = Site(home=tmp_path / "home", mirror="http://127.0.0.1:1", security_mirror="http://x:1")
    with pytest.raises(ImagecycleError) as caught:
        build(ARM, site)
    assert caught.value.message == (
        "debian-12-aarch64-server: this machine cannot run aarch64, "
        "since it lacks qemu-system-arm and qemu-efi-aarch64"
    )
    assert "--aarch64" in caught.value.hint
    assert not site.home.exists()


@pytest.mark.usefixtures("without_emulator")
def test_a_verification_is_refused_before_anything_starts(tmp_path: Path) -> None:
    site = Site(home=tmp_path / "home")
    made = artifact(site.artifacts, "20261122")
    made.folder.parent.rename(site.artifacts / ARM.slug)
    with pytest.raises(ImagecycleError, match="lacks qemu-system-arm"):
        verify(ARM, site, release=None, force=True, keep=False)
    assert not site.work.exists()
