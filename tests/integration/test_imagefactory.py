"""A build through ImageFactory: the real one where IMAGEFACTORY_HOME names it, or the stand-in."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path

import pytest

from imagecycle.artifacts import Artifact
from imagecycle.build import builder, stage
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import stage as verify

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]

STANDIN = Path(__file__).parents[1] / "standin/factory.py"


@pytest.fixture
def site(build_site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Site:
    """A site that shares only the install trees with the others."""
    if builder.HOME_VARIABLE not in os.environ:
        shutil.copy(STANDIN, tmp_path / builder.NAME)
        monkeypatch.setenv(builder.HOME_VARIABLE, str(tmp_path))
    own = build_site.model_copy(update={"home": build_site.home / "imagefactory"})
    shutil.rmtree(own.home, ignore_errors=True)
    own.cache.mkdir(parents=True)
    (own.cache / "install-trees").symlink_to(build_site.cache / "install-trees")
    return own


def record(artifact: Artifact) -> dict[str, object]:
    return json.loads((artifact.folder / "build.json").read_text())  # type: ignore[no-any-return]


def packages(artifact: Artifact) -> object:
    return json.loads((artifact.folder / "packages.json").read_text())["packages"]


def test_a_family_changes_its_builder_and_nothing_else_notices(
    built_family: tuple[Family, Site, Artifact], site: Site
) -> None:
    family, _, by_oz = built_family
    factory = dataclasses.replace(family, builder="imagefactory")
    by_factory = stage.build(factory, site)
    assert by_factory is not None
    ours, theirs = record(by_factory), record(by_oz)
    assert ours.keys() == theirs.keys()
    assert ours["inputs"] == {**theirs["inputs"], "through": "imagefactory"}  # type: ignore[dict-item]
    assert "imagefactory" in ours["versions"]  # type: ignore[operator]
    assert packages(by_factory) == packages(by_oz)
    assert {path.name for path in by_factory.folder.iterdir()} == {
        path.name for path in by_oz.folder.iterdir()
    }
    verify.verify(factory, site, release=None, force=False, keep=False)
    shutil.rmtree(site.home)
