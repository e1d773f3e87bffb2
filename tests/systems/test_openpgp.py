"""What is in the files of public keys."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import signing
from imagecycle.systems import openpgp
from signing import Signer


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    with signing.signers("vendor") as (vendor,):
        yield vendor


@pytest.mark.parametrize("armour", [True, False])
def test_a_key_has_the_fingerprint_that_gnupg_gives(
    armour: bool, signer: Signer, tmp_path: Path
) -> None:
    key = signer.key(tmp_path / "key", armour=armour)
    assert openpgp.fingerprints(key.read_bytes()) == (signer.fingerprint(),)


def test_the_keys_of_debian_are_all_found() -> None:
    ring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    argv = ["gpg", "--batch", "--show-keys", "--with-colons", ring]
    listed = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout
    blocks = re.split(r"^pub:", listed, flags=re.MULTILINE)[1:]
    wanted = [block.partition("\nfpr:")[2].split(":")[8] for block in blocks]
    assert sorted(openpgp.fingerprints(ring.read_bytes())) == sorted(wanted)


def test_a_key_in_armour_made_here_is_read_by_rpm(signer: Signer, tmp_path: Path) -> None:
    key = tmp_path / "key.asc"
    key.write_bytes(openpgp.armoured(signer.key(tmp_path / "key", armour=False).read_bytes()))
    argv = ["rpm", f"--root={tmp_path}", "--dbpath=/db", "--import", key]
    subprocess.run(argv, check=True, timeout=60)
    argv = ["gpg", "--batch", "--show-keys", key]
    assert signer.fingerprint().encode() in subprocess.run(argv, capture_output=True).stdout


def test_what_is_no_public_key_is_refused(signer: Signer, tmp_path: Path) -> None:
    key = signer.key(tmp_path / "key", armour=False).read_bytes()
    secret = signer.gpg("--export-secret-keys")
    for content, why in (
        (b"", "holds no OpenPGP key"),
        (b"<html>404</html>", "holds no OpenPGP key"),
        (key[:-20], "cut off"),
        (secret, "secret key"),
        (signer.gpg("--armor", "--export-secret-keys"), "secret key"),
    ):
        with pytest.raises(ValueError, match=why):
            openpgp.fingerprints(content)
