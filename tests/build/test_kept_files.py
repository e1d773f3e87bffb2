from __future__ import annotations

from pathlib import Path

from families import FAMILY
from imagecycle.build import stage
from imagecycle.model import Release
from imagecycle.site import Site

RELEASE = Release.parse("20261122")


def partial(site: Site) -> Path:
    """What a build has made: a raw disk of 4 GiB with one block of data, and results."""
    folder = site.artifacts / "partial"
    (folder / "boot").mkdir(parents=True)
    with (folder / "installed.raw").open("wb") as raw:
        raw.truncate(4 * 2**30)
        raw.seek(2**30)
        raw.write(b"data" * 1024)
    (folder / "disk.qcow2").write_bytes(b"disk")
    (folder / "build.json").write_text("{}")
    return folder


def test_working_files_are_kept_without_writing_their_holes(tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    folder = partial(site)
    stage._leave_only_results(folder, site, FAMILY, RELEASE, keep=True)
    kept = tmp_path / "kept" / FAMILY.slug / "20261122"
    assert sorted(path.name for path in kept.iterdir()) == ["boot", "build.json", "installed.raw"]
    assert (kept / "installed.raw").stat().st_size == 4 * 2**30
    assert (kept / "installed.raw").stat().st_blocks * 512 < 2**20
    assert sorted(path.name for path in folder.iterdir()) == ["build.json", "disk.qcow2"]


def test_only_results_are_left(tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    folder = partial(site)
    stage._leave_only_results(folder, site, FAMILY, RELEASE, keep=False)
    assert sorted(path.name for path in folder.iterdir()) == ["build.json", "disk.qcow2"]
    assert not (tmp_path / "kept").exists()
