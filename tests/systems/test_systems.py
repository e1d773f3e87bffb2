"""Each kind of operating system says all that the other rooms ask for."""

import re
from pathlib import Path

import pytest

from families import family
from imagecycle import systems
from imagecycle.catalog import consistency
from imagecycle.errors import UnknownName
from imagecycle.systems.system import System

PACKAGE = Path(systems.__file__).parents[1]


@pytest.mark.parametrize("system", systems.SYSTEMS, ids=lambda system: system.name)
def test_a_kind_says_all_that_it_is_asked_for(system: System) -> None:
    for fact in (*System.__annotations__,):
        assert hasattr(system, fact), fact
    assert set(system.unattended) <= consistency.UNATTENDED.keys()
    assert all(path.startswith("/") for paths in system.removed.values() for path in paths)
    assert all(path.startswith("/") for path in system.access.files)


def test_a_distribution_is_of_one_kind() -> None:
    assert len(systems.distros()) == len(set(systems.distros()))


def test_an_unknown_distribution_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="unknown distro: debain") as refused:
        systems.of(family(distro="debain"))
    assert "debian" in refused.value.hint


def test_no_other_room_asks_for_a_distributions_name() -> None:
    question = re.compile(rf"distro\b[^\n]*[=!]=|[=!]= *\"({'|'.join(systems.distros())})\"")
    asking = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "systems" not in path.parts and question.search(path.read_text())
    ]
    assert asking == []
