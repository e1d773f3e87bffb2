"""Which drivers are taken from the virtio-win ISO, and what is said when they are not there."""

import subprocess
from pathlib import Path

import pytest

import virtio_iso
from imagecycle.errors import UsageError
from imagecycle.systems import windows_drivers, windows_releases


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return virtio_iso.make(tmp_path_factory.mktemp("virtio"))


@pytest.mark.parametrize(
    ("version", "folder"),
    [("2012r2", "2k12R2"), ("2016", "2k16"), ("2022", "2k22"), ("10", "w10"), ("11", "w11")],
)
def test_the_folder_of_the_release_and_the_architecture_is_taken(
    tmp_path: Path, iso: Path, version: str, folder: str
) -> None:
    release = windows_releases.release(version)
    found = windows_drivers.collect(iso, release, "x86_64", tmp_path)
    assert {driver.name for driver in found} == {*windows_drivers.NEEDED, "vioinput"}
    assert (tmp_path / "viostor" / "viostor.sys").read_text() == f"viostor {folder} amd64"
    for driver in found:
        assert {p.suffix for p in (tmp_path / driver.name).iterdir()} == {".inf", ".sys", ".cat"}
        assert (driver.version, driver.date) == ("100.101.104.28500", "07/21/2025")


def test_windows_11_takes_the_drivers_of_10_where_it_has_none_of_its_own(tmp_path: Path) -> None:
    iso = virtio_iso.make(tmp_path, releases=("w10",))
    release = windows_releases.release("11")
    windows_drivers.collect(iso, release, "x86_64", tmp_path / "target")
    text = (tmp_path / "target" / "netkvm" / "netkvm.sys").read_text()
    assert text == "NetKVM w10 amd64"


def refused(iso: Path, folder: Path, version: str = "2022") -> str:
    with pytest.raises(UsageError) as caught:
        windows_drivers.collect(iso, windows_releases.release(version), "x86_64", folder / "target")
    assert not (folder / "target").exists()
    return caught.value.message


def test_an_iso_that_is_too_old_is_named_with_what_it_has(tmp_path: Path) -> None:
    iso = virtio_iso.make(tmp_path, releases=("2k19", "2k22"))
    message = refused(iso, tmp_path, "2025")
    assert "no driver for Windows Server 2025 as 2k25: viostor (disks on virtio-blk)" in message
    assert "it has folders for 2k19, 2k22" in message


@pytest.mark.parametrize("missing", ["viostor.inf", "viostor.sys", "viostor.cat"])
def test_a_driver_that_lacks_a_part_is_missing(tmp_path: Path, missing: str) -> None:
    iso = virtio_iso.make(tmp_path, without=[f"viostor/2k22/amd64/{missing}"])
    message = refused(iso, tmp_path)
    assert "viostor (disks on virtio-blk);" in message and "vioscsi" not in message


def test_an_iso_with_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "tree" / "sources").mkdir(parents=True)
    (tmp_path / "tree" / "sources" / "install.wim").write_text("images")
    iso = tmp_path / "windows.iso"
    argv = ("genisoimage", "-quiet", "-J", "-o", iso, tmp_path / "tree")
    subprocess.run(argv, check=True, timeout=60)
    assert "holds no virtio drivers" in refused(iso, tmp_path)


def test_the_guest_agent_comes_from_the_same_iso(tmp_path: Path, iso: Path) -> None:
    windows_drivers.copy_agent(iso, tmp_path / "agent.msi")
    assert (tmp_path / "agent.msi").read_text() == "agent"
    without = virtio_iso.make(tmp_path, without=["guest-agent/qemu-ga-x86_64.msi"])
    with pytest.raises(UsageError, match=r"has no guest-agent/qemu-ga-x86_64.msi"):
        windows_drivers.copy_agent(without, tmp_path / "agent.msi")
