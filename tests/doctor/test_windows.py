"""The doctor on what images of Windows need."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

import windows_families
from imagecycle.doctor import windows
from imagecycle.doctor.finding import Finding, Verdict
from imagecycle.machine import platforms
from imagecycle.site import CATALOG, Site

FILE = {"url": "file:///srv/x", "sha256": "aa" * 32}
WHOLE = {"drivers": FILE, "cloudbase_init": FILE}


def look(folder: Path, *, media: bool = True, **settings: Any) -> Finding:
    catalog = folder / "images"
    catalog.mkdir()
    if media:
        windows_families.copy(catalog)
    else:
        shutil.copytree(CATALOG, catalog, dirs_exist_ok=True)
    site = Site.model_validate({"home": folder, "catalog": catalog, "windows": settings})
    return windows.windows(site, False)


def test_who_has_no_medium_needs_nothing(tmp_path: Path) -> None:
    found = look(tmp_path, media=False)
    assert (found.verdict, found.seen) == (Verdict.OK, "no medium of Windows is configured")


def test_missing_media_are_named(tmp_path: Path) -> None:
    found = look(tmp_path, drivers=FILE)
    assert found.verdict is Verdict.FAILED
    assert "name no windows.cloudbase_init (the MSI of cloudbase-init)" in found.seen


def test_without_a_reader_questions_on_the_screen_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "_absent", lambda name: name == "tesseract")
    found = look(tmp_path, **WHOLE)
    assert found.verdict is Verdict.WARNING and "no tesseract: what Windows asks" in found.seen


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_absent", lambda _: False)
    monkeypatch.setattr(windows.importlib.util, "find_spec", lambda _: object())


def test_a_kms_host_that_does_not_answer_is_named(tmp_path: Path, programs: None) -> None:
    found = look(tmp_path, **WHOLE, kms_host="127.0.0.1:1")
    assert found.verdict is Verdict.WARNING
    assert found.seen == "no KMS host answers from here: 127.0.0.1:1"


def test_a_kms_host_that_answers_is_fine(tmp_path: Path, programs: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
        found = look(tmp_path, **WHOLE, kms_host=host)
    assert found.verdict is Verdict.OK and f"KMS at {host}" in found.seen


def test_without_a_host_dns_decides(tmp_path: Path, programs: None) -> None:
    assert "left to DNS" in look(tmp_path, **WHOLE).seen


def test_what_secure_boot_and_a_tpm_need_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platforms, "TPM_PACKAGES", {"swtpm-tools": "no-such-program"})
    found = look(tmp_path, **WHOLE)
    assert found.verdict is Verdict.FAILED
    assert found.seen == "machines of Windows need swtpm-tools"
