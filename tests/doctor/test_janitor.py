import datetime
import os
import time
from pathlib import Path

import pytest

from imagecycle.artifacts import Artifact, ArtifactStore
from imagecycle.build import recovery
from imagecycle.doctor import janitor
from imagecycle.model import Release
from imagecycle.site import Site
from imagecycle.site_sections import Retention

FAMILY = "debian-12-x86_64-server"
TODAY = datetime.date(2026, 11, 22)


def releases(*names: str) -> list[Artifact]:
    return [Artifact(FAMILY, Release.parse(name), Path(name)) for name in names]


@pytest.mark.parametrize(
    ("names", "gone"),
    [
        ([], []),
        (["20240101"], []),
        (["20240101", "20240401"], []),
        (["20240101", "20240401", "20240701"], ["20240101"]),
        (["20260901", "20261001", "20261101", "20261122"], []),
        (["20250101", "20250401", "20261001", "20261122"], ["20250401", "20250101"]),
    ],
)
def test_old_releases_go_and_the_newest_two_stay_however_old(
    names: list[str], gone: list[str]
) -> None:
    found = janitor.past(releases(*names), Retention(releases=2, days=200), TODAY)
    assert [str(one.release) for one in found] == gone


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    # what it does to domains is shown with libvirt
    monkeypatch.setattr(recovery, "clear", lambda _site, _store, _family: None)
    return Site(home=tmp_path, retention=Retention(releases=1, days=200, evidence_days=60))


def release(site: Site, name: str) -> Path:
    folder = site.artifacts / FAMILY / name
    folder.mkdir(parents=True)
    (folder / "disk.qcow2").write_bytes(b"x" * 2**20)
    return folder


def aged(path: Path, days: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.mkdir()
    seconds = time.time() - days * 86400
    os.utime(path, (seconds, seconds))
    return path


def test_what_is_past_its_time_goes_and_all_else_stays(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = release(site, "20200101"), release(site, "20200401")
    gone = [
        old,
        aged(site.home / "failures" / FAMILY / "20200101", 61),
        aged(site.home / "kept" / FAMILY / "20200101", 61),
        aged(site.work / "kept-verify-x", 61),
        aged(site.work / "verify-dead", 0),
    ]
    stays = [
        new,
        aged(site.home / "failures" / FAMILY / "20261101", 59),
        aged(site.work / "somebody", 1000),
        aged(site.work / "kept-verify-y", 59),
    ]
    janitor.clean(site, dry_run=True)
    assert all(path.exists() for path in (*gone, *stays))
    assert str(old) in capsys.readouterr().err
    janitor.clean(site, dry_run=False)
    assert [path for path in gone if path.exists()] == []
    assert all(path.exists() for path in stays)
    assert "1 MiB freed in 1 families" in capsys.readouterr().err


def test_a_family_that_is_being_built_is_left_alone(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    old = release(site, "20200101")
    release(site, "20200401")
    with ArtifactStore(site.artifacts).lock(FAMILY, "build"):
        janitor.clean(site, dry_run=False)
    assert old.exists()
    assert f"leaving {FAMILY} is locked by" in capsys.readouterr().err


def test_an_installation_that_no_build_uses_goes(site: Site) -> None:
    cache = site.cache / "installations"
    cache.mkdir(parents=True)
    for name, days in (("debian-11-x86_64-aaaa.raw", 201), ("debian-12-x86_64-bbbb.raw", 199)):
        (cache / name).touch()
        (cache / name).with_suffix(".json").touch()
        aged(cache / name, days)
    janitor.clean(site, dry_run=False)
    left = sorted(path.name for path in cache.iterdir() if not path.name.startswith("."))
    assert left == ["debian-12-x86_64-bbbb.json", "debian-12-x86_64-bbbb.raw"]


def test_a_machine_without_anything_is_clean(site: Site) -> None:
    janitor.clean(site, dry_run=False)


def test_a_machine_without_libvirt_is_cleaned_as_far_as_possible(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_arguments: object) -> None:
        raise ImportError("No module named 'libvirt'")

    monkeypatch.setattr(recovery, "clear", missing)
    old = release(site, "20200101")
    release(site, "20200401")
    janitor.clean(site, dry_run=False)
    assert not old.exists()
    assert "what builds have left stays here" in capsys.readouterr().err
