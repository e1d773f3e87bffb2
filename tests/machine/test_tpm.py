"""The TPM of a machine; swtpm is real."""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.machine import hardware, tpm
from machine.test_hardware import PARTS

WITH_TPM = dataclasses.replace(PARTS, properties={"hw_tpm_version": "2.0"})


def test_it_listens_while_the_machine_runs(tmp_path: Path) -> None:
    folder = tmp_path / ("long-" * 25)  # longer than the path of a socket may be
    folder.mkdir()
    tpm.prepare(folder, WITH_TPM)
    with tpm.running(folder, WITH_TPM), socket.socket(socket.AF_UNIX) as client:
        with (folder / hardware.TPM_SOCKET).parent.joinpath("tpm.log").open() as said:
            assert said.read() == ""
        (tmp_path / "s").symlink_to(folder)
        client.connect(str(tmp_path / "s" / hardware.TPM_SOCKET))
    assert (folder / hardware.TPM / "tpm2-00.permall").stat().st_size


def test_a_machine_without_one_gets_none(tmp_path: Path) -> None:
    tpm.prepare(tmp_path, PARTS)
    with tpm.running(tmp_path, PARTS):
        assert list(tmp_path.iterdir()) == []


def test_one_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "swtpm"
    program.write_text("#!/bin/sh\necho 'no room left'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with (
        pytest.raises(ImagecycleError, match=r"swtpm did not start in .*: no room left"),
        tpm.running(tmp_path, WITH_TPM),
    ):
        pass
