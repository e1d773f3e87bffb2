"""Why a build is due."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from imagecycle import catalog
from imagecycle.build import explanation, inputs, stage
from imagecycle.build import installation as installations
from imagecycle.build.media import Source
from imagecycle.model import Family, GuestFile, Media
from imagecycle.site import CATALOG, Site

TREE = catalog.find(CATALOG, "debian-12-x86_64-server")
FAMILY = dataclasses.replace(
    TREE, media=Media("iso", "file:///media/debian.iso", "ab" * 32), packages=("curl", "less")
)
INDEXES = {"package index of bookworm": "one", "package index of bookworm-security": "one"}


def recorded(family: Family, **ingredients: str) -> Any:
    """The inputs as a record gives them back."""
    source = Source(family, Site(), "digest", ingredients)
    return json.loads(json.dumps(explanation.recorded(family, source, "zstd")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"packages": ("curl", "vim")}, ["packages: vim is new", "packages: less is gone"]),
        ({"packages": ("less", "curl")}, ["packages: in another order"]),
        ({"disk_gib": 4}, ["disk: now 4, was 3"]),
        ({"firmware": ("uefi",)}, ["firmware: now uefi, was bios, uefi"]),
        ({"commands": ("true",)}, ["commands: changed"]),
        ({"files": (GuestFile("/etc/motd", "hello"),)}, ["files: /etc/motd is new"]),
    ],
)
def test_each_input_of_the_catalog_is_named(change: dict[str, Any], said: list[str]) -> None:
    changed = dataclasses.replace(FAMILY, **change)
    before, now = recorded(FAMILY), recorded(changed)
    lines = explanation.changes(before, now)
    assert [line for line in lines if not line.startswith("unattended")] == said


def test_an_index_of_the_mirror_is_named() -> None:
    newer = {**INDEXES, "package index of bookworm-security": "two"}
    assert explanation.changes(recorded(FAMILY, **INDEXES), recorded(FAMILY, **newer)) == [
        "media: package index of bookworm-security has changed"
    ]


def test_the_unattended_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recorded(FAMILY)
    monkeypatch.setattr(
        "imagecycle.catalog.unattended.render", lambda family: "d-i preseed/early_command"
    )
    assert explanation.changes(before, recorded(FAMILY)) == ["unattended: changed"]


def test_a_file_that_says_something_else_is_named() -> None:
    one, two = (dataclasses.replace(FAMILY, files=(GuestFile("/etc/motd", text),)) for text in "ab")
    assert explanation.changes(recorded(one), recorded(two)) == ["files: /etc/motd has changed"]


def released(site: Site, family: Family, **record: Any) -> None:
    folder = site.artifacts / family.slug / "20261122"
    folder.mkdir(parents=True)
    (folder / "disk.qcow2").touch()
    source = Source(family, site, family.media.sha256)
    digest = inputs.digest(family, installations.digest(family, source), site.compression)
    found = {
        "input_digest": digest,
        "inputs": explanation.recorded(family, source, site.compression),
        **record,
    }
    (folder / "build.json").write_text(json.dumps(found))


def test_what_is_unchanged_is_said_to_be(tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    assert stage.explain(FAMILY, site) == [f"{FAMILY.slug} would be built: there is no release yet"]
    released(site, FAMILY, versions={"imagecycle": "0.0.1", "gone": "1"})
    title, tool = stage.explain(FAMILY, site)
    assert title == f"{FAMILY.slug} 20261122 is up to date: its inputs are unchanged"
    assert tool.startswith("tool: imagecycle is ")
    assert tool.endswith("was 0.0.1; no build is made for this alone")


def test_a_changed_catalog_is_said_to_make_a_build_due(tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    released(site, FAMILY)
    changed = dataclasses.replace(
        FAMILY, media=dataclasses.replace(FAMILY.media, sha256="cd" * 32), packages=("curl",)
    )
    assert stage.explain(changed, site) == [
        f"{FAMILY.slug} would be built: its inputs have changed since release 20261122",
        "media: medium has changed",
        "packages: less is gone",
    ]


def test_a_record_from_before_says_so(tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    released(site, FAMILY, inputs=None, input_digest="0")
    record = site.artifacts / FAMILY.slug / "20261122" / "build.json"
    record.write_text(json.dumps({"input_digest": "0"}))
    (line,) = stage.explain(FAMILY, site)
    assert line.endswith("since release 20261122, whose record does not list them")
