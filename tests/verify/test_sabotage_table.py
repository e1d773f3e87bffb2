"""Every check has a sabotage that it rejects, and the documentation shows which."""

from sabotages import checks, document
from sabotages.all import SABOTAGES

LEAST = 70


def test_every_check_has_a_sabotage() -> None:
    assert checks.offline().keys() - {sabotage.check for sabotage in SABOTAGES} == set()


def test_every_check_of_machines_has_a_sabotage() -> None:
    assert checks.of_machines().keys() - document.of_machines().keys() == set()
    assert document.of_machines().keys() - checks.of_machines().keys() == set()


def test_every_sabotage_is_of_a_check() -> None:
    named = {name for one in SABOTAGES for name in (one.check, *one.also)}
    assert named - checks.offline().keys() == set()
    assert len(SABOTAGES) >= LEAST


def test_sabotages_have_names_of_their_own() -> None:
    assert len({sabotage.id for sabotage in SABOTAGES}) == len(SABOTAGES)


def test_the_documentation_shows_them() -> None:
    assert document.DOCUMENT.read_text() == document.text(), "run python -m sabotages.document"
