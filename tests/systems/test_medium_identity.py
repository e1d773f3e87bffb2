"""What a medium says it is, and whether that is what the catalog says."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

import vendor_media as media
from imagecycle.errors import ImagecycleError
from imagecycle.systems import medium_identity
from imagecycle.systems.medium_identity import Identity

PACKAGES = {"/repodata/repomd.xml": "", "/pool/main/x.deb": "", "/x86_64/a.rpm": ""}
MEDIA = {
    "rhel": (media.RHEL_9, Identity("Red Hat Enterprise Linux 9.6", "rhel", "9.6", "x86_64", True)),
    "rocky": (media.ROCKY_9_ARM, Identity("Rocky Linux 9.6", "rocky", "9.6", "aarch64", True)),
    "fedora": (media.FEDORA_44, Identity("Fedora 44", "fedora", "44", "x86_64", True)),
    "centos": (media.CENTOS_7, Identity("CentOS 7", "centos", "7", "x86_64", True)),
    "slc": (media.SLC_6, Identity("Scientific Linux CERN 6.10", "slc", "6.10", "x86_64", True)),
    "ubuntu": (media.UBUNTU_24, Identity("Ubuntu 24.04.3", "ubuntu", "24.04.3", "x86_64", True)),
    "arm": (media.UBUNTU_24_ARM, Identity("Ubuntu 24.04.3", "ubuntu", "24.04.3", "aarch64", True)),
    "desktop": (
        media.UBUNTU_24_DESKTOP,
        Identity("Ubuntu 24.04.3", "ubuntu", "24.04.3", "x86_64", True),
    ),
    "debian": (
        media.DEBIAN_12,
        Identity("Debian GNU/Linux 12.11.0", "debian", "12.11.0", "x86_64", True),
    ),
    "sles": (media.SLES_15, Identity("SLES 15.7", "sles", "15.7", "x86_64", True)),
    "leap": (
        media.LEAP_15_ARM,
        Identity("openSUSE-Leap 15.6", "opensuse", "15.6", "aarch64", True),
    ),
}


@pytest.mark.parametrize("vendor", MEDIA)
def test_a_medium_tells_its_system_its_version_and_its_architecture(
    vendor: str, tmp_path: Path
) -> None:
    layout, expected = MEDIA[vendor]
    whole = dataclasses.replace(layout, identity={**layout.identity, **PACKAGES})
    iso = media.write(whole, tmp_path / "vendor.iso")
    assert medium_identity.identify(iso) == expected


def test_an_installer_without_packages_is_told_from_a_whole_medium(tmp_path: Path) -> None:
    found = medium_identity.identify(media.write(media.RHEL_9, tmp_path / "boot.iso"))
    assert found is not None
    assert not found.packages
    assert medium_identity.unfit(found, "rhel", "9", "x86_64") == (
        "it is Red Hat Enterprise Linux 9.6 for x86_64, but an installer without packages"
    )


SILENT = dataclasses.replace(media.ROCKY_9_ARM, identity=PACKAGES)


def test_a_medium_without_such_a_file_is_known_by_its_label(tmp_path: Path) -> None:
    found = medium_identity.identify(media.write(SILENT, tmp_path / "x.iso"))
    assert found == Identity("Rocky Linux 9", "rocky", "9", "aarch64", True)


def test_a_medium_that_says_nothing_is_not_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iso = media.write(dataclasses.replace(SILENT, label="NAMELESS"), tmp_path / "x.iso")
    assert medium_identity.identify(iso) is None
    monkeypatch.setattr("imagecycle.systems.osinfo.PROGRAM", "no-such-program")
    assert medium_identity.identify(media.write(SILENT, tmp_path / "y.iso")) is None


def test_a_truncated_medium_is_told_with_what_is_missing(tmp_path: Path) -> None:
    iso = media.write(MEDIA["debian"][0], tmp_path / "d.iso")
    whole = iso.stat().st_size
    with iso.open("r+b") as stream:
        stream.truncate(whole - 2**20)
    with pytest.raises(ImagecycleError) as caught:
        medium_identity.identify(iso)
    said = f"d.iso is truncated: {whole - 2**20} of {whole} bytes are there"
    assert caught.value.message == said


def test_the_padding_behind_a_medium_may_be_missing(tmp_path: Path) -> None:
    iso = media.write(MEDIA["debian"][0], tmp_path / "d.iso")
    with iso.open("r+b") as stream:
        stream.truncate(iso.stat().st_size - 100 * 2048)
    found = medium_identity.identify(iso)
    assert found is not None
    assert found.distro == "debian"


def test_files_that_differ_from_the_list_of_a_medium_are_named(tmp_path: Path) -> None:
    kernel, initrd = media.RHEL_9.kernel[1:], media.RHEL_9.initrd[1:]
    right = hashlib.sha256(b"kernel").hexdigest()
    listed = f"{kernel} = sha256:{right}\n{initrd} = sha256:{right}\nimages/boot.iso = sha256:00\n"
    text = media.RHEL_9.identity["/.treeinfo"] + listed
    iso = media.write(
        dataclasses.replace(media.RHEL_9, identity={"/.treeinfo": text}), tmp_path / "x.iso"
    )
    assert medium_identity.damaged(iso) == [media.RHEL_9.initrd]
    assert medium_identity.damaged(media.write(media.SLES_15, tmp_path / "s.iso")) == []


def test_a_file_that_is_no_medium_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.iso").write_bytes(b"\0" * 99999)
    with pytest.raises(ImagecycleError, match=r"x\.iso is no ISO image"):
        medium_identity.identify(tmp_path / "x.iso")


@pytest.mark.parametrize(
    ("found", "wanted", "reason"),
    [
        (MEDIA["rocky"][1], ("rocky", "9", "aarch64"), ""),
        (MEDIA["rocky"][1], ("rocky", "9", "x86_64"), "and the catalog says x86_64"),
        (MEDIA["rocky"][1], ("almalinux", "9", "aarch64"), "and no medium of almalinux"),
        (MEDIA["rocky"][1], ("rocky", "8", "aarch64"), "and the catalog says 8"),
        (MEDIA["debian"][1], ("debian", "1", "x86_64"), "and the catalog says 1"),
        (MEDIA["debian"][1], ("debian", "testing", "x86_64"), ""),
        (Identity("Fedora", "fedora", "", "x86_64", True), ("fedora", "44", "x86_64"), ""),
        (MEDIA["ubuntu"][1], ("ubuntu", "24.04", "x86_64"), ""),
        (MEDIA["ubuntu"][1], ("ubuntu", "22.04", "x86_64"), "and the catalog says 22.04"),
        (
            Identity("CentOS Stream 9", "centos", "9", "x86_64", True),
            ("centos", "stream9", "x86_64"),
            "",
        ),
        (
            Identity("CentOS Stream 9", "centos", "9", "x86_64", True),
            ("centos", "7", "x86_64"),
            "and the catalog says 7",
        ),
    ],
)
def test_a_medium_fits_what_it_is_of_and_nothing_else(
    found: Identity, wanted: tuple[str, str, str], reason: str
) -> None:
    why = medium_identity.unfit(found, *wanted)
    assert (why == "") == (reason == "")
    assert why.endswith(reason)
