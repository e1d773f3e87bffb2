"""A release is brought into a cloud once: for its verification there, and then to be published."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from families import FAMILY, artifact
from families import family as family_with
from imagecycle import cli
from imagecycle.artifacts import Artifact
from imagecycle.errors import DefectsFound, UnknownName, UsageError
from imagecycle.lifecycle import cloud_verification, publish
from imagecycle.lifecycle.cloud_context import CloudContext
from imagecycle.lifecycle.rules.publish import Target
from imagecycle.metadata.evidence import NotVerified
from imagecycle.model import Release
from imagecycle.site import Site
from lifecycle.memory_cloud import BEGINNING, Cloud, MemoryContext, Operator
from lifecycle.random_life import DISK, DISK_SHA512

RELEASE = "20261122"
CLOUDS = {
    "production": {"verify": {"network": "n", "required_for": ["debian-1?-*"]}},
    "other": {"verify": {"network": "n", "required_for": ["ubuntu-*"]}},
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.model_validate({"home": tmp_path, "clouds": CLOUDS})


@pytest.fixture
def made(site: Site) -> Artifact:
    return artifact(site.artifacts, RELEASE)


def passed_in(made: Artifact, cloud: str, **changes: Any) -> None:
    sha256 = json.loads((made.folder / "build.json").read_text())["disk"]["sha256"]
    entry = {"verdict": "passed", "disk_sha256": sha256, **changes}
    made.write_record("verify-cloud", {"clouds": {cloud: entry}})


def publish_to(site: Site, cloud: str) -> None:
    publish.publish(FAMILY, site, cloud=cloud, release=RELEASE, dry_run=False)


def test_publish_wants_what_the_site_requires_in_this_cloud(site: Site, made: Artifact) -> None:
    passed_in(made, "other")
    with pytest.raises(NotVerified, match="was not verified in production") as caught:
        publish_to(site, "production")
    assert caught.value.hint.endswith("--release 20261122 --cloud production")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"verdict": "failed"}, "did not pass verification in production: failed"),
        ({"disk_sha256": "another"}, "was verified in production with another disk"),
    ],
)
def test_publish_wants_a_verdict_that_passed_of_this_disk(
    site: Site, made: Artifact, changes: dict[str, str], message: str
) -> None:
    passed_in(made, "production", **changes)
    with pytest.raises(NotVerified, match=message):
        publish_to(site, "production")


@pytest.mark.parametrize(("cloud", "passed"), [("production", True), ("other", False)])
def test_publish_goes_on_where_it_passed_or_is_not_required(
    site: Site, made: Artifact, monkeypatch: pytest.MonkeyPatch, cloud: str, passed: bool
) -> None:
    """As far as the cloud, which is not there."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "/dev/null")
    if passed:
        passed_in(made, cloud)
    with pytest.raises(UnknownName, match="unknown cloud"):
        publish_to(site, cloud)


def test_it_is_done_where_it_is_required_and_nowhere_else(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    monkeypatch.setattr(
        cloud_verification,
        "verify_in_cloud",
        lambda family, site, *, cloud, **_: done.append(cloud),
    )
    cloud_verification.verify_where_required(
        FAMILY, site, clouds=["other", "production", "unknown"], release=None
    )
    assert done == ["production"]


def test_what_changes_nothing_starts_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["publish", FAMILY.slug, "--cloud", "production", "--verify", "--dry-run"]
    assert cli.main(words) == 2
    assert "--verify starts servers" in capsys.readouterr().err


def verify(site: Site, **changes: Any) -> Path:
    return cloud_verification.verify_in_cloud(
        family_with(**changes), site, cloud="production", release=None, force=False, keep=False
    )


def test_what_did_not_pass_here_is_not_brought_there(site: Site, made: Artifact) -> None:
    (made.folder / "verify.json").unlink()
    with pytest.raises(NotVerified, match="was not verified"):
        verify(site)


def test_what_passed_there_is_not_verified_again(site: Site, made: Artifact) -> None:
    passed_in(made, "production")
    page = made.folder / "verify-production.html"
    page.touch()
    assert verify(site) == page


def test_systems_that_cannot_be_looked_into_are_refused(site: Site) -> None:
    with pytest.raises(UsageError, match="windows"):
        verify(site, os_type="windows")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    path.write_bytes(DISK)
    return path


def cloud_context(cloud: Cloud, site: Site) -> CloudContext:
    operator = Operator(cloud)
    clock = lambda: BEGINNING + datetime.timedelta(days=400)  # noqa: E731
    return MemoryContext("memory", operator, operator.usage, {}, site, clock)


TARGET = Target(
    family=FAMILY.slug,
    release=Release.parse(RELEASE),
    name="a name",
    size=len(DISK),
    disk_format="qcow2",
    min_disk=1,
    min_ram=1,
    properties={"imagecycle_family": FAMILY.slug, "imagecycle_release": RELEASE},
    hashes={"sha512": DISK_SHA512},
)


def states(context: CloudContext) -> list[tuple[str, str, str]]:
    return [
        (one.id, one.visibility, one.properties["imagecycle_state"])
        for one in context.images.images()
    ]


def test_a_candidate_that_passes_is_what_is_published(site: Site, disk: Path) -> None:
    context = cloud_context(Cloud(), site)
    with cloud_verification._candidate(context, TARGET, disk) as image:
        assert states(context) == [(image.id, "private", "candidate")]
    published, plan = publish.publish_in(context, TARGET, disk)
    assert published.id == image.id
    assert "upload" not in " ".join(plan.lines())
    assert states(context) == [(image.id, "public", "current")]


@pytest.mark.parametrize("error", [DefectsFound("x"), KeyboardInterrupt(), UsageError("x")])
def test_a_candidate_that_does_not_pass_is_taken_back(
    site: Site, disk: Path, error: BaseException
) -> None:
    context = cloud_context(Cloud(), site)
    with (
        pytest.raises(type(error)),
        cloud_verification._candidate(context, TARGET, disk) as image,
    ):
        raise error
    assert image
    assert states(context) == []


def test_what_was_there_before_stays_whatever_is_found(site: Site, disk: Path) -> None:
    context = cloud_context(Cloud(), site)
    published, _ = publish.publish_in(context, TARGET, disk)
    with (
        pytest.raises(DefectsFound),
        cloud_verification._candidate(context, TARGET, disk) as image,
    ):
        raise DefectsFound("x")
    assert image.id == published.id
    assert states(context) == [(published.id, "public", "current")]


def test_nothing_is_published_by_bringing_a_release(site: Site, disk: Path) -> None:
    """Not even an older one is put out of sight."""
    context = cloud_context(Cloud(), site)
    older = {**TARGET.properties, "imagecycle_release": "20260101"}
    first = Target(**{**vars(TARGET), "release": Release.parse("20260101"), "properties": older})
    before, _ = publish.publish_in(context, first, disk)
    with cloud_verification._candidate(context, TARGET, disk) as image:
        pass
    assert set(states(context)) == {
        (before.id, "public", "current"),
        (image.id, "private", "candidate"),
    }
