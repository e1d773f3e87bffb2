"""What makes a build another one."""

from __future__ import annotations

import dataclasses

import pytest

from imagecycle import catalog
from imagecycle.build import inputs, installation
from imagecycle.build.media import Source
from imagecycle.model import GuestFile
from imagecycle.site import CATALOG, Site

FAMILY = catalog.find(CATALOG, "debian-12-x86_64-server")
BEFORE = inputs.digest(FAMILY, "installation", "zstd")


@pytest.mark.parametrize(
    "change",
    [
        {"packages": (*FAMILY.packages, "one-more")},
        {"commands": ("true",)},
        {"files": (GuestFile("/etc/motd", "hello"),)},
    ],
)
def test_what_a_flavour_adds_counts(change: dict[str, object]) -> None:
    changed = dataclasses.replace(FAMILY, **change)  # type: ignore[arg-type]
    assert inputs.digest(changed, "installation", "zstd") != BEFORE


def test_words_for_people_do_not_count() -> None:
    changed = dataclasses.replace(FAMILY, title="Another", description="Other words")
    assert inputs.digest(changed, "installation", "zstd") == BEFORE


def test_the_installation_and_the_compression_count() -> None:
    assert inputs.digest(FAMILY, "another", "zstd") != BEFORE
    assert inputs.digest(FAMILY, "installation", "none") != BEFORE


def test_flavours_of_a_system_share_an_installation() -> None:
    base = catalog.find(CATALOG, "debian-12-x86_64-base")
    digests = {installation.digest(f, Source(f, Site(), "media")) for f in (FAMILY, base)}
    assert len(digests) == 1


def test_an_installation_depends_on_its_media_and_disk() -> None:
    larger = dataclasses.replace(FAMILY, disk_gib=FAMILY.disk_gib + 1)
    digests = {
        installation.digest(FAMILY, Source(FAMILY, Site(), "media")),
        installation.digest(FAMILY, Source(FAMILY, Site(), "others")),
        installation.digest(larger, Source(larger, Site(), "media")),
    }
    assert len(digests) == 3


def test_what_this_builder_does_otherwise_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(FAMILY, Site(), "media")
    installed = installation.digest(FAMILY, source)
    monkeypatch.setattr(inputs, "BUILDER", inputs.BUILDER + 1)
    assert installation.digest(FAMILY, source) != installed
    assert inputs.digest(FAMILY, "installation", "zstd") != BEFORE
