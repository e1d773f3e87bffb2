"""How much sooner the full matrix is through with a machine for each processor."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench import verify
from bench.table import Row
from imagecycle import catalog
from imagecycle.artifacts import ArtifactStore
from imagecycle.site import Site

LIMIT = 1800.0


def rows(site: Site, scratch: Path) -> list[Row]:
    """Measure with the newest release of the family in the site's artifact folder.

    :raises UnknownName: when there is none yet.
    """
    family = catalog.find(site.catalog, verify.FAMILY)
    artifact = ArtifactStore(site.artifacts).find(family.slug, None)
    seconds: list[float] = []
    for name, options in (("beside", ()), ("after", ("--jobs", "1"))):
        home = scratch / name
        spent, record = verify.whole(artifact, home, "--matrix", "full", *options, limit=LIMIT)
        seconds.append(spent.seconds)
        shutil.rmtree(home)
    beside, after = seconds
    return [
        Row(
            name="verify --matrix full, machines beside each other",
            measured=beside,
            unit="s",
            reference=after,
            ratio=beside / after,
            target="at most 0.63",
            how=(
                f"{len(record['machines'])} boots and {len(record['checks'])} checks, against "
                "`--jobs 1`; one run each"
            ),
        )
    ]
