"""How long a quarter of 500 families takes with 1 to 50 agents, in simulated time."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from bench.table import Row
from imagecycle.jobs.rendering import render
from imagecycle.site import Site
from joblibrary import library, simulate
from joblibrary.simulate import DAY, MEDIANS, Luck

FAMILIES = 500
HOW = (
    f"simulated: {FAMILIES} families, medians of {MEDIANS} seconds; the reference is the least "
    "possible: all work divided by the agents, or the longest chain"
)
UNLUCKY = Luck(failure=0.05, defects=0.03, restarts=(20_000.0, DAY + 300))


def rows(_site: Site, scratch: Path) -> list[Row]:
    """A row for each number of agents, and one for a quarter with failures."""
    jobs = library.copy(scratch)
    systems = {f"system-{n}": {"x86_64": ["base", "server"]} for n in range(FAMILIES // 2)}
    library.with_systems(jobs, systems)
    xml = {name: ElementTree.fromstring(text) for name, text in render(jobs).items()}
    return [
        *(_row(simulate.Site(xml, agents, agents, Luck()), agents) for agents in (1, 5, 10, 50)),
        _unlucky(simulate.Site(xml, 10, 10, UNLUCKY)),
    ]


def _row(site: simulate.Site, agents: int) -> Row:
    site.go(days=1)
    chains = [sum(site.seconds[family, stage] for stage in MEDIANS) for family in site.families]
    least = max(sum(chains) / agents, max(chains)) / 3600
    took = site.finished / 3600
    name = f"quarter, {agents} agents"
    return Row(name, took, "h", least, took / least, "near 1.00", HOW)


def _unlucky(site: simulate.Site) -> Row:
    site.go(days=14)
    lost = len(site.unpublished())
    name = "families lost, 10 agents, 5 % failures, 3 % defects, 2 restarts"
    return Row(name, lost, "", None, None, "0", HOW)
