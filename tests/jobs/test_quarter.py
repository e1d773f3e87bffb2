import json
from pathlib import Path

import pytest

from families import FAMILY, artifact
from imagecycle.artifacts import ArtifactStore
from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.jobs import quarter
from imagecycle.jobs.due import Answer, Made
from imagecycle.lifecycle.recognition import recognise
from imagecycle.model import Release


def image(release: str, state: str, family: str = FAMILY.slug) -> Image:
    return Image.from_document(
        {
            "id": f"{family}-{release}",
            "imagecycle_image_id": f"{family}-{release}",
            "status": "active",
            "visibility": "public",
            "imagecycle_family": family,
            "imagecycle_release": release,
            "imagecycle_state": state,
        }
    )


def known(root: Path, *images: Image) -> dict[str, Made]:
    published = recognise(images, tuple).families
    found = quarter.releases_of(ArtifactStore(root), published, [FAMILY.slug])
    return {str(entry.release): entry for entry in found[FAMILY.slug]}


@pytest.mark.parametrize(
    ("state", "published", "revoked"),
    [
        ("candidate", False, False),
        ("current", True, False),
        ("superseded", True, False),
        ("retired", True, False),
        ("revoked", False, True),
    ],
)
def test_a_release_is_published_once_a_cloud_has_offered_it(
    tmp_path: Path, state: str, published: bool, revoked: bool
) -> None:
    found = known(tmp_path, image("20261122", state))
    assert found == {"20261122": Made(Release.parse("20261122"), published, revoked)}


def test_records_and_images_of_a_release_are_put_together(tmp_path: Path) -> None:
    artifact(tmp_path, "20261122")
    artifact(tmp_path, "20261123")
    (tmp_path / FAMILY.slug / "20261123" / "disk.qcow2").unlink()
    found = known(tmp_path, image("20261122", "current"), image("20260801", "superseded"))
    assert found == {
        "20261122": Made(Release.parse("20261122"), published=True, verdict="passed"),
        "20260801": Made(Release.parse("20260801"), published=True),
    }


def test_images_of_others_and_of_other_families_do_not_count(tmp_path: Path) -> None:
    other = Image.from_document({"id": "x", "status": "active", "visibility": "public"})
    assert known(tmp_path, other, image("20261122", "current", family="debian-12-x86_64-x")) == {}


def test_an_image_that_makes_no_sense_is_an_error_and_not_a_gap(tmp_path: Path) -> None:
    with pytest.raises(ImagecycleError, match="make no sense"):
        known(tmp_path, image("today", "current"))


ANSWERS = [
    Answer("a-base", False, Release.parse("20261001"), "20261005 is published"),
    Answer("a-server", True, Release.parse("20261001"), "there is no release yet"),
]


def test_what_is_due_is_left_for_jenkins_and_what_was_due_before_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "due"
    quarter.write([Answer("old", True, Release.parse("20260701"), "")], folder)
    quarter.write(ANSWERS, folder)
    assert {path.name for path in folder.iterdir()} == {"a-server.properties", ".due"}
    assert (folder / "a-server.properties").read_text() == "SINCE=20261001\n"


def test_a_folder_of_somebody_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(UsageError):
        quarter.write(ANSWERS, tmp_path)


def test_the_table_shows_first_what_is_due() -> None:
    lines = quarter.as_table(ANSWERS).splitlines()
    assert lines[0].split() == ["FAMILY", "DUE", "SINCE", "WHY"]
    assert lines[2].split()[:3] == ["a-server", "yes", "20261001"]
    assert lines[-1] == "1 of 2 families are due"
    assert [one["due"] for one in json.loads(quarter.as_json(ANSWERS))] == [False, True]
