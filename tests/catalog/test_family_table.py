import json

import pytest

from imagecycle import catalog, site
from imagecycle.catalog import family_table


def test_the_table_has_one_line_per_family_and_none_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    families = catalog.load(site.CATALOG)
    lines = family_table.as_table(families).splitlines()
    assert len(lines) == 2 + len(families)
    for line, family in zip(lines[2:], families, strict=True):
        assert line.startswith(f"{family.slug} ")
        assert line.endswith(family.description)


def test_the_json_tells_all_of_a_family() -> None:
    family = catalog.find(site.CATALOG, "debian-12-x86_64-base")
    first, *_ = json.loads(family_table.as_json([family]))
    assert first["slug"] == family.slug
    assert (first["media"]["kind"], first["media"]["sha256"]) == ("tree", "")
    assert first["end_of_support"] == "2028-06-30"
