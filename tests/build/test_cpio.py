"""The archive that the kernel unpacks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from imagecycle.build import cpio


def test_an_archive_is_read_by_the_program_of_that_name(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_bytes(b"odd")
    second.write_bytes(bytes(range(256)) * 100)
    archive = tmp_path / "a.cpio"
    cpio.write(archive, {"first": first, "second": second})
    out = tmp_path / "out"
    out.mkdir()
    with archive.open("rb") as stream:
        subprocess.run(["cpio", "-i", "--quiet"], cwd=out, stdin=stream, check=True, timeout=30)
    assert (out / "first").read_bytes() == b"odd"
    assert (out / "second").read_bytes() == second.read_bytes()
    assert archive.stat().st_size % 512 == 0


def test_folders_are_there_and_programs_may_be_run(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    archive = tmp_path / "a.cpio"
    cpio.write(archive, {"usr/bin/program": program}, folders=("dev",))
    out = tmp_path / "out"
    out.mkdir()
    with archive.open("rb") as stream:
        subprocess.run(["cpio", "-i", "--quiet"], cwd=out, stdin=stream, check=True, timeout=30)
    assert (out / "usr/bin/program").stat().st_mode & 0o777 == 0o755
    assert (out / "dev").is_dir()


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(2**32)
    with pytest.raises(ValueError, match="too large"):
        cpio.write(tmp_path / "a.cpio", {"large": large})
