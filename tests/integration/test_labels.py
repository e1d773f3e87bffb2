"""Labels of SELinux are set anew on a disk, by the system's own policy and its own tool."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imagecycle import systems
from imagecycle.build import clean, offline
from imagecycle.systems import selinux
from integration.test_enlarged_disk import made

pytestmark = pytest.mark.integration

CONTEXTS = """\
/.*                          system_u:object_r:default_t:s0
/etc(/.*)?                   system_u:object_r:etc_t:s0
/etc/shadow          --      system_u:object_r:shadow_t:s0
/opt/agent           -d      system_u:object_r:usr_t:s0
/opt/agent/run       --      system_u:object_r:bin_t:s0
/tmp/.*                      <<none>>
"""
POLICY = "/etc/selinux/targeted/contexts/files/file_contexts"
WRONG = b"system_u:object_r:unlabeled_t:s0\0"


@pytest.fixture(params=["xfs", "ext4"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    raw = made(tmp_path, request.param)
    with offline.mounted(raw, tmp_path, read_only=False) as files:
        files.write(POLICY, CONTEXTS.encode(), 0o644)
        files.write(selinux.CONFIGURATION, b"SELINUX=enforcing\nSELINUXTYPE=targeted\n", 0o644)
        files.write("/etc/shadow", b"root:*:1::::::\n", 0o600)
        files.write("/opt/agent/run", b"x", 0o755)
        os.setxattr(files.root / "etc/shadow", selinux.ATTRIBUTE, WRONG)
    return raw


def labels(disk: Path, scratch: Path, *paths: str) -> dict[str, str]:
    with offline.mounted(disk, scratch, read_only=True) as files:
        found = {}
        for path in paths:
            try:
                said = os.getxattr(files.root / path[1:], selinux.ATTRIBUTE)
            except OSError:
                said = b""
            found[path] = said.rstrip(b"\0").decode().split(":")[2] if said else ""
        return found


PATHS = ("/etc/hostname", "/etc/shadow", "/opt/agent", "/opt/agent/run")


def test_every_file_gets_the_label_of_the_policy(disk: Path, tmp_path: Path) -> None:
    with offline.opened(disk, tmp_path) as files:
        clean.label(files, systems.linux("rocky"))
    assert labels(disk, tmp_path, *PATHS) == {
        "/etc/hostname": "etc_t",
        "/etc/shadow": "shadow_t",
        "/opt/agent": "usr_t",
        "/opt/agent/run": "bin_t",
    }


@pytest.mark.parametrize("setting", ["SELINUX=disabled", "SELINUXTYPE=other"])
def test_a_system_without_a_policy_in_use_keeps_what_it_has(
    disk: Path, tmp_path: Path, setting: str
) -> None:
    with offline.opened(disk, tmp_path) as files:
        files.write(selinux.CONFIGURATION, f"{setting}\n".encode(), 0o644)
        clean.label(files, systems.linux("rocky"))
    assert labels(disk, tmp_path, *PATHS) == {
        **dict.fromkeys(PATHS, ""),
        "/etc/shadow": "unlabeled_t",
    }
