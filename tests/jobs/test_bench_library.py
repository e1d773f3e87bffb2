"""What ``scripts/bench`` measures with: a job library and a catalog of any size that agree."""

from pathlib import Path

from bench import jobs as bench
from imagecycle import catalog, site
from imagecycle.jobs import checking


def test_the_library_of_the_benchmark_has_the_families_of_its_catalog(tmp_path: Path) -> None:
    count = 2 * bench.EACH
    settings = site.load(bench.catalog_of(count, tmp_path))
    checked = checking.check(bench.library_of(count, tmp_path), catalog.load(settings.catalog))
    assert checked.families == count
