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
from imagecycle.verify.cases import INSTANCE, REBOOT, Case
from imagecycle.verify.checks import test_lives
from imagecycle.verify.fixtures import Lived
from integration import boots
from integration.boots import BuiltFamily
from sabotages import checks, machines
from spoilt_disk import root_of

pytestmark = [pytest.mark.integration, pytest.mark.machines]


def verdict_on(built: BuiltFamily, home: Path, boot: str) -> dict[str, str]:
    """The messages of the checks of running machines that reject a sabotaged release."""
    family, _, artifact = built
    folder = sabotaged(family, artifact, home, boot)
    assert cli.main(["verify", family.slug]) == 3
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
@pytest.mark.parametrize("boot", [boot for boot in machines.BOOTS if boot != machines.TWICE])
def test_sabotaged_machine_is_rejected_for_what_was_done(
    built_family: BuiltFamily, home: Path, boot: str
) -> None:
    rejected = verdict_on(built_family, home, boot)
    assert machines.expected(boot) - rejected.keys() == set()
    assert rejected.keys() - machines.allowed(boot) == set()


@pytest.mark.long
def test_sabotaged_machine_that_works_once_is_rejected(built_family: BuiltFamily) -> None:
    case = Case(INSTANCE, "bios", built_family[0].properties, processors=2, lives=(REBOOT,))
    sabotage = machines.done(machines.TWICE)
    found = boots.boot_case(built_family, sabotage, case, lambda _boot: False)
    ended = found.lives[REBOOT].ended
    assert ended is not None
    assert ended.reason is not None
    lived = Lived(found.subject, REBOOT, found.lives[REBOOT], {})
    assert machines.expected(machines.TWICE) == {"lives.lets_the_key_in_again[instance-reboot]"}
    with pytest.raises(AssertionError):
        test_lives.test_lets_the_key_in_again(lived)
