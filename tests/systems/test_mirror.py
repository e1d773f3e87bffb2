"""Which package mirror is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.site import Site
from imagecycle.systems import mirror

APT = """#!/bin/sh
echo 'http://other.example/cloud/ cloud-sdk'
echo 'http://mirror.example/debian/ {0}'
echo 'http://mirror.example/debian/ {0}-updates'
echo 'http://security.example/debian-security/ {0}-security'
"""


def apt_says(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "apt-get"
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setattr(mirror, "_codename", lambda: "trixie")


@pytest.mark.parametrize("suite", ["trixie", "stable"])
def test_the_machines_own_sources_are_used(
    suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt_says(APT.format(suite), tmp_path, monkeypatch)
    found = mirror.find(Site())
    assert found.url == "http://mirror.example/debian"
    assert found.security_url == "http://security.example/debian-security"


def test_the_operators_setting_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt_says(APT.format("trixie"), tmp_path, monkeypatch)
    found = mirror.find(Site(mirror="http://ours.example/debian/"))
    assert found.url == "http://ours.example/debian"
    assert found.security_url == "http://security.example/debian-security"


def test_a_machine_without_a_mirror_is_told_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt_says("#!/bin/sh\n", tmp_path, monkeypatch)
    with pytest.raises(ImagecycleError, match="no Debian package mirror") as caught:
        mirror.find(Site())
    assert "security_mirror" in caught.value.hint


def test_sources_name_the_version_asked_for() -> None:
    lines = mirror.Mirror("http://m.example/d", "http://m.example/s").sources("bookworm")
    assert lines == (
        "deb http://m.example/d bookworm main",
        "deb http://m.example/d bookworm-updates main",
        "deb http://m.example/s bookworm-security main",
    )


def test_an_index_that_a_site_accepts_for_longer_is_accepted_by_apt_as_well() -> None:
    first, *_ = mirror.Mirror("http://m.example/d", "http://m.example/s", 30).sources("forky")
    assert first == "deb [valid-until-min=2592000] http://m.example/d forky main"
