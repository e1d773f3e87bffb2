"""A published guide held against a real disk, and against a copy that meets one rule less."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from families import family
from imagecycle.artifacts import Artifact
from imagecycle.build import disk, offline
from imagecycle.model import AcceptedRule, Family, SecurityProfile
from imagecycle.site import Site
from imagecycle.verify import comparison, security_profile
from imagecycle.verify.security_results import ProfileResult

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]

ASKED = SecurityProfile("ssg-debian12-ds.xml", "anssi_bp28_minimal")
RULE = "file_permissions_unauthorized_world_writable"


def scanned(image: Path, folder: Path, asked: SecurityProfile = ASKED) -> ProfileResult:
    folder.mkdir()
    request = security_profile.prepare(family(security_profile=asked), Site(home=folder))
    assert request is not None
    return security_profile.scan(request, image, folder)


def test_a_rule_that_is_not_met_any_more_is_seen(
    good_images: dict[str, tuple[Family, Artifact]], tmp_path: Path
) -> None:
    image = good_images["server"][1].disk
    before = hashlib.sha256(image.read_bytes()).hexdigest()
    good = scanned(image, tmp_path / "good")
    assert len(good.passed) > 10
    assert RULE in good.passed
    raw, spoilt = tmp_path / "spoilt.raw", tmp_path / "spoilt.qcow2"
    disk.unpack(image, raw)
    with offline.opened(raw, tmp_path) as system:
        system.write("/opt/builder/notes", b"x", 0o666)
    disk.finish(raw, spoilt, "none")
    accepted = tuple(AcceptedRule(rule.name, "as it was") for rule in good.unmet)
    asked = SecurityProfile(ASKED.guide, ASKED.profile, good.score, accepted=accepted)
    found = scanned(spoilt, tmp_path / "spoilt", asked)
    assert [rule.name for rule in found.defects] == [RULE]
    assert found.score < good.score
    records = ({"security_profile": one.as_record()} for one in (good, found))
    newly = comparison.of_rules(*records)["newly_unmet"]
    assert [words.partition(" ")[0] for words in newly] == [RULE]
    assert hashlib.sha256(image.read_bytes()).hexdigest() == before
