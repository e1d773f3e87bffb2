"""What is packed for whoever helps: all that tells why an image fails, and no secret."""

from __future__ import annotations

import errno
import json
import tarfile
from pathlib import Path

import pytest

import windows_families
import windows_media_made
from imagecycle.artifacts import ArtifactStore
from imagecycle.build import evidence
from imagecycle.cli import main
from imagecycle.site import Site

PASSWORD = "Aa1-wJalrXUtnFEMIK7MDENG"
KEY = "VDYBN-27WPP-V4HQT-9VMD4-VMK7H"
SLUG = "windows-2022-x86_64-server"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(home=tmp_path / "home")
    failure = made.home / "failures" / SLUG / "20261128"
    failure.mkdir(parents=True)
    (failure / "console.log").write_text(f"installer: 1/5 setup\n{PASSWORD}\n")
    (failure / "oz.log").write_text(f"<Key>{KEY}</Key>\n<Password>\n <Value>hunter2</Value>")
    (failure / "screenshot.png").write_bytes(b"\x89PNG picture")
    (failure / "key").write_text("-----BEGIN PRIVATE KEY-----")
    store = ArtifactStore(made.artifacts)
    folder = store.root / SLUG / "20261127"
    folder.mkdir(parents=True)
    (folder / "build.json").write_text(json.dumps({"release": "20261127"}))
    (folder / "disk.qcow2").write_bytes(b"QFI")
    return made


def test_records_logs_and_pictures_are_packed_and_no_disk_or_key(site: Site) -> None:
    found = dict(evidence.gather(windows_families.family(), site))
    assert {"failures/console.log", "failures/oz.log", "failures/screenshot.png"} <= set(found)
    assert "release/build.json" in found
    assert not [name for name in found if "qcow2" in name or name.endswith("/key")]
    assert b"***" in found["answer-file.txt"] and b"<unattend" in found["answer-file.txt"]


def test_media_are_listed_or_it_is_said_why_not(site: Site, tmp_path: Path) -> None:
    iso = windows_media_made.iso(
        windows_media_made.tree(tmp_path / "tree", windows_media_made.FULL)
    )
    listed = evidence._listed(iso.as_uri())
    assert "ServerStandard, Server, x86_64, build 20348" in listed
    assert "efi/microsoft/boot/efisys_noprompt.bin" in listed
    found = dict(evidence.gather(windows_families.family(), site))
    assert found["medium.txt"].startswith(b"cannot be told:")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"password {PASSWORD} of the build", PASSWORD),
        (f"<ProductKey><Key>{KEY}</Key>", KEY),
        ("<AdministratorPassword>\r\n  <Value>hunter2</Value>", "hunter2"),
        ('{"admin_pass": "hunter2"}', "hunter2"),
    ],
)
def test_secrets_of_windows_are_masked(text: str, secret: str) -> None:
    assert secret not in evidence.masked(text)
    assert "***" in evidence.masked(text)


def test_the_end_of_a_long_log_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "LARGEST", 10)
    path = tmp_path / "long.log"
    path.write_text("begin" + "x" * 50 + "the end")
    assert evidence._end(path) == b"xxxthe end"


def test_the_command_writes_one_file_without_secrets(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "site.yaml"
    folder = tmp_path / "images"
    folder.mkdir()
    windows_families.copy(folder)
    settings.write_text(f"home: {site.home}\ncatalog: {folder}\n")
    target = tmp_path / "evidence.tar.gz"
    argv = ["--site", str(settings), "evidence", SLUG, "--output", str(target)]
    assert main(argv) == 0
    assert target.stat().st_mode & 0o077 == 0
    with tarfile.open(target) as archive:
        texts = {
            one.name: archive.extractfile(one).read()  # type: ignore[union-attr]
            for one in archive
        }
    everything = b"".join(texts.values())
    for secret in (PASSWORD, "hunter2"):
        assert secret.encode() not in everything
    assert f"{SLUG}/about.json" in texts and f"{SLUG}/family.txt" in texts
    assert texts[f"{SLUG}/failures/screenshot.png"] == b"\x89PNG picture"
    assert "look through them before you send them" in capsys.readouterr().out


def test_what_cannot_be_packed_leaves_the_older_file(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "site.yaml"
    settings.write_text(f"home: {site.home}\n")
    target = tmp_path / "evidence.tar.gz"
    target.write_bytes(b"older")
    monkeypatch.setattr(tarfile.TarFile, "addfile", _full)
    argv = ["--site", str(settings), "evidence", SLUG, "--output", str(target)]
    assert main(argv) == 1
    assert target.read_bytes() == b"older"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def _full(*_arguments: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
