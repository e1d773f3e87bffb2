"""The medium that Oz's mended class makes starts on a machine of libvirt; Setup is a stand-in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagecycle.build import stage as build
from imagecycle.build.domain import InstallationFailed
from integration.windows_site import MACHINES, prepared

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]

HOME = Path("/var/tmp/imagecycle-windows-boot")
"""QEMU's user can enter it, which it could not below a temporary folder of pytest"""
OF_DATACENTER = "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"
"""Microsoft's public client key for another edition than the one that is installed"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A place for a site."""
    shutil.rmtree(HOME, ignore_errors=True)
    yield HOME
    shutil.rmtree(HOME)


@pytest.mark.parametrize("machine", ["bios", "secure"])
def test_a_question_of_setup_is_read_from_the_screen_and_ends_the_build(
    home: Path, machine: str
) -> None:
    operator = prepared(home, **MACHINES[machine], key=OF_DATACENTER)
    with pytest.raises(InstallationFailed, match="Windows asks for a product key"):
        build.build(operator.family, operator.site)
    (kept,) = (operator.site.home / "failures" / operator.family.slug).iterdir()
    console = (kept / "console.log").read_text()
    assert "installer: 2/5 copying" in console and OF_DATACENTER not in console
