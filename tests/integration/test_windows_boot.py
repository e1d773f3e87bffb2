"""The medium that Oz's mended class makes starts on a machine of libvirt; Setup is a stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagecycle.build import disk
from imagecycle.build import domain as domains
from imagecycle.build import stage as build
from imagecycle.build.domain import InstallationFailed
from integration.windows_site import MACHINES, prepared

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]

HOME = Path("/var/tmp/imagecycle-windows-boot")
"""QEMU's user can enter it, which it could not below a temporary folder of pytest"""
LEFT = 16 * 2**20
"""Bytes that are free when the installation begins; it writes more"""
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
    assert (kept / "screenshot.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def small(home: Path) -> Iterator[Path]:
    """A place for a site on a file system of its own."""
    image = home.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(2 * 2**30)
    subprocess.run(["mkfs.ext4", "-q", image], check=True, timeout=60)
    home.mkdir()
    subprocess.run(["mount", "-o", "loop", image, home], check=True, timeout=60)
    yield home
    subprocess.run(["umount", home], check=True, timeout=60)
    image.unlink()


def test_a_machine_that_has_no_room_to_write_ends_the_build(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = prepared(small, **MACHINES["bios"])
    monkeypatch.setattr(disk, "need_room", lambda *_: None)
    started = domains.watch

    def watch(*arguments: Any, **named: Any) -> None:
        room = os.statvfs(small)
        with (small / "filler").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - LEFT)
        started(*arguments, **named)

    monkeypatch.setattr(domains, "watch", watch)
    with pytest.raises(InstallationFailed, match="no space is left") as failed:
        build.build(operator.family, operator.site)
    assert "make room" in failed.value.hint
