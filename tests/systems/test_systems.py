"""Each kind of operating system says all that the other rooms ask for."""

import re
from pathlib import Path

import pytest

from families import family
from imagecycle import systems
from imagecycle.catalog import consistency
from imagecycle.errors import UnknownName, UsageError
from imagecycle.systems.linux import Linux
from imagecycle.systems.system import System

PACKAGE = Path(systems.__file__).parents[1]


def linux_distros() -> list[str]:
    return [name for one in systems.SYSTEMS if isinstance(one, Linux) for name in one.distros]


@pytest.mark.parametrize("system", systems.SYSTEMS, ids=lambda system: system.name)
def test_a_kind_says_all_that_it_is_asked_for(system: System) -> None:
    for fact in (*System.__annotations__,):
        assert hasattr(system, fact), fact
    assert set(system.unattended) <= consistency.UNATTENDED.keys()


@pytest.mark.parametrize("distro", linux_distros())
def test_a_linux_says_what_its_disk_is_asked_for(distro: str) -> None:
    system = systems.linux(distro)
    for fact in (*Linux.__annotations__,):
        assert hasattr(system, fact), fact
    assert all(path.startswith("/") for paths in system.removed.values() for path in paths)
    assert all(path.startswith("/") for path in system.access.files)


def test_what_is_no_linux_is_not_made_like_one() -> None:
    with pytest.raises(UsageError, match="Windows is no Linux"):
        systems.linux("windows")


def test_a_distribution_is_of_one_kind() -> None:
    assert len(systems.distros()) == len(set(systems.distros()))


def test_an_unknown_distribution_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="unknown distro: debain") as refused:
        systems.of(family(distro="debain"))
    assert "debian" in refused.value.hint


def test_no_other_room_asks_for_a_distributions_name() -> None:
    # windows is the type of a system, too, which other rooms may ask for
    names = [name for name in systems.distros() if name != "windows"]
    question = re.compile(rf"distro\b[^\n]*[=!]=|[=!]= *\"({'|'.join(names)})\"")
    asking = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "systems" not in path.parts and question.search(path.read_text())
    ]
    assert asking == []
