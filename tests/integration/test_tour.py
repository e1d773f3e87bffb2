"""The tour for newcomers, against a real Nova."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import terminal
from families import artifact
from imagecycle.artifacts import Artifact
from imagecycle.cloud import view
from imagecycle.errors import ImagecycleError, UnknownName, UsageError
from imagecycle.lifecycle import transitions
from imagecycle.metadata import identity, validation
from imagecycle.metadata.evidence import NotVerified
from imagecycle.model import Release
from imagecycle.tour import release_life
from integration import servers
from integration.conftest import ComputeBox
from integration.images import make_release

pytestmark = pytest.mark.integration


@pytest.fixture
def first(tmp_path: Path) -> Artifact:
    return artifact(tmp_path / "artifacts", "20261122", size=2**20)


def leftovers(box: ComputeBox) -> list[str]:
    images = [image.name for image in box.glance.images()]
    found = servers.request(box.admin, "GET", "/servers?all_tenants=1")["servers"]
    return images + [one["name"] for one in found]


def test_the_tour_shows_what_two_users_see_and_leaves_nothing(
    compute_box: ComputeBox, first: Artifact, capsys: pytest.CaptureFixture[str]
) -> None:
    release_life.run(compute_box.site, first, release_life.next_of(first))
    told = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert [line for line in told if not line[0].isdigit()] == [
        "alice lists 20261122",
        "bob lists 20261122",
        "alice lists 20261122.1; 20261122 by its id: there",
        "bob lists 20261122.1; 20261122 by its id: there",
        "alice lists 20261122.1; 20261122 by its id: there",
        "bob lists 20261122.1; 20261122 by its id: not found",
        "alice's server was rebuilt and runs",
        "bob is told that there is no such image",
        "alice lists 20261122.1; 20261122 by its id: not found",
        "bob lists 20261122.1; 20261122 by its id: not found",
    ]
    assert leftovers(compute_box) == []
    assert first.record("publish") is None


def test_all_that_is_written_on_images_in_their_life_keeps_to_the_schema(
    compute_box: ComputeBox, first: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[str, str] = {}
    change = type(compute_box.glance).change

    def recorded(self: object, image_id: str, fields: dict[str, object]) -> object:
        image = change(self, image_id, fields)  # type: ignore[arg-type]
        assert validation.problems(image.properties) == []
        written.update(image.properties)
        return image

    monkeypatch.setattr(type(compute_box.glance), "change", recorded)
    release_life.run(compute_box.site, first, release_life.next_of(first))
    assert {identity.SUPERSEDED_AT, identity.RETIRED_AT, identity.SHARED_WITH} <= written.keys()


def test_a_tour_that_breaks_off_leaves_nothing(
    compute_box: ComputeBox, first: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        assert len(leftovers(compute_box)) == 3  # two images and a server
        raise ImagecycleError("no")

    monkeypatch.setattr(transitions, "retire_releases", fail)
    with pytest.raises(ImagecycleError, match="no"):
        release_life.run(compute_box.site, first, release_life.next_of(first))
    assert leftovers(compute_box) == []


def test_the_tour_leaves_the_familys_own_images_alone(
    compute_box: ComputeBox, first: Artifact
) -> None:
    made = make_release(compute_box.glance, "20260822", data=b"")
    release_life.run(compute_box.site, first, release_life.next_of(first))
    assert compute_box.glance.image(made.id) == made
    assert [image.id for image in view.listed(compute_box.bob, **{identity.STATE: "current"})] == [
        made.id
    ]


def test_what_is_no_tour_is_refused_before_anything_is_done(
    compute_box: ComputeBox, first: Artifact, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="needs a newer release than 20261122, not 20261122"):
        release_life.run(compute_box.site, first, first)
    other = Artifact("debian-12-x86_64-sever", Release.parse("20261122"), first.folder)
    with pytest.raises(UnknownName):
        release_life.run(compute_box.site, other, release_life.next_of(other))
    (first.folder / "verify.json").unlink()
    with pytest.raises(NotVerified):
        release_life.run(compute_box.site, first, release_life.next_of(first))
    assert leftovers(compute_box) == []


@pytest.fixture
def home(compute_box: ComputeBox) -> Iterator[Path]:
    """The home of the running development cloud, with a release that was verified."""
    found = compute_box.layout.folder.parent
    made = artifact(found / "artifacts", "20261122", size=2**20)
    yield found
    shutil.rmtree(made.folder.parent)


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return terminal.run("tour", *words, home=home)


def test_the_command_tells_the_tour_and_leaves_nothing(compute_box: ComputeBox, home: Path) -> None:
    done = command(home)
    assert done.returncode == 0, done.stderr
    assert "the development cloud runs already" in done.stderr
    told = done.stdout.splitlines()
    assert told[1] == "1. Release 20261122 is published: current, in everybody's list."
    assert "   alice's server was rebuilt and runs" in told
    assert told[-1] == "   bob lists 20261122.1; 20261122 by its id: not found"
    assert "Traceback" not in done.stderr
    assert leftovers(compute_box) == []


@pytest.mark.parametrize(
    ("words", "code", "error", "hint"),
    [
        (["debian-12-x86_64-sever"], 2, "unknown flavour of debian-12-x86_64: sever", "server"),
        (["debian-12-x86_64-base"], 2, "debian-12-x86_64-base", "imagecycle build"),
        (["--release", "20261123"], 2, "20261123", "20261122"),
        (["--release", "tomorrow"], 2, "not a release: tomorrow", "20261122"),
        (["one", "two"], 2, "two", ""),
    ],
)
def test_a_tour_that_cannot_be_starts_no_cloud(
    tmp_path: Path, words: list[str], code: int, error: str, hint: str
) -> None:
    artifact(tmp_path / "artifacts", "20261122", size=2**17)
    done = command(tmp_path, *words)
    assert done.returncode == code, done.stderr
    assert error in done.stderr
    assert hint in done.stderr.split("hint: ")[-1]
    assert done.stdout == ""
    assert not (tmp_path / "devcloud").exists()


def test_a_release_that_was_not_verified_is_no_reason_to_start_a_cloud(tmp_path: Path) -> None:
    made = artifact(tmp_path / "artifacts", "20261122", size=2**17)
    (made.folder / "verify.json").unlink()
    done = command(tmp_path)
    assert done.returncode == 1, done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "devcloud").exists()
