"""ImageFactory as builder: a stand-in of its command line, or the real one where that is named."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import windows_families
from imagecycle import catalog, systems
from imagecycle.build import (
    builder,
    domain_xml,
    explanation,
    imagefactory,
    inputs,
    installation,
    media,
    stage,
    template,
)
from imagecycle.build.console import Console
from imagecycle.build.domain import InstallationFailed, Limits, MachineCrashed
from imagecycle.errors import ImagecycleError, InvalidFile, UsageError
from imagecycle.machine.accelerator import Accelerator
from imagecycle.model import Family
from imagecycle.site import CATALOG, Site

STANDIN = Path(__file__).parents[1] / "standin/factory.py"
REAL = os.environ.get(builder.HOME_VARIABLE)
OZ = catalog.find(CATALOG, "debian-12-x86_64-base")
FAMILY = dataclasses.replace(OZ, builder="imagefactory")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real one where there is one, else the stand-in."""
    if REAL:
        return Path(REAL)
    folder = tmp_path / "imagefactory-source"
    folder.mkdir()
    shutil.copy(STANDIN, folder / "imagefactory")
    monkeypatch.setenv(builder.HOME_VARIABLE, str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a build works, with its template and answers, and the media that the template names."""
    boot = tmp_path / "tree/debian-installer/amd64"
    boot.mkdir(parents=True)
    for name in ("linux", "initrd.gz"):
        (boot / name).write_bytes(b"not to be booted")
    found = tmp_path / "artifacts/debian-12-x86_64-base/.20261122.partial"
    found.mkdir(parents=True)
    described(found, FAMILY, tmp_path / "tree")
    (found / "unattended").write_text("d-i debian-installer/locale string C.UTF-8\n")
    yield found
    left = {path.name for path in found.iterdir()}
    assert left <= {"unattended", "template.tdl", "imagefactory.log", "oz.log", "oz", "disk.raw"}


def described(folder: Path, family: Family, tree: Path) -> None:
    said = template.installation(family, name="n", media_url=tree.as_uri(), root_password="locked")
    (folder / "template.tdl").write_text(said)


def install(folder: Path, family: Family = FAMILY) -> None:
    around = domain_xml.Surroundings(
        folder, "test:///default", Accelerator("tcg", ""), 2, 1024, Limits(30, 30)
    )
    console = Console(folder / "console.log", systems.of(family).console)
    imagefactory.install(
        family, folder / "template.tdl", folder / "unattended", folder / "disk.raw", around, console
    )


@pytest.mark.usefixtures("home")
def test_it_brings_oz_to_the_start_of_the_machine_and_tells_why_that_failed(folder: Path) -> None:
    with pytest.raises(InstallationFailed, match="libvirt cannot start the virtual machine") as no:
        install(folder)  # libvirt's test driver starts none that is to end with its connection
    assert "imagecycle doctor" in no.value.hint
    oz_log = (folder / "oz.log").read_text()
    assert "Running install for imagecycle-debian-12-x86_64-base-20261122" in oz_log


@pytest.mark.usefixtures("home")
def test_what_oz_refuses_is_told_with_the_place_of_the_log(folder: Path) -> None:
    described(folder, FAMILY, folder / "nowhere")
    with pytest.raises(InstallationFailed, match="ImageFactory gave up: ") as no:
        install(folder)
    assert f"ImageFactory's log: {folder / 'imagefactory.log'}" in no.value.hint
    assert "FAILED" in (folder / "imagefactory.log").read_text()


@pytest.mark.skipif(bool(REAL), reason="the real one's disk takes a virtual machine")
def test_the_disk_and_the_answers_are_those_that_oz_would_have(home: Path, folder: Path) -> None:
    seen = folder.parent / "seen"
    (home / "imagefactory").write_text(
        "import json, pathlib, sys\n"
        "words = sys.argv\n"
        "config = json.load(open(words[words.index('--config') + 1]))\n"
        "store = pathlib.Path(config['image_manager_args']['storage_path'])\n"
        "store.mkdir()\n"
        "(store / 'u.body').write_bytes(b'disk')\n"
        "answers = open(words[words.index('install_script') + 1]).read()\n"
        f"pathlib.Path({str(seen)!r}).write_text(answers)\n"
        "print('Image filename:', store / 'u.body')\n"
    )
    install(folder)
    assert (folder / "disk.raw").read_bytes() == b"disk"
    assert seen.read_text() == (folder / "unattended").read_text()


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("", "ImageFactory gave up: it printed nothing"),
        ("Traceback:\nKeyError: 'jeos_config'\n", "ImageFactory gave up: KeyError: 'jeos_config'"),
        ("\nImage build FAILED with error: no disk\n\n", "ImageFactory gave up: no disk"),
    ],
)
def test_what_it_printed_says_why_it_failed(tmp_path: Path, printed: str, said: str) -> None:
    error = imagefactory.failure(tmp_path / "imagefactory", printed)
    assert error.message == said
    assert str(tmp_path / "imagefactory.log") in error.hint


def test_a_crash_of_the_machine_is_told_apart_for_it_is_tried_again(tmp_path: Path) -> None:
    told = {"kind": "MachineCrashed", "message": "the virtual machine crashed", "hint": "console"}
    (tmp_path / "failure.json").write_text(json.dumps(told))
    error = imagefactory.failure(tmp_path, "Image build FAILED with error: crashed")
    assert isinstance(error, MachineCrashed)
    assert (error.message, error.hint) == ("the virtual machine crashed", "console")


@pytest.mark.skipif(bool(REAL), reason="only the stand-in is told what is wrong")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("target_image", "x"), "invalid choice"),
        (("base_image", "x", "--surprise"), "unrecognized arguments"),
    ],
)
def test_the_stand_in_is_strict(
    home: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "x").touch()
    done = subprocess.run(
        [sys.executable, home / "imagefactory", "--config", "x", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr


def test_without_a_copy_of_its_source_the_way_out_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    for named, said in (("", "is not configured"), (str(tmp_path), "there is no ImageFactory in")):
        monkeypatch.setenv(builder.HOME_VARIABLE, named)
        with pytest.raises(UsageError, match=said) as no:
            install(folder)
        assert "docs/imagefactory.rst" in no.value.hint


@pytest.mark.usefixtures("home")
def test_it_says_its_version() -> None:
    assert builder.version().startswith("1.1.16")


def test_a_copy_that_does_not_start_names_what_debian_has_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "imagefactory").write_text("import a_library_that_is_nowhere")
    monkeypatch.setenv(builder.HOME_VARIABLE, str(tmp_path))
    with pytest.raises(ImagecycleError, match="a_library_that_is_nowhere") as no:
        builder.version()
    assert "python3-libxml2" in no.value.hint


def test_a_family_has_its_own_builder_else_the_site_s() -> None:
    factory = Site(builder="imagefactory")
    assert not builder.chosen(OZ, Site())
    assert builder.chosen(OZ, factory)
    assert builder.chosen(FAMILY, Site())
    assert not builder.chosen(dataclasses.replace(OZ, builder="oz"), factory)
    assert not builder.chosen(windows_families.family(), factory)


def test_windows_is_never_built_by_it(tmp_path: Path) -> None:
    folder = windows_families.copy(tmp_path)
    text = (folder / "windows-2022.yaml").read_text()
    (folder / "windows-2022.yaml").write_text(f"builder: imagefactory\n{text}")
    with pytest.raises(InvalidFile, match="1: builder: ImageFactory has no plugin for Windows"):
        catalog.load(folder)


def test_another_builder_is_another_input_and_named_as_such() -> None:
    with_oz, with_factory = (
        explanation.recorded(family, media.Source(family, Site(), "d"), "zstd")
        for family in (OZ, FAMILY)
    )
    assert explanation.changes(with_oz, with_factory) == ["through: now imagefactory, was oz"]
    assert explanation.changes(with_factory, with_oz) == ["through: now oz, was imagefactory"]
    del with_oz["through"]  # as records were before there was a choice
    assert explanation.changes(with_oz, with_factory) == ["through: now imagefactory, was oz"]
    of_oz = installation.digest(OZ, media.Source(OZ, Site(), "d"))
    of_factory = installation.digest(FAMILY, media.Source(FAMILY, Site(), "d"))
    assert of_oz != of_factory
    assert inputs.digest(OZ, of_oz, "zstd") != inputs.digest(FAMILY, of_factory, "zstd")


def test_a_dry_run_names_the_builder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "find", lambda family, site: media.Source(family, site, "d"))
    stage.build(FAMILY, Site(home=tmp_path), dry_run=True)
    assert "with ImageFactory from tree media" in capsys.readouterr().err
