"""Sabotaged images, booted: the checks of running machines name what is wrong, and nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from imagecycle import cli
from imagecycle.artifacts import Artifact, checksums, write_json
from imagecycle.model import Family
from imagecycle.site import Site
from integration.boots import BuiltFamily
from sabotages import checks, machines
from spoilt_disk import root_of

pytestmark = [pytest.mark.integration, pytest.mark.machines]


def verdict_on(built: BuiltFamily, home: Path, boot: str, *options: str) -> dict[str, str]:
    """The messages of the checks of running machines that reject a sabotaged release."""
    family, _, artifact = built
    folder = sabotaged(family, artifact, home, boot)
    assert cli.main(["verify", family.slug, *options]) == 3
    found = json.loads((folder / "verify.json").read_text())["checks"]
    offline = checks.offline()
    return {
        check["id"]: check["message"]
        for check in found
        if check["outcome"] == "failed" and check["id"] not in offline
    }


def sabotaged(family: Family, artifact: Artifact, home: Path, boot: str) -> Path:
    """The folder of a release that a build might have left."""
    folder = Site(home=home).artifacts / family.slug / str(artifact.release)
    folder.mkdir(parents=True)
    disk, layer = Artifact(family.slug, artifact.release, folder).disk, home / "layer.qcow2"
    with root_of(artifact.disk, layer) as root:
        machines.done(boot)(root)
    argv = ["qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", layer, disk]
    subprocess.run(argv, check=True, timeout=600)
    write_json(folder / "build.json", {"disk": {"file": disk.name, **checksums(disk)}})
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path))
    monkeypatch.delenv("IMAGECYCLE_SITE", raising=False)
    return tmp_path


@pytest.mark.long
@pytest.mark.parametrize("boot", machines.BOOTS)
def test_sabotaged_machine_is_rejected_for_what_was_done(
    built_family: BuiltFamily, home: Path, boot: str
) -> None:
    options = ["--matrix", "full"] if boot == machines.TWICE else []
    rejected = verdict_on(built_family, home, boot, *options)
    assert machines.expected(boot) - rejected.keys() == set()
    if boot != machines.TWICE:  # whatever follows the life that never came is rejected as well
        assert rejected.keys() - machines.allowed(boot) == set()
