from typing import Any

import pytest

from imagecycle.offering.offered_release import NotForShow, of_image
from imagecycle.offering.plain_text import plain
from offering.releases import image


def test_a_release_tells_what_it_is() -> None:
    told = of_image(image())
    assert (told.title, told.system) == ("Debian 12 Server", "Debian 12")
    assert told.description == "What an administrator expects"
    assert (told.login, told.checks, told.end_of_support) == ("debian", 47, "2028-06-30")
    assert told.built_at == "2026-11-22T12:00:00Z"
    assert told.for_everyone


def test_what_makes_no_sense_is_left_out_and_the_rest_stays() -> None:
    told = of_image(
        image(
            imagecycle_checks="many",
            maintained_until="2028-02-31",
            architecture="vax",
            os_version="<12>",
            imagecycle_successor="../../etc",
            l1_support_contact="https://support.example",
        )
    )
    assert (told.checks, told.end_of_support, told.successor) == (None, "", "")
    assert (told.architecture, told.version) == ("x86_64", "12")
    assert told.properties["l1_support_contact"] == "https://support.example"


def test_the_operators_own_books_are_not_told() -> None:
    told = of_image(
        image(imagecycle_shared_with="3:" + "5f" * 12, imagecycle_unused_since="2026-11-22")
    )
    assert not {
        "imagecycle_shared_with",
        "imagecycle_unused_since",
        "imagecycle_input_digest",
    } & set(told.properties)
    assert "owner" not in str(told)


def test_properties_that_are_nobodys_are_not_told() -> None:
    told = of_image(image(owner_specified_password="secret", secret="secret"))
    assert "secret" not in str(told)


@pytest.mark.parametrize(
    "family", ["../../etc", "", "Debian-12", "debian 12-x", "debian-12-x86_64-server\n", "a-" * 99]
)
def test_a_family_that_is_none_is_not_shown(family: str) -> None:
    with pytest.raises(NotForShow, match="is no family"):
        of_image(image(imagecycle_family=family))


@pytest.mark.parametrize(
    "nonsense",
    [
        {"release": "../../20261122"},
        {"release": "20261399"},
        {"state": "great"},
    ],
)
def test_a_release_or_state_that_is_none_is_not_shown(nonsense: dict[str, Any]) -> None:
    with pytest.raises(NotForShow, match="make no sense"):
        of_image(image(**nonsense))


@pytest.mark.parametrize(
    ("description", "title", "rest"),
    [
        ("Debian 12 Server: with: colons", "Debian 12 Server", "with: colons"),
        ("Debian 12 Server", "Debian 12 Server", ""),
        ("x" * 90, "debian-12-x86_64-server", "x" * 90),
        (f"{'x' * 90}: y", "debian-12-x86_64-server", f"{'x' * 90}: y"),
    ],
)
def test_the_title_stands_before_the_description(description: str, title: str, rest: str) -> None:
    told = of_image(image(description=description))
    assert (told.title, told.description) == (title, rest)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand a\x07bell", "two lines and a bell"),
        ("turned \u202eround\u202c", "turned round"),
        ("\u2066isolated\u2069 \u200fmark\ufeff", "isolated mark"),
        ("\u0645\u0631\u062d\u0628\u0627", "\u0645\u0631\u062d\u0628\u0627"),
        ("half \ud800", "half \ufffd"),
        ("\u2028line\u2029", "line"),
        ("x" * 3000, "x" * 1999 + "\u2026"),
        ("\u3164\u200d \u2800", ""),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("a" + "\u0301" * 90 + "b", "a" + "\u0301" * 5 + "b"),
    ],
)
def test_text_of_others_is_made_fit_to_be_shown(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_the_second_release_of_a_day_comes_after_the_first() -> None:
    names = ["20261122.10", "20261122", "20261121", "20261122.2"]
    releases = [of_image(image(release=name)) for name in names]
    ordered = sorted(releases, key=lambda told: told.order)
    assert [told.release for told in ordered] == [
        "20261121",
        "20261122",
        "20261122.2",
        "20261122.10",
    ]
