"""The families of Windows that come along, with media that a site would have configured."""

import dataclasses
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from imagecycle import catalog, site
from imagecycle.model import Family

TEMPLATE = site.CATALOG / "windows.unattend.j2"
ISO = f'media: {{kind: iso, url: "file:///srv/windows.iso", sha256: "{"17" * 32}"}}'


def copy(folder: Path) -> Path:
    """A catalog folder with the files that come along."""
    for path in site.CATALOG.glob("windows*"):
        shutil.copy(path, folder)
        if path.suffix == ".yaml":
            text = path.read_text().replace("media: {kind: iso}", ISO)
            (folder / path.name).write_text(text)
    return folder


@functools.cache
def families() -> dict[str, Family]:
    """All of them by their slugs."""
    with tempfile.TemporaryDirectory() as folder:
        loaded = catalog.load(copy(Path(folder)))
    kept = (dataclasses.replace(one, unattended=TEMPLATE) for one in loaded)
    return {family.slug: family for family in kept}


def family(slug: str = "windows-2022-x86_64-server", **changes: Any) -> Family:
    """One of them with changes; those of ``windows`` are of that section."""
    found = families()[slug]
    assert found.windows is not None
    if facts := changes.pop("windows", None):
        changes["windows"] = dataclasses.replace(found.windows, **facts)
    return dataclasses.replace(found, **changes)
