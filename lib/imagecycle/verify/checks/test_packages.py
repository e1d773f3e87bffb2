"""The package manager is in order."""

from collections.abc import Iterator, Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

_REFUSES = ("/usr/sbin/policy-rc.d",)
"""Programs that decide whether a package may start its service; see invoke-rc.d(8)"""


def test_all_are_installed_whole(told: Mapping[str, str]) -> None:
    """The first installation or upgrade on a server stops at packages left half done."""
    assert told["audit"].splitlines() == []


def test_can_be_installed_and_removed(told: Mapping[str, str]) -> None:
    """Nothing can be installed on a server: there are no sources, or the first package fails."""
    assert told["trial"].splitlines() == []


def test_none_is_half_done_in_the_image(pristine: Pristine, defects: Defects) -> None:
    """The first installation or upgrade on a server first finishes, or fails at, what the builder
    broke off."""
    states = pristine.system.packages.unfinished(pristine.files)
    assert defects(Finding(name, f"is {state}") for name, state in states.items()) == []


def test_start_their_services(pristine: Pristine, defects: Defects) -> None:
    """What a user installs does not run: the builder has forbidden packages to start services."""
    found = (path for path in pristine.found(*_REFUSES) if path not in pristine.owned)
    assert defects(Finding(path, "forbids packages to start services") for path in found) == []


def test_are_treated_as_they_want(pristine: Pristine, defects: Defects) -> None:
    """Updates put programs where nobody looks for them, or nothing can be installed at all."""
    bent = pristine.system.packages.bent(pristine.files)
    assert defects(Finding(path, said) for path, said in bent) == []


def test_are_installed_as_the_system_does(pristine: Pristine, defects: Defects) -> None:
    """Packages come without what they recommend, without manuals, unattended, or not at all."""
    assert defects(_wayward(pristine)) == []


def _wayward(pristine: Pristine) -> Iterator[Finding]:
    manager = pristine.system.packages
    for path in pristine.found(*manager.settings):
        if path in pristine.foreign and not pristine.explained(path):
            for match in manager.wayward.finditer(pristine.text(path)):
                yield Finding(path, f"says {match[0].strip()}")


def test_have_what_they_need(pristine: Pristine, defects: Defects) -> None:
    """The package manager refuses to install anything until something is repaired by hand: a
    package was taken away that others need."""
    unmet = pristine.system.packages.unmet(pristine.files)
    assert (
        defects(Finding(name, f"needs {wanted}, which is missing") for name, wanted in unmet) == []
    )
