import dataclasses
from pathlib import Path

import pytest

from imagecycle.errors import UsageError
from imagecycle.model import ProjectUse
from imagecycle.notices.messages import Affected, Fate, Message, messages

NEW = {"id": "new", "name": "Debian 12 [2026-11-22]", "release": "20261122"}
RETIRED = Fate(
    id="old",
    name="Debian 12 [2026-08-22]",
    family="debian-12-x86_64-server",
    release="20260822",
    state="retired",
    visibility="shared",
    since="2026-11-22",
    successor=NEW,
)
REVOKED = dataclasses.replace(RETIRED, id="bad", state="revoked", reason="a hole in sshd")
SUPERSEDED = dataclasses.replace(
    RETIRED, id="past", state="superseded", visibility="public", retires_on="2027-02-20"
)
USE = ProjectUse({"SHUTOFF": 1, "ACTIVE": 3}, 2)


def affected(*fates: Fate, name: str = "alpha") -> Affected:
    return Affected("0f5d", name, ("a@example.org",), [(fate, USE) for fate in fates])


def one(*fates: Fate, template: Path | None = None) -> Message:
    (made,) = messages([affected(*fates)], cloud="prod", signature="Ops", template=template)
    return made


def test_a_project_is_told_what_it_uses_and_what_to_use_instead() -> None:
    made = one(RETIRED)
    assert made.subject == "prod: 1 image that alpha uses is retired"
    for words in (
        "Debian 12 [2026-08-22]",
        "4 servers (3 ACTIVE, 1 SHUTOFF), 2 volumes",
        "retired on   2026-11-22",
        "use instead  Debian 12 [2026-11-22]",
        "Your servers go on",
    ):
        assert words in made.body
    assert made.body.endswith("\n\nOps\n")
    assert "\n\n\n" not in made.body


def test_a_revocation_gives_its_reason() -> None:
    assert "reason       a hole in sshd" in one(REVOKED).body
    private = dataclasses.replace(REVOKED, visibility="private")
    assert "cannot be used any more" in one(private).body


def test_what_will_be_retired_says_when() -> None:
    assert "to retire    2027-02-20 or later" in one(SUPERSEDED).body
    unknown = dataclasses.replace(SUPERSEDED, retires_on="", since="")
    assert "to retire" not in one(unknown).body


def test_a_project_gets_one_message_for_all_its_images() -> None:
    made = one(RETIRED, REVOKED)
    assert made.subject == "prod: 2 images that alpha uses are retired or revoked"
    assert made.keys == ("old retired 2026-11-22", "bad revoked 2026-11-22")


def test_a_project_without_a_name_is_called_by_its_id() -> None:
    (made,) = messages([affected(RETIRED, name="")], cloud="prod")
    assert "your project 0f5d in prod" in made.body


def test_lines_fit_a_letter() -> None:
    assert max(map(len, one(RETIRED, REVOKED, SUPERSEDED).body.splitlines())) <= 98


def test_an_operators_template_takes_the_place_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "t.j2"
    path.write_text("Subject:  {{ project.name }}\n\n{{ images[0].servers.ACTIVE }} run\n")
    made = one(RETIRED, template=path)
    assert (made.subject, made.body) == ("alpha", "3 run\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Subject: {{ projct }}\n", "'projct' is undefined"),
        ("Subject: {{ images[0].nmae }}\n", "no attribute 'nmae'"),
        ("Subject: {{ x\n", ":1: "),
        ("Hello\n", "does not begin with its subject"),
        ("Subject: {{ 1 / 0 }}\n", "division by zero"),
    ],
)
def test_a_mistake_in_a_template_is_named_before_anything_is_sent(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "t.j2"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        one(RETIRED, template=path)
    assert words in caught.value.message
    assert str(path) in caught.value.message


def test_a_template_that_is_not_there_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        one(RETIRED, template=tmp_path / "none")


def test_a_subject_stays_one_line(tmp_path: Path) -> None:
    strange = dataclasses.replace(RETIRED, reason="x\nBcc: all@example.org")
    path = tmp_path / "t.j2"
    path.write_text("Subject: {{ images[0].reason }}\nhello\n")
    made = one(strange, template=path)
    assert "\n" not in made.subject


def test_the_same_news_has_the_same_id_and_other_news_another() -> None:
    assert one(RETIRED).id == one(RETIRED).id != one(REVOKED).id
