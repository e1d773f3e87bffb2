"""What this machine's apt says of an installation before it is begun."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import deb_repository
import servers_of_files
import signing
from imagecycle.build.offline import MountedSystem
from imagecycle.errors import ImagecycleError
from imagecycle.model import Repository
from imagecycle.systems.apt import Apt
from imagecycle.systems.package_manager import Outlook, Source, Wanted
from signing import Signer

LARGE = 300_000  # KiB


@dataclass(frozen=True)
class Vendor:
    """A package source and its key; ``other`` has nothing to do with it."""

    folder: Path
    url: str
    signer: Signer
    other: Signer
    keys: dict[str, Path] = field(default_factory=dict)

    def source(self, key: str = "vendor", suite: str = "./") -> Repository:
        return Repository("site", self.url, self.keys[key], suite, place="images/lab.yaml:9")


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    folder, keys = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("keys")
    deb_repository.package(folder, "agent", {"/usr/bin/agent": "x"}, depends="library")
    deb_repository.package(folder, "library", size=LARGE)
    deb_repository.package(folder, "broken", depends="nothing-has-it (>= 2)")
    with (
        servers_of_files.serving(folder) as url,
        signing.signers("vendor", "other") as (signer, other),
    ):
        deb_repository.index(folder, signer)
        made = {"vendor": signer.key(keys / "v.asc"), "other": other.key(keys / "o.asc")}
        made["binary"] = signer.key(keys / "v.gpg", armour=False)
        yield Vendor(folder, url, signer, other, made)


def outlook(vendor: Vendor, scratch: Path, *packages: str, **changes: Any) -> Outlook:
    """With the vendor as the builder's own source."""
    key = vendor.keys["vendor"]
    wanted: dict[str, Any] = {
        "arch": "x86_64",
        "packages": packages,
        "repositories": (),
        "sources": (f"deb [signed-by={key}] {vendor.url} ./",),
        "installed": b"",
    }
    return Apt().outlook(Wanted(**{**wanted, **changes}), scratch)


def test_packages_that_no_source_has_are_all_named(vendor: Vendor, tmp_path: Path) -> None:
    found = outlook(vendor, tmp_path, "agent", "no-such-one", "nor-this")
    assert set(found.unknown) == {"no-such-one", "nor-this"}


def test_the_room_is_that_of_all_that_comes_with_a_package(vendor: Vendor, tmp_path: Path) -> None:
    found = outlook(vendor, tmp_path, "agent")
    assert (found.unknown, found.reason) == ((), "")
    assert LARGE * 1024 < found.needed < (LARGE + 100) * 1024
    status = b"Package: library\nStatus: install ok installed\nVersion: 1.0\nArchitecture: all\n"
    assert 0 < outlook(vendor, tmp_path, "agent", installed=status).needed < 100 * 1024


def test_packages_that_cannot_be_had_together_say_why(vendor: Vendor, tmp_path: Path) -> None:
    assert "nothing-has-it" in outlook(vendor, tmp_path, "broken").reason


@pytest.mark.parametrize("key", ["vendor", "binary"])
def test_a_source_of_the_catalog_is_used_with_its_key(
    key: str, vendor: Vendor, tmp_path: Path
) -> None:
    repositories = (vendor.source(key),)
    found = outlook(vendor, tmp_path, "agent", repositories=repositories, sources=())
    assert found == Outlook()  # the image's own sources may have what is not here


@pytest.mark.parametrize(
    ("key", "suite", "why"),
    [("other", "./", "signature|not signed"), ("vendor", "gone/", "Release")],
)
def test_a_source_that_cannot_be_used_is_named_with_its_line(
    key: str, suite: str, why: str, vendor: Vendor, tmp_path: Path
) -> None:
    wrong = (vendor.source(key, suite),)
    message = f"images/lab.yaml:9: the package source site cannot be used: .*({why})"
    with pytest.raises(ImagecycleError, match=message):
        outlook(vendor, tmp_path, repositories=wrong, sources=())


def test_a_mirror_that_cannot_be_used_is_told_with_what_apt_says(
    vendor: Vendor, tmp_path: Path
) -> None:
    gone = (f"deb [signed-by={vendor.keys['vendor']}] {vendor.url} gone/",)
    with pytest.raises(
        ImagecycleError, match=r"^the package mirror cannot be used: The repo.*gone"
    ):
        outlook(vendor, tmp_path, sources=gone)


def test_a_source_that_nobody_has_signed_is_refused(vendor: Vendor, tmp_path: Path) -> None:
    signed = vendor.folder / "InRelease"
    content = signed.read_bytes()
    signed.unlink()
    try:
        with pytest.raises(ImagecycleError, match=r"site cannot be used: .*not signed"):
            outlook(vendor, tmp_path, repositories=(vendor.source(),), sources=())
    finally:
        signed.write_bytes(content)


def test_a_changed_index_is_refused(vendor: Vendor, tmp_path: Path) -> None:
    signed = vendor.folder / "InRelease"
    content = signed.read_bytes()
    signed.write_bytes(content.replace(b"Origin: site", b"Origin: sit3"))
    try:
        with pytest.raises(ImagecycleError, match=r"site cannot be used: .*signature"):
            outlook(vendor, tmp_path, repositories=(vendor.source(),), sources=())
    finally:
        signed.write_bytes(content)


def test_a_system_that_gets_the_files_of_a_source_trusts_its_key_alone(
    vendor: Vendor, tmp_path: Path
) -> None:
    files = Apt().source_files(vendor.source())
    for path, content in files.items():
        place = tmp_path / path[1:]
        place.parent.mkdir(parents=True)
        place.write_bytes(content)
    (source,) = Apt().sources(MountedSystem(tmp_path))
    keys = ("/etc/apt/keyrings/site.asc",)
    assert source == Source(
        "/etc/apt/sources.list.d/site.sources", vendor.url, False, source.suite, keys
    )
    text = files[source.path].decode()
    assert "Signed-By: /etc/apt/keyrings/site.asc\n" in text
    assert files["/etc/apt/keyrings/site.asc"] == vendor.keys["vendor"].read_bytes()
