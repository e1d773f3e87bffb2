"""A quarter of 500 families, simulated; see ``joblibrary.simulate``."""

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping

import pytest

from imagecycle.jobs.rendering import render
from joblibrary import library
from joblibrary.simulate import DAY, NOTHING_TO_DO, Luck, Site

FAMILIES = 500
SEEDS = int(os.environ.get("IMAGECYCLE_SIMULATIONS", "2"))
AGENTS = (1, 2, 5, 10, 20, 50)
STAGES = ("build", "verify", "publish")


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, ElementTree.Element]:
    copied = library.copy(tmp_path_factory.mktemp("library"))
    systems = {f"system-{n}": {"x86_64": ["base", "server"]} for n in range(FAMILIES // 2)}
    library.with_systems(copied, systems)
    return {name: ElementTree.fromstring(text) for name, text in render(copied).items()}


def chain(site: Site, family: str) -> float:
    return sum(site.seconds[family, stage] for stage in STAGES)


@pytest.mark.parametrize("agents", AGENTS)
def test_agents_are_never_idle_while_there_is_work(
    jobs: Mapping[str, ElementTree.Element], agents: int
) -> None:
    site = Site(jobs, agents, seed=agents, luck=Luck())
    site.go(days=1)
    work = sum(chain(site, family) for family in site.families)
    longest = max(chain(site, family) for family in site.families)
    least = max(work / agents, longest)
    assert len(site.families) == FAMILIES
    assert site.unpublished() == []
    took = site.finished - NOTHING_TO_DO  # the quarter's own job comes first
    assert least - 1e-3 <= took <= work / agents + longest


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("agents", AGENTS)
def test_no_family_is_lost_or_done_twice_whatever_fails(
    jobs: Mapping[str, ElementTree.Element], agents: int, seed: int
) -> None:
    restarts = [1000.0 + 777 * seed, 20_000.0, DAY + 300]
    site = Site(jobs, agents, seed, Luck(failure=0.05, defects=0.03, restarts=restarts))
    site.go(days=14)
    assert site.unpublished() == []
    for family, made in site.world.releases.items():
        bad = sum(entry.verdict == "failed" for entry in made.values())
        assert len(made) == 1 + bad, (family, made)
        assert sum(entry.published for entry in made.values()) == 1
        assert site.world.worked[family, "build"] == 1 + bad
        assert site.world.worked[family, "publish"] == 1
        # one that waits for longer than a day is asked for again, and a failed one is repeated
        assert 1 + bad <= site.world.worked[family, "verify"] <= 1 + 2 * bad


def test_a_controller_that_was_down_on_the_day_makes_up_for_it(
    jobs: Mapping[str, ElementTree.Element],
) -> None:
    site = Site(jobs, 10, seed=1, luck=Luck(restarts=[0.0, 1.0, DAY + 1.0]))
    site.go(days=3)
    assert site.unpublished() == []
    assert set(site.world.worked.values()) == {1}
