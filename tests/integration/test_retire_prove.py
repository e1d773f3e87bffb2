"""``imagecycle retire --prove`` as one command, with a real Nova and pretended hypervisors."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

import terminal
from families import FAMILY, artifact, family
from imagecycle.lifecycle import publish as stage
from integration import servers
from integration.conftest import ComputeBox

pytestmark = pytest.mark.integration

SLUG = FAMILY.slug
RELEASES = ("20260522", "20260822", "20261122")


@pytest.fixture
def olds(compute_box: ComputeBox) -> list[str]:
    """The images of two superseded releases: alice has a server from the second one."""
    made = []
    for release in RELEASES:
        artifact(compute_box.site.artifacts, release, size=2**17)
        site = compute_box.site
        image = stage.publish(family(), site, cloud="devcloud", release=release, dry_run=False)
        assert image is not None
        made.append(image.id)
    servers.boot(compute_box.alice, made[1])
    return made[:2]


@pytest.fixture(autouse=True)
def nothing_is_left(compute_box: ComputeBox) -> Iterator[None]:
    yield
    servers.await_no_canary(compute_box.admin)


def retire(
    box: ComputeBox, user: str = "devcloud-alice", stranger: str = "devcloud-bob", *more: str
) -> subprocess.CompletedProcess[str]:
    words = ["retire", SLUG, "--cloud", "devcloud", "--now", "--prove"]
    who = ["--as", user, "--stranger", stranger]
    return terminal.run(*words, *who, *more, home=box.site.home)


def states(box: ComputeBox) -> list[str]:
    found = {
        image.properties["imagecycle_release"]: image.properties["imagecycle_state"]
        for image in box.glance.images(imagecycle_family=SLUG)
    }
    return [found[release] for release in RELEASES]


RETIRED = ["retired", "retired", "current"]
UNTOUCHED = ["superseded", "superseded", "current"]


def test_what_a_user_uses_is_proven_and_of_the_rest_it_is_said_what_is_not(
    compute_box: ComputeBox, olds: list[str]
) -> None:
    done = retire(compute_box)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == olds
    assert states(compute_box) == RETIRED
    unused, used = olds
    for words in ("reads the image", "rebuilds the canary", "resizes the canary to medium"):
        assert done.stderr.count(f"devcloud-alice {words}") == 1
    for words in ("does not find the image", "cannot start a server from it"):
        assert done.stderr.count(f"devcloud-bob {words}") == 2
    said = f"not proven that users of image {unused} can go on: the project of devcloud-alice"
    assert said in done.stderr
    assert f"not proven that users of image {used}" not in done.stderr
    again = retire(compute_box)
    assert (again.returncode, again.stdout) == (0, "")
    assert "nothing to do" in again.stderr


def test_a_stranger_who_uses_an_image_is_none_for_it(
    compute_box: ComputeBox, olds: list[str]
) -> None:
    _, used = olds
    done = retire(compute_box, "devcloud-bob", "devcloud-alice")
    assert done.returncode == 0, done.stderr
    assert states(compute_box) == RETIRED
    assert f"not proven that others do not see image {used}" in done.stderr
    assert done.stderr.count("devcloud-alice does not find the image") == 1
    assert done.stderr.count("not proven that users of image") == 2


def test_a_proof_that_fails_keeps_no_other_back_and_the_retirement_stands(
    compute_box: ComputeBox, olds: list[str]
) -> None:
    servers.boot(compute_box.alice, olds[0])
    (file,) = (compute_box.layout.data / "images").glob(f"**/{olds[0]}")
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    done = retire(compute_box)
    assert done.returncode == 1
    assert done.stdout.splitlines() == olds
    assert f"error: image {olds[0]} is retired: devcloud-alice: what was downloaded" in done.stderr
    assert "hint: look at the image store" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("devcloud-alice resizes the canary") == 1
    assert states(compute_box) == RETIRED


@pytest.mark.parametrize(
    ("user", "stranger", "message"),
    [
        ("devcloud-alice", "devcloud-alice", "belong to the same project"),
        ("devcloud", "devcloud-bob", "devcloud belongs to the project that owns the images"),
        ("devcloud-alice", "devcloud", "devcloud belongs to the project that owns the images"),
        ("devcloud-alise", "devcloud-bob", "unknown cloud: devcloud-alise"),
    ],
)
def test_who_cannot_bear_witness_is_refused_before_anything_is_retired(
    compute_box: ComputeBox, olds: list[str], user: str, stranger: str, message: str
) -> None:
    done = retire(compute_box, user, stranger)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "hint: " in done.stderr
    assert states(compute_box) == UNTOUCHED


def test_a_retirement_that_is_only_planned_proves_nothing(
    compute_box: ComputeBox, olds: list[str]
) -> None:
    done = retire(compute_box, "devcloud-alice", "devcloud-bob", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "")
    assert "canary" not in done.stderr
    assert states(compute_box) == UNTOUCHED
