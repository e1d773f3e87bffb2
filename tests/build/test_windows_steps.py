"""What lies on the medium of a build, for the steps of a customisation."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

import virtio_iso
import windows_families
from imagecycle.build import inputs, windows_steps
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.windows_facts import Software, WindowsChanges


def named(path: Path) -> dict[str, str]:
    return {"url": path.as_uri(), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def site(folder: Path, **windows: Any) -> Site:
    (folder / "CloudbaseInit.msi").write_text("cloudbase-init")
    settings = {
        "drivers": named(virtio_iso.make(folder)),
        "cloudbase_init": named(folder / "CloudbaseInit.msi"),
        **windows,
    }
    return Site.model_validate({"home": folder / "home", "windows": settings})


def software(folder: Path, name: str) -> Software:
    (folder / name).write_text(name)
    return Software(name, **named(folder / name))


def family(**changes: Any) -> Family:
    return windows_families.family(windows={"changes": WindowsChanges(**changes)})


def test_all_that_steps_install_is_on_the_medium(tmp_path: Path) -> None:
    one = family(
        updates=(software(tmp_path, "KB1.msu"),),
        software=(software(tmp_path, "agent.msi"),),
        policies=(software(tmp_path, "base.inf"),),
    )
    settings = site(tmp_path)
    folder = tmp_path / "medium"
    folder.mkdir()
    windows_steps.gather(one, settings, folder)
    there = {path.name for path in folder.iterdir()}
    wanted = {
        value.removeprefix("{drive}\\")
        for step in windows_steps.steps(one, settings)
        for value in step.variables.values()
        if value.startswith("{drive}")
    } - {windows_steps.LGPO}
    assert wanted | {"seal.ps1"} == there
    assert (folder / windows_steps.AGENT).read_text() == "agent"


def test_a_backup_of_policies_needs_the_tool_that_imports_it(tmp_path: Path) -> None:
    one = family(policies=(software(tmp_path, "gpo.zip"),))
    folder = tmp_path / "medium"
    folder.mkdir()
    with pytest.raises(UsageError, match=r"name no windows\.lgpo"):
        windows_steps.gather(one, site(tmp_path), folder)


def test_without_cloudbase_init_it_is_told(tmp_path: Path) -> None:
    settings = Site.model_validate(
        {"home": tmp_path, "windows": {"drivers": named(virtio_iso.make(tmp_path))}}
    )
    (tmp_path / "medium").mkdir()
    with pytest.raises(UsageError, match=r"name no windows\.cloudbase_init"):
        windows_steps.gather(family(), settings, tmp_path / "medium")


def test_software_with_another_checksum_is_refused(tmp_path: Path) -> None:
    right = software(tmp_path, "agent.msi")
    wrong = Software(right.name, right.url, "0" * 64)
    (tmp_path / "medium").mkdir()
    with pytest.raises(ImagecycleError, match="has the checksum"):
        windows_steps.gather(family(software=(wrong,)), site(tmp_path), tmp_path / "medium")


def test_what_a_flavour_changes_is_an_input_of_the_build() -> None:
    features = family(features=("Web-Server",))
    assert inputs.digest(family(), "i", "zstd") != inputs.digest(features, "i", "zstd")
