"""What ``pip install`` brings, and that it works away from any checkout."""

import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from email.parser import HeaderParser
from pathlib import Path

import pytest

from imagecycle.doctor import software
from imagecycle.jobs import plugins
from installed import environment
from installed.environment import Environment

SHARE = "share/imagecycle"
SHIPPED = {"images": "images", "jobs": "jobs", "docs/jenkins": "jenkins"}
"""Folders of the checkout, and where they are in an installation, below its share/imagecycle"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment.source(tmp_path_factory.mktemp("source") / "imagecycle")


@pytest.fixture(scope="module")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment.build("sdist", source, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made from the source distribution, as pip makes it from the index."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.unpack_archive(sdist, folder)
    (tree,) = folder.iterdir()
    return environment.build("wheel", tree, folder / "out")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment.new(tmp_path_factory.mktemp("environment"))
    made.pip("install", "--no-deps", "--no-index", wheel)
    made.borrow()
    return made


def files(folder: Path) -> Mapping[str, bool]:
    """The files below a folder, and whether they may be executed."""
    return {
        path.relative_to(folder).as_posix(): os.access(path, os.X_OK)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_source_distribution_is_the_whole_checkout(source: Path, sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        there = {name.partition("/")[2] for name in archive.getnames()}
    missing = {name for name in files(source) if ".egg-info/" not in name} - there
    assert not missing, "MANIFEST.in leaves these out"


def test_the_wheel_holds_every_file_of_the_package(installed: Environment) -> None:
    (package,) = installed.folder.glob("lib/python*/site-packages/imagecycle")
    assert files(package) == files(environment.ROOT / "lib" / "imagecycle")


@pytest.mark.parametrize("folder", SHIPPED)
def test_catalog_jobs_and_configuration_come_along(installed: Environment, folder: str) -> None:
    there = installed.folder / SHARE / SHIPPED[folder]
    assert files(there) == files(environment.ROOT / folder), "see options.data_files in setup.cfg"


def test_the_license_is_declared_and_comes_along(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (info,) = {name.partition("/")[0] for name in archive.namelist() if "dist-info/" in name}
        metadata = HeaderParser().parsestr(archive.read(f"{info}/METADATA").decode())
        text = archive.read(f"{info}/licenses/LICENSE").decode()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert text == (environment.ROOT / "LICENSE").read_text()


def test_it_lists_the_catalog_that_it_ships(installed: Environment) -> None:
    done = installed.imagecycle("list", "--json")
    assert done.returncode == 0, done.stderr
    assert "debian-12-x86_64-server" in [family["slug"] for family in json.loads(done.stdout)]


def test_it_checks_the_jobs_that_it_ships(installed: Environment) -> None:
    done = installed.imagecycle("jobs", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("no mistakes\n")


def test_it_explains_a_command(installed: Environment) -> None:
    done = installed.imagecycle("build", "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: imagecycle build ")


def test_it_knows_the_plugins_that_a_controller_needs(installed: Environment) -> None:
    code = "from imagecycle.jobs import plugins; print(*plugins.read())"
    assert installed.python(code).split() == [*plugins.read()]


def test_it_was_tested_with_the_pins_that_it_came_with(installed: Environment) -> None:
    code = (
        "import json; from imagecycle.doctor import software; print(json.dumps(software.pinned()))"
    )
    assert json.loads(installed.python(code)) == software.pinned()


def test_a_hint_names_no_script_that_is_not_there(installed: Environment) -> None:
    code = "from imagecycle.errors import MissingProgram; print(MissingProgram('oz').hint)"
    assert installed.python(code).startswith("run scripts/setup of a checkout of imagecycle")


def test_the_catalog_and_jobs_of_a_site_come_first(installed: Environment, tmp_path: Path) -> None:
    catalog, jobs = tmp_path / "catalog", tmp_path / "jobs"
    for folder in (catalog, jobs):
        folder.mkdir()
    (catalog / "bad.yaml").write_text("nmae: x\n")
    (jobs / "bad.yaml").write_text("- jbo: {name: x}\n")
    settings = tmp_path / "site.yaml"
    settings.write_text(f"catalog: {catalog}\n")
    assert f"{catalog}/bad.yaml:1" in installed.imagecycle("--site", settings, "list").stderr
    settings.write_text(f"jobs: {jobs}\n")
    done = installed.imagecycle("--site", settings, "jobs", "check")
    assert f"{jobs}/bad.yaml:1" in done.stderr


def test_an_installation_that_lost_its_data_says_what_to_set(wheel: Path, tmp_path: Path) -> None:
    made = Environment.new(tmp_path)
    made.pip("install", "--no-deps", "--no-index", wheel)
    made.borrow()
    (made.folder / SHARE / "images").rename(tmp_path / "images")
    done = made.imagecycle("list")
    assert done.returncode == 2
    assert "hint: set `catalog` in the site's settings" in done.stderr


@pytest.mark.integration
def test_pip_installs_it_into_a_clean_environment(source: Path, tmp_path: Path) -> None:
    made = Environment.new(tmp_path)
    made.pip("install", source, limit=600)
    for words in (["list"], ["jobs", "check"], ["build", "--help"]):
        done = made.imagecycle(*words)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert done.stdout
