"""Reading and changing the files of a system that does not run, without leaving its root."""

from __future__ import annotations

import hashlib
import signal
from pathlib import Path
from typing import Any

import pytest

from imagecycle import interrupts
from imagecycle.build.offline import MountedSystem
from imagecycle.errors import ImagecycleError


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.write_text("precious")
    return path


@pytest.fixture
def system(tmp_path: Path) -> MountedSystem:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    return MountedSystem(root)


def test_an_absolute_link_is_followed_inside_the_system(system: MountedSystem) -> None:
    (system.root / "run").mkdir()
    (system.root / "run/file").write_text("inside")
    (system.root / "etc/link").symlink_to("/run/file")
    assert system.read("/etc/link") == b"inside"


def test_a_link_to_the_machine_does_not_reach_it(system: MountedSystem, outside: Path) -> None:
    (system.root / "etc/link").symlink_to(outside)
    system.root.joinpath(*outside.parts[1:-1]).mkdir(parents=True)
    system.write("/etc/link", b"changed", 0o644)
    assert outside.read_text() == "precious"


def test_dots_end_at_the_root(system: MountedSystem, outside: Path) -> None:
    (system.root / "etc/link").symlink_to("../../../../outside")
    system.write("/etc/link", b"changed", 0o644)
    assert outside.read_text() == "precious"
    assert (system.root / "outside").read_bytes() == b"changed"


def test_a_linked_folder_is_removed_as_a_link(system: MountedSystem, outside: Path) -> None:
    (system.root / "etc/link").symlink_to(outside.parent)
    system.remove("/etc/link")
    assert outside.exists()
    assert not system.exists("/etc/link")


def test_a_circle_of_links_is_an_error(system: MountedSystem) -> None:
    (system.root / "etc/a").symlink_to("/etc/b")
    (system.root / "etc/b").symlink_to("/etc/a")
    with pytest.raises(ImagecycleError, match="too many links"):
        system.read("/etc/a")


def test_a_written_file_has_its_mode_and_its_folders(system: MountedSystem) -> None:
    system.write("/root/.ssh/authorized_keys", b"key", 0o600)
    path = system.root / "root/.ssh/authorized_keys"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_removing_what_is_not_there_is_no_error(system: MountedSystem) -> None:
    system.remove("/etc/nothing")


def test_digests_are_of_what_is_inside_and_can_be_read(
    system: MountedSystem, outside: Path
) -> None:
    (system.root / "usr/bin").mkdir(parents=True)
    (system.root / "bin").symlink_to("usr/bin")
    (system.root / "usr/bin/tool").write_bytes(b"tool")
    (system.root / "usr/bin/large").write_bytes(bytes(2 * 2**20))
    (system.root / "etc/leak").symlink_to(outside)
    (system.root / "etc/a").symlink_to("/etc/a")
    paths = ["/bin/tool", "/usr/bin/large", "/etc/leak", "/etc/a", "/etc/a/b", "/etc", "/none"]
    assert system.digests(paths, "md5") == {
        "/bin/tool": hashlib.md5(b"tool").hexdigest(),
        "/usr/bin/large": hashlib.md5(bytes(2 * 2**20)).hexdigest(),
    }


def test_interrupt_while_files_are_read_is_not_lost(
    system: MountedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    submit = interrupts.submit

    def interrupted(*args: Any) -> Any:
        call = submit(*args)
        signal.raise_signal(signal.SIGINT)
        return call

    monkeypatch.setattr(interrupts, "submit", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            system.digests(["/none"] * 100, "md5")
    finally:
        signal.signal(signal.SIGINT, before)
