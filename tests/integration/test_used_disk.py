"""The disk of a machine that has ended is looked at without being changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imagecycle import systems
from imagecycle.build import mounting
from imagecycle.verify import used_disk

LIB = Path(__file__).parents[2] / "lib"

pytestmark = pytest.mark.integration


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A disk with one file system that holds two files."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text("server\n")
    system = tmp_path / "system.ext4"
    raw, made = tmp_path / "disk.raw", tmp_path / "disk.qcow2"
    argv = ["mke2fs", "-q", "-t", "ext4", "-d", root, system, "8M"]
    subprocess.run(argv, check=True, timeout=60)
    raw.write_bytes(bytes(2**20) + system.read_bytes() + bytes(2**20))
    table = "label: gpt\nstart=2048, size=16384, type=linux\n"
    argv = ["sfdisk", "-q", raw]
    subprocess.run(argv, input=table.encode(), check=True, timeout=60, capture_output=True)
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, made]
    subprocess.run(argv, check=True, timeout=60)
    return made


@pytest.mark.parametrize("fuse", [True, False])
def test_files_are_read_and_nothing_is_changed(
    disk: Path, tmp_path: Path, fuse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fuse:
        monkeypatch.setattr(used_disk, "FUSE", tmp_path / "nothing")
    before = disk.read_bytes()
    scratch = tmp_path / "scratch"
    with used_disk.opened(disk, scratch, systems.linux("debian")) as used:
        assert used.text("/etc/hostname") == "server\n"
        assert "/etc/hostname" in used.entries
    assert disk.read_bytes() == before
    assert str(scratch) not in mounting.MOUNTS.read_text()


def test_mounts_of_a_run_that_was_killed_are_undone(disk: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scr atch"
    script = (
        "import os, sys, pathlib; from imagecycle import systems; "
        "from imagecycle.verify import used_disk\n"
        "with used_disk.opened(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), "
        "systems.linux('debian')): os.kill(os.getpid(), 9)"
    )
    argv = [sys.executable, "-c", script, disk, scratch]
    done = subprocess.run(argv, env={**os.environ, "PYTHONPATH": str(LIB)}, timeout=60)
    assert done.returncode == -9
    written = str(scratch).replace(" ", "\\040")
    assert written in mounting.MOUNTS.read_text()
    mounting.unmount_left(tmp_path)
    assert written not in mounting.MOUNTS.read_text()
