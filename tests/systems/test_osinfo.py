"""What libosinfo says of a medium, in its own program's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagecycle.systems import osinfo
from imagecycle.systems.osinfo import Known

SAID = {
    "an installer for OS 'Rocky Linux 9 (aarch64)'": Known("Rocky Linux", "9", "aarch64"),
    "an installer for OS 'Red Hat Enterprise Linux 9 Unknown (x86_64)'": Known(
        "Red Hat Enterprise Linux", "9", "x86_64"
    ),
    "an installer for OS 'Fedora (x86_64)'": Known("Fedora", "", "x86_64"),
    "an installer for OS 'Ubuntu 22.04 LTS (x86_64)'": Known("Ubuntu", "22.04", "x86_64"),
    "live media for OS 'Debian 11'": Known("Debian", "11", ""),
    "an installer for OS 'SUSE Linux Enterprise Server 15 SP4 (x86_64)'": Known(
        "SUSE Linux Enterprise Server", "15.4", "x86_64"
    ),
}


@pytest.mark.parametrize("said", SAID)
def test_system_version_and_architecture_are_read(said: str) -> None:
    assert osinfo.read(f"Media is bootable.\nMedia is {said}\n") == SAID[said]


def test_a_medium_that_is_only_bootable_is_not_known() -> None:
    assert osinfo.read("Media is bootable.\n") is None


def test_a_program_that_fails_knows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "osinfo-detect"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(osinfo, "PROGRAM", str(program))
    assert osinfo.detect(tmp_path / "x.iso") is None
