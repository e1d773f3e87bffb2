"""What the pages tell besides: support, flavors, differences, and lines to copy."""

import ast
import datetime
from pathlib import Path

import pytest

import imagecycle_dashboard
from dashboard.documents import document
from imagecycle.metadata import schema
from imagecycle.offering import newest_release, plain_text
from imagecycle_dashboard import plain_text as of_the_panels
from imagecycle_dashboard import recipes
from imagecycle_dashboard.differences import differences
from imagecycle_dashboard.flavors import Flavor, by_size, smallest
from imagecycle_dashboard.releases import Release, release_of
from imagecycle_dashboard.support import support

FOLDER = Path(imagecycle_dashboard.__file__).parent
TODAY = datetime.date(2026, 11, 28)


def release(**changes: object) -> Release:
    found = release_of(document(**changes))  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("end", "near", "over"),
    [
        ("2026-11-27", False, True),
        ("2026-11-28", True, False),
        ("2027-05-27", True, False),
        ("2027-05-28", False, False),
    ],
)
def test_support_that_ends_soon_or_has_ended_is_noticed(end: str, near: bool, over: bool) -> None:
    found = support(datetime.date.fromisoformat(end), TODAY)
    assert found is not None
    assert (found.is_near, found.is_over) == (near, over)


def test_nothing_is_told_of_support_where_nothing_is_known() -> None:
    assert support(None, TODAY) is None


def test_the_smallest_flavor_has_room_for_memory_and_disk() -> None:
    small = Flavor("small", 1, 512, 5)
    others = [Flavor("large", 2, 2048, 20), Flavor("thin", 1, 512, 2), Flavor("tiny", 1, 256, 40)]
    flavors = by_size([*others, Flavor("small two", 2, 512, 5), small])
    assert smallest(flavors, release()) == small
    assert smallest([Flavor("volume", 1, 512, 0)], release()) is not None
    assert smallest(flavors, release(min_disk=100)) is None


def test_differences_are_what_users_see() -> None:
    before = release(imagecycle_release="20260822", imagecycle_checks="40", imagecycle_version="1")
    after = release(hw_disk_bus=None, hw_machine_type="q35")
    assert [(one.what, one.before, one.after) for one in differences(before, after)] == [
        ("checks", 40, 47),
        ("hw_disk_bus", "virtio", None),
        ("hw_machine_type", None, "q35"),
    ]
    assert differences(after, after) == []


def test_the_panels_and_the_site_tell_the_same_lines() -> None:
    theirs = [(one.tool, one.lines) for one in newest_release.recipes("debian-12-x86_64-server")]
    ours = [(one.tool, one.lines) for one in recipes.recipes("debian-12-x86_64-server")]
    assert ours == theirs


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "\u202ea",
        "\ud800",
        "x" * 3000,
        "\ufeff\u200d",
        "é",
        None,
        "\u3164\u2800",
        "a" + "\u0301" * 9,
    ],
)
def test_the_panels_and_the_site_clean_text_alike(text: object) -> None:
    assert of_the_panels.plain(text) == plain_text.plain(text)


@pytest.mark.parametrize("one", schema.PROPERTIES, ids=lambda one: one.name)
def test_a_value_that_the_schema_accepts_is_shown_as_it_is(one: schema.Property) -> None:
    """Of what a page tells; the schema is imagecycle's, which the panels do not import."""
    found = release(**{one.name: one.example, "imagecycle_image_id": document()["id"]})
    told = {str(value) for value in vars(found).values()} | set(found.facts.values())
    told.add(f"{found.changes_since}: {found.changes}")
    of_the_operator = {
        *("imagecycle_image_id", "imagecycle_input_digest", "imagecycle_shared_with"),
        *("imagecycle_unused_since", "imagecycle_version", "imagecycle_adopted_at"),
        *("image_build_date", "os_admin_user", "image_description"),
    }
    if one.name in of_the_operator:
        return
    day = one.example[:10]
    assert one.example in told or any(text.startswith(day) for text in told if "-" in day)


def test_every_property_that_a_page_shows_has_words() -> None:
    tree = ast.parse((FOLDER / "words.py").read_text())
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    for one in schema.PROPERTIES:
        known = {one.name: one.example, "imagecycle_image_id": document()["id"]}
        if one.name in release(**known).facts:
            assert one.name in words, f"words.py lacks {one.name}"


def test_the_panels_import_nothing_of_imagecycle() -> None:
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            for name in names:
                assert name.partition(".")[0] != "imagecycle", f"{path} imports {name}"
