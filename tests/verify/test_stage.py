import dataclasses
import datetime
import errno
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from families import FAMILY, artifact
from imagecycle.artifacts import Artifact, ArtifactStore, checksums
from imagecycle.errors import ImagecycleError, LockHeld, UnknownName, UsageError
from imagecycle.machine.accelerator import Accelerator
from imagecycle.model import AcceptedRule, SecurityProfile
from imagecycle.site import Site
from imagecycle.verify import stage
from imagecycle.verify.run import Findings
from imagecycle.verify.verdict import CheckResult

RELEASE = "20261122"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(home=tmp_path)


@pytest.fixture
def built(site: Site) -> Artifact:
    made = artifact(site.artifacts, RELEASE)
    (made.folder / "verify.json").unlink()
    return made


def verify(site: Site, *, force: bool = False, **changes: Any) -> Path:
    family = dataclasses.replace(FAMILY, **changes)
    return stage.verify(family, site, release=RELEASE, force=force, keep=False)


def without_qemu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("IMAGECYCLE_ACCELERATOR", "tcg")


def test_missing_release_is_named(site: Site) -> None:
    with pytest.raises(UnknownName) as caught:
        verify(site)
    assert "imagecycle build" in caught.value.hint


def test_folder_without_a_build_record_is_refused(site: Site, built: Artifact) -> None:
    (built.folder / "build.json").unlink()
    with pytest.raises(ImagecycleError) as caught:
        verify(site)
    assert "no record of its build" in caught.value.message


def test_disk_that_is_not_the_one_that_was_built_is_refused(site: Site, built: Artifact) -> None:
    with built.disk.open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(ImagecycleError) as caught:
        verify(site)
    assert "sha256 differs" in caught.value.message
    assert not (built.folder / "verify.json").exists()


def test_missing_disk_is_named(site: Site, built: Artifact) -> None:
    built.disk.unlink()
    with pytest.raises(ImagecycleError) as caught:
        verify(site)
    assert str(built.disk) in caught.value.message


def test_verified_release_is_not_verified_again(
    site: Site, built: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_qemu(tmp_path, monkeypatch)
    record = json.loads((built.folder / "build.json").read_text())
    words = {"verdict": "passed", "disk_sha256": record["disk"]["sha256"]}
    built.write_record("verify", words)
    (built.folder / "verify.html").touch()
    assert verify(site) == built.folder / "verify.html"
    with pytest.raises(ImagecycleError, match="lacks qemu-system-x86"):
        verify(site, force=True)


@pytest.mark.parametrize("words", [{"verdict": "failed"}, {"disk_sha256": "another"}])
def test_failed_or_outdated_verdict_does_not_count(
    site: Site,
    built: Artifact,
    words: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_qemu(tmp_path, monkeypatch)
    record = json.loads((built.folder / "build.json").read_text())
    known = {"verdict": "passed", "disk_sha256": record["disk"]["sha256"]}
    built.write_record("verify", {**known, **words})
    (built.folder / "verify.html").touch()
    with pytest.raises(ImagecycleError, match="lacks qemu-system-x86"):
        verify(site)


def test_missing_qemu_is_named_and_nothing_is_left(
    site: Site, built: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_qemu(tmp_path, monkeypatch)
    with pytest.raises(ImagecycleError, match="lacks qemu-system-x86") as caught:
        verify(site)
    assert "setup" in caught.value.hint
    assert list(site.work.glob("*")) == []


def test_second_run_says_who_verifies(site: Site, built: Artifact) -> None:
    with (
        ArtifactStore(site.artifacts).lock(FAMILY.slug, "verify"),
        pytest.raises(LockHeld) as caught,
    ):
        verify(site)
    assert "verify" in caught.value.message


def test_architectures_that_cannot_be_booted_are_refused(site: Site, built: Artifact) -> None:
    with pytest.raises(UsageError, match="machines of s390x cannot be run"):
        verify(site, arch="s390x")


@pytest.fixture
def blank(built: Artifact) -> Artifact:
    """A release whose disk is a sound image without anything in it."""
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", built.disk, "64M"]
    subprocess.run(argv, check=True, timeout=60)
    built.write_record("build", {"disk": {"file": built.disk.name, **checksums(built.disk)}})
    return built


def test_too_little_room_is_named_before_anything_starts(
    site: Site, blank: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "WRITTEN", 2**60)
    with pytest.raises(ImagecycleError) as caught:
        verify(site)
    assert f"{site.work}/verify-" in caught.value.message
    assert "GiB free" in caught.value.message
    assert list(site.work.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_is_no_verdict(
    site: Site, blank: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "not run: qemu-img exited with 1: qemu-img: error while writing: "
    result = CheckResult("a.b", "A: b", "", "not run", 0.0, message + os.strerror(errno.ENOSPC))
    now = datetime.datetime.now(datetime.UTC)
    found = Findings(Accelerator("tcg", ""), now, now, [result], [], [], 1.0, "cheapest")
    monkeypatch.setenv("IMAGECYCLE_ACCELERATOR", "tcg")
    monkeypatch.setattr(stage.Run, "carry_out", lambda _self: found)
    with pytest.raises(ImagecycleError) as caught:
        verify(site)
    assert f"no space was left in {site.work}" in caught.value.message
    assert not (blank.folder / "verify.json").exists()
    assert list(site.work.iterdir()) == []


def test_a_release_is_verified_anew_when_another_security_profile_is_asked_for(
    site: Site, built: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_qemu(tmp_path, monkeypatch)
    record = json.loads((built.folder / "build.json").read_text())
    asked = SecurityProfile("g.xml", "p", accepted=(AcceptedRule("a", "so"),))
    words = {
        "verdict": "passed",
        "disk_sha256": record["disk"]["sha256"],
        "security_profile_asked": dataclasses.asdict(asked),
    }
    built.write_record("verify", words)
    (built.folder / "verify.html").touch()
    assert verify(site, security_profile=asked) == built.folder / "verify.html"
    with pytest.raises(ImagecycleError, match="lacks qemu-system-x86"):
        verify(site, security_profile=dataclasses.replace(asked, score=50.0))
