"""A vendor's list of checksums counts when the vendor has signed it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import signing
import vendor_media
from imagecycle import catalog
from imagecycle.build import checksum_list, media
from imagecycle.errors import ImagecycleError
from imagecycle.model import Media
from imagecycle.site import CATALOG, Site
from imagecycle.systems import openpgp
from signing import Signer

SUM = "ab" * 32


@pytest.fixture(scope="module")
def signers() -> Iterator[tuple[Signer, Signer]]:
    """A vendor, and somebody else."""
    with signing.signers("vendor", "other") as (vendor, other):
        yield vendor, other


LIST = f"{SUM}  d.iso\n".encode()


@pytest.mark.parametrize("armour", [True, False])
def test_a_list_with_a_signature_beside_it_counts(
    armour: bool, signers: tuple[Signer, Signer], tmp_path: Path
) -> None:
    vendor, _ = signers
    key = vendor.key(tmp_path / "vendor.asc", armour=armour)
    signature = vendor.beside(LIST, armour=armour)
    assert openpgp.signed(LIST, signature, key) == LIST


def test_a_list_with_its_signature_around_it_counts(
    signers: tuple[Signer, Signer], tmp_path: Path
) -> None:
    vendor, _ = signers
    key = vendor.key(tmp_path / "vendor.asc")
    assert (
        checksum_list.find(openpgp.signed(vendor.around(LIST), b"", key).decode(), "d.iso") == SUM
    )


def test_a_list_that_somebody_has_changed_is_refused(
    signers: tuple[Signer, Signer], tmp_path: Path
) -> None:
    vendor, _ = signers
    key = vendor.key(tmp_path / "vendor.asc")
    changed = LIST.replace(b"ab", b"cd")
    with pytest.raises(ImagecycleError, match=r"not one by vendor\.asc: BAD signature"):
        openpgp.signed(changed, vendor.beside(LIST), key)
    inside = vendor.around(LIST).replace(b"abab", b"cdcd", 1)
    with pytest.raises(ImagecycleError, match="BAD signature"):
        openpgp.signed(inside, b"", key)


def test_a_list_that_somebody_else_has_signed_is_refused(
    signers: tuple[Signer, Signer], tmp_path: Path
) -> None:
    vendor, other = signers
    key = vendor.key(tmp_path / "vendor.asc")
    with pytest.raises(ImagecycleError, match="No public key"):
        openpgp.signed(LIST, other.beside(LIST), key)


def test_a_list_without_a_signature_is_refused(
    signers: tuple[Signer, Signer], tmp_path: Path
) -> None:
    key = signers[0].key(tmp_path / "vendor.asc")
    with pytest.raises(ImagecycleError, match="the signature is not one by"):
        openpgp.signed(LIST, b"", key)


def test_what_is_written_around_a_signed_list_does_not_count(
    signers: tuple[Signer, Signer], tmp_path: Path
) -> None:
    vendor, _ = signers
    key = vendor.key(tmp_path / "vendor.asc")
    forged = f"{'cd' * 32}  d.iso\n".encode() + vendor.around(LIST)
    assert checksum_list.find(openpgp.signed(forged, b"", key).decode(), "d.iso") == SUM


@pytest.mark.parametrize(
    "line",
    [f"{SUM}  d.iso", f"{SUM} *d.iso", f"{SUM}  ./iso/d.iso", f"SHA256 (d.iso) = {SUM.upper()}"],
)
def test_lists_come_in_several_forms(line: str) -> None:
    assert checksum_list.find(f"# 3 files\n{line}\n{'0' * 64}  e.iso\n", "d.iso") == SUM


def test_a_file_that_is_not_in_the_list_is_named_with_the_nearest() -> None:
    with pytest.raises(ImagecycleError, match=r"no SHA-256 of d\.iso; did you mean d2\.iso\?"):
        checksum_list.find(f"{SUM}  d2.iso\n", "d.iso")


def test_a_medium_gets_its_checksum_from_the_vendors_list(
    signers: tuple[Signer, Signer], tmp_path: Path
) -> None:
    vendor, other = signers
    layout = vendor_media.DEBIAN_12
    whole = dataclasses.replace(layout, identity={**layout.identity, "/pool/main/x.deb": ""})
    iso = vendor_media.write(whole, tmp_path / "d.iso")
    digest = hashlib.sha256(iso.read_bytes()).hexdigest()
    listing = tmp_path / "CHECKSUM"
    listing.write_bytes(vendor.around(f"SHA256 (d.iso) = {digest}\n".encode()))
    found = catalog.find(CATALOG, "debian-12-x86_64-base")
    declared = Media(
        "iso",
        iso.as_uri(),
        checksums=listing.as_uri(),
        key=vendor.key(tmp_path / "vendor.asc"),
        place="site/debian-12.yaml:3",
    )
    site = Site(home=tmp_path / "home")
    source = media.find(dataclasses.replace(found, media=declared), site)
    assert source.digest == digest
    assert source.fetch().endswith(f"{digest}/d.iso")
    listing.unlink()  # the vendor is away
    assert media.find(dataclasses.replace(found, media=declared), site).digest == digest
    wrong = dataclasses.replace(declared, key=other.key(tmp_path / "other.asc"))
    with pytest.raises(ImagecycleError, match=r"site/debian-12\.yaml:3: .*CHECKSUM: the signature"):
        media.find(dataclasses.replace(found, media=wrong), site)
