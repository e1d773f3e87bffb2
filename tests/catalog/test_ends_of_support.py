"""Ends of support come from the kept database, unless a file says otherwise."""

import csv
import datetime
from pathlib import Path

import pytest

from imagecycle import catalog
from imagecycle.catalog import ends_of_support
from imagecycle.site import CATALOG

DISTRO_INFO = Path("/usr/share/distro-info")
"""Debian's package distro-info-data"""
OPEN = {("debian", "testing"), ("ol", "10")}
"""Their vendors have named no day yet"""


def test_every_system_of_the_catalog_is_in_the_database() -> None:
    missing = {
        (family.distro, family.version)
        for family in catalog.load(CATALOG)
        if family.end_of_support is None
    }
    assert missing == OPEN


@pytest.mark.parametrize(("distro", "column"), [("debian", "eol-lts"), ("ubuntu", "eol")])
def test_the_database_agrees_with_that_of_the_distribution(distro: str, column: str) -> None:
    with (DISTRO_INFO / f"{distro}.csv").open() as file:
        known = {row["version"].split(" ")[0]: row[column] for row in csv.DictReader(file)}
    found = {
        family.version: str(family.end_of_support)
        for family in catalog.load(CATALOG)
        if family.distro == distro and family.end_of_support
    }
    assert found
    assert found == {version: known[version] for version in found}


def test_a_file_may_say_otherwise_and_may_say_that_there_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    for said, expected in (("2031-01-31", datetime.date(2031, 1, 31)), ("null", None)):
        (folder / "debian-12.yaml").write_text(f"end_of_support: {said}\n")
        family = catalog.find([CATALOG, folder], "debian-12-x86_64-base")
        assert family.end_of_support == expected


def test_the_database_says_of_which_day_it_is() -> None:
    head = ends_of_support.DATABASE.read_text().partition("\n\n")[0]
    assert "distro-info-data 20" in head
    assert "endoflife.date of 20" in head
