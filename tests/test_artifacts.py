"""The artifact folder: releases, records, locks."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import terminal
from imagecycle.artifacts import (
    Artifact,
    ArtifactStore,
    checksums,
    lock_file,
    write_json,
    write_text,
)
from imagecycle.errors import ImagecycleError, LockHeld, UsageError
from imagecycle.model import Release

FAMILY = "debian-12-x86_64-base"
HOLD = """
import pathlib, sys
from imagecycle.artifacts import lock_file
with lock_file(pathlib.Path(sys.argv[1]), "it", "testing"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def make(store: ArtifactStore, release: str, text: str = "disk") -> Artifact:
    partial = store.partial(FAMILY, Release.parse(release))
    partial.mkdir(parents=True)
    (partial / "disk.qcow2").write_text(text)
    return store.complete(FAMILY, Release.parse(release))


def test_releases_are_listed_oldest_first_and_only_whole_ones(store: ArtifactStore) -> None:
    for release in ("20261122.10", "20261122", "20261122.2", "20260101"):
        make(store, release)
    store.partial(FAMILY, Release.parse("20261123")).mkdir()
    (store.root / FAMILY / "notes").mkdir()
    listed = [str(artifact.release) for artifact in store.releases(FAMILY)]
    assert listed == ["20260101", "20261122", "20261122.2", "20261122.10"]


def test_the_newest_release_is_found_without_a_name(store: ArtifactStore) -> None:
    make(store, "20260101")
    newest = make(store, "20261122")
    assert store.find(FAMILY, None) == newest


def test_a_release_that_is_not_there_is_named_with_those_that_are(store: ArtifactStore) -> None:
    make(store, "20261122")
    with pytest.raises(UsageError, match="20261121") as caught:
        store.find(FAMILY, "20261121")
    assert "20261122" in caught.value.hint


def test_a_family_without_releases_says_how_to_build_one(store: ArtifactStore) -> None:
    with pytest.raises(UsageError, match=r"no release of .* yet") as caught:
        store.find(FAMILY, None)
    assert f"imagecycle build {FAMILY}" in caught.value.hint


def test_the_next_release_of_a_day_counts_on(store: ArtifactStore) -> None:
    today = Release(datetime.datetime.now(datetime.UTC).date())
    assert store.next_release(FAMILY) == today
    make(store, str(today))
    assert store.next_release(FAMILY) == Release(today.date, 1)


def test_completing_replaces_an_older_release_whole(store: ArtifactStore) -> None:
    make(store, "20261122", "old")
    artifact = make(store, "20261122", "new")
    assert artifact.disk.read_text() == "new"
    assert store.partials(FAMILY) == []


def test_a_record_is_read_as_it_was_written(store: ArtifactStore) -> None:
    artifact = make(store, "20261122")
    assert artifact.record("build") is None
    artifact.write_record("build", {"release": artifact.release, "packages": 3})
    assert artifact.record("build") == {"release": "20261122", "packages": 3}


def test_a_broken_record_is_an_error_with_a_way_out(store: ArtifactStore) -> None:
    artifact = make(store, "20261122")
    (artifact.folder / "build.json").write_text("{")
    with pytest.raises(ImagecycleError, match=r"cannot read .*build\.json"):
        artifact.record("build")


def test_a_lock_is_held_against_another_process_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        _holder(path) as holder,
        pytest.raises(LockHeld, match=f"process {holder.pid} on .*testing"),
        lock_file(path, "it", "trying"),
    ):
        pass
    with lock_file(path, "it", "trying"):
        pass


def test_a_lock_does_not_outlive_a_holder_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with _holder(path) as holder:
        holder.kill()
        holder.wait(10)
        with lock_file(path, "it", "trying"):
            pass


def test_a_lock_can_be_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with _holder(path) as holder:
        assert holder.stdin is not None
        holder.stdin.close()
        with lock_file(path, "it", "waiting", wait=30):
            pass


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_text(path, None)  # type: ignore[arg-type]
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_checksums_are_those_of_coreutils(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(5 * 2**20))
    seen: list[int] = []
    found = checksums(path, seen.append)
    for name in ("sha256", "sha512"):
        output = subprocess.run([f"{name}sum", path], capture_output=True, text=True, timeout=30)
        assert output.stdout.split()[0] == found[name]
    assert seen[-1] == path.stat().st_size


def _holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=terminal.environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process
