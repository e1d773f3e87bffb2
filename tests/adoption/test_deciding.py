import datetime
from pathlib import Path
from typing import Any

import pytest

from imagecycle.adoption import deciding, proposal, stage
from imagecycle.adoption.deciding import Candidate, Verdict
from imagecycle.adoption.patterns import parse
from imagecycle.cloud.image import Image
from imagecycle.errors import InvalidFile
from imagecycle.lifecycle.plan import image_digest
from imagecycle.metadata import identity, validation
from imagecycle.model import Release, State

NOW = datetime.datetime(2026, 11, 22, 14, tzinfo=datetime.UTC)
SERVER = "debian-12-x86_64-server"
PATTERNS = [parse(r"Debian (?P<v>\d+)(?: (?P<date>[\d-]+))?=>debian-{v}-x86_64-server")]


def image(number: int, name: str, **changes: Any) -> Image:
    document = {
        "id": f"{number:08}-0000-0000-0000-000000000000",
        "name": name,
        "status": "active",
        "visibility": "public",
        "owner": "ours",
        "created_at": "2026-03-01T23:59:59Z",
        **changes,
    }
    return Image.from_document(document)


def propose(*images: Image) -> list[Candidate]:
    return deciding.propose(images, PATTERNS, {SERVER})


def verdicts(*images: Image) -> dict[str, tuple[str, str]]:
    return {one.image.name: (one.verdict.value, one.remark) for one in propose(*images)}


def test_an_image_that_is_listed_is_current_and_a_hidden_one_superseded() -> None:
    listed, hidden = propose(
        image(1, "Debian 12 2026-08-22"), image(2, "Debian 12 2026-05-22", os_hidden=True)
    )[::-1]
    assert (listed.family, str(listed.release), listed.state) == (SERVER, "20260822", "current")
    assert (hidden.family, str(hidden.release), hidden.state) == (SERVER, "20260522", "superseded")


def test_a_name_without_a_date_is_dated_by_its_upload() -> None:
    (one,) = propose(image(1, "Debian 12"))
    assert (str(one.release), one.remark) == ("20260301", "dated by its upload")


def test_a_family_that_the_catalog_lacks_is_flagged_and_proposed() -> None:
    assert verdicts(image(1, "Debian 9 2026-08-22"))["Debian 9 2026-08-22"] == (
        "adopt",
        "not in the catalog",
    )


def test_images_that_claim_one_release_are_in_conflict() -> None:
    found = propose(
        image(1, "Debian 12 2026-08-22"),
        image(2, "Debian 12 20260822"),
        image(3, "Debian 12 2026-05-22"),
    )
    assert [(one.image.name, one.verdict) for one in found] == [
        ("Debian 12 2026-05-22", Verdict.ADOPT),
        ("Debian 12 2026-08-22", Verdict.CONFLICT),
        ("Debian 12 20260822", Verdict.CONFLICT),
    ]
    assert found[1].remark == "the same release as 00000002"


def test_a_release_of_imagecycle_is_not_claimed_by_another_image() -> None:
    ours = image(
        1,
        "anything",
        imagecycle_image_id="00000001-0000-0000-0000-000000000000",
        imagecycle_family=SERVER,
        imagecycle_release="20260822",
        imagecycle_state="current",
    )
    found = verdicts(ours, image(2, "Debian 12 2026-08-22"))
    assert found["anything"] == ("ours already", "")
    assert found["Debian 12 2026-08-22"] == ("conflict", "the same release as 00000001")


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"name": "Ubuntu"}, "no pattern fits its name"),
        ({"name": "Debian 12 2026-02-30"}, '"2026-02-30" is no date'),
        ({"visibility": "private"}, "its visibility is private, not public"),
        ({"visibility": "shared"}, "its visibility is shared, not public"),
        ({"visibility": "community"}, "its visibility is community, not public"),
        ({"status": "queued"}, "its status is queued"),
        ({"status": "deactivated"}, "its status is deactivated"),
        ({"image_type": "snapshot"}, "a snapshot of a server"),
        ({"base_image_ref": ""}, "a snapshot of a server"),
    ],
)
def test_what_cannot_be_adopted_is_left_alone(changes: dict[str, Any], remark: str) -> None:
    (one,) = propose(image(1, **{"name": "Debian 12", **changes}))
    assert (one.verdict, one.remark) == (Verdict.LEFT, remark)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, "a copy, or a release of which this machine has no record"),
        ({"imagecycle_image_id": "another"}, "made from a volume, or copied by hand"),
        ({"image_type": "snapshot"}, "a snapshot of a server"),
        ({"imagecycle_family": None}, "what is left of copied properties"),
    ],
)
def test_copied_properties_are_left_alone_with_the_way_to_adopt_their_image(
    changes: dict[str, Any], what: str
) -> None:
    carried = {"imagecycle_family": SERVER, "imagecycle_state": "current", **changes}
    kept = {name: value for name, value in carried.items() if value is not None}
    (one,) = propose(image(1, "Debian 12", **kept))
    assert one.verdict is Verdict.LEFT
    assert what in one.remark
    assert "--tidy" in one.remark


@pytest.mark.parametrize("hidden", [False, True])
def test_adopting_adds_only_properties_of_ours_and_they_keep_to_the_schema(hidden: bool) -> None:
    before = image(1, "Debian 12", os_hidden=hidden, os_distro="debian")
    change = deciding.addition(before, SERVER, Release.parse("20260822"), NOW)
    assert all(name.startswith(identity.PREFIX) for name in change.fields)
    assert validation.problems(dict(change.fields)) == []
    state = State.SUPERSEDED if hidden else State.CURRENT
    after = image(1, "Debian 12", **change.fields)
    assert identity.read(after) == identity.Identity(SERVER, Release.parse("20260822"), state)
    assert (identity.SUPERSEDED_AT in change.fields) is hidden


def test_a_table_shows_every_image_and_counts() -> None:
    text = stage.as_table(propose(image(1, "Debian 12 [x]"), image(2, "Debian 12 2026-05-22")))
    assert "Debian 12 [x]" in text
    assert text.endswith("1 to adopt, 0 in conflict, 0 ours already, 1 left alone\n")


class Written:
    """A proposal of two images, and a conflict."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.images = [
            image(1, "Debian 12 2026-08-22"),
            image(2, "Debian 12 2026-05-22: 'x' # y"),
            image(3, "Debian 12 2026-05-22"),
            image(4, "Debian 11 2026-01-01"),
            image(5, "Debian 11 2026-01-01"),
        ]
        proposal.write(path, "cloud", "ours", propose(*self.images))

    def spoil(self, before: str, after: str) -> list[str]:
        text = self.path.read_text()
        assert text.count(before) == 1, before
        self.path.write_text(text.replace(before, after))
        with pytest.raises(InvalidFile) as caught:
            proposal.read(self.path)
        return caught.value.message.replace(f"{self.path}:", "").splitlines()


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path / "proposal.yaml")


def test_a_proposal_is_read_as_it_was_written(written: Written) -> None:
    found = proposal.read(written.path)
    assert (found.cloud, found.project) == ("cloud", "ours")
    assert [(entry.image_id[:8], str(entry.release)) for entry in found.entries] == [
        ("00000003", "20260522"),
        ("00000001", "20260822"),
    ]
    assert found.entries[1].digest == image_digest(written.images[0])


def test_conflicts_and_what_is_left_alone_are_there_to_be_read_only(written: Written) -> None:
    text = written.path.read_text()
    assert "# - id: 00000004" in text
    assert "#   remark: no pattern fits its name" in text
    assert "00000004" not in str(proposal.read(written.path))


def test_a_corrected_release_needs_no_quotes(written: Written) -> None:
    text = written.path.read_text().replace("release: '20260822'", "release: 20260822.10", 1)
    written.path.write_text(text)
    assert str(proposal.read(written.path).entries[1].release) == "20260822.10"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("format: imagecycle adoption", "format: x", "1: not a proposal of adoption"),
        ("schema: 1", "schema: 2", "5: written by another version"),
        ("cloud: cloud", "cloud: [x]", "6: cloud: expected text"),
        ("release: '20260522'", "release: '20260822'", "is image 00000003"),
        ("release: '20260522'", "release: tomorrow", "12: release: expected a release such as"),
        ("release: '20260522'", "releese: '20260522'", "unknown key releese; did you mean release"),
        (
            f"  family: {SERVER}\n  release: '20260522'",
            "  release: '20260522'",
            "family is missing",
        ),
        (
            f"  family: {SERVER}\n  release: '20260522'",
            "  family: Debian 12\n  release: '20260522'",
            "11: family: expected a family such as debian-12-x86_64-server, found Debian 12",
        ),
        ("- id: 00000003", "- id: 00000001", "stands here twice"),
        ("- id: 00000003-0000", "- id: 00000003", "9: id: expected the id of an image"),
    ],
)
def test_a_mistake_in_a_corrected_proposal_is_named_with_its_line(
    written: Written, before: str, after: str, message: str
) -> None:
    assert any(message in line for line in written.spoil(before, after))
