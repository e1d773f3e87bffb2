"""Whether servers know where to fetch packages, on small systems in folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagecycle import systems
from imagecycle.build.offline import MountedSystem
from imagecycle.verify.checks.test_package_sources import test_are_there as check
from imagecycle.verify.findings import Defects
from imagecycle.verify.pristine import Pristine

NEW, OLD = "apt: {preserve_sources_list: %s}\n", "apt_preserve_sources_list: %s\n"
DEFECTS = Defects("package_sources.are_there", frozenset(), ())


def system_with(folder: Path, vendor: str, site: str) -> Pristine:
    """A system without sources, and with these settings of contextualisation."""
    files = {"cloud.cfg": vendor, "cloud.cfg.d/90-site.cfg": site}
    for path, said in files.items():
        place = folder / "etc/cloud" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(said)
    return Pristine(MountedSystem(folder), systems.linux("debian"), folder / "disk.raw")


@pytest.mark.parametrize(
    ("vendor", "site"), [("", ""), (NEW % "true", NEW % "false"), (OLD % "true", OLD % "false")]
)
def test_contextualisation_writes_them(tmp_path: Path, vendor: str, site: str) -> None:
    check(system_with(tmp_path, vendor, site), DEFECTS)


@pytest.mark.parametrize(
    ("vendor", "site"),
    [(NEW % "true", ""), (OLD % "true", ""), (OLD % "true", NEW % "false"), ("", OLD % "true")],
)
def test_contextualisation_leaves_them_as_they_are(tmp_path: Path, vendor: str, site: str) -> None:
    with pytest.raises(AssertionError, match="package sources: are missing"):
        check(system_with(tmp_path, vendor, site), DEFECTS)
