"""Looking at the files of a disk that does not run."""

from pathlib import Path

import pytest

from imagecycle.build.offline import MountedSystem
from imagecycle.errors import ImagecycleError
from imagecycle.systems.debian import Debian
from imagecycle.verify import pristine
from imagecycle.verify.pristine import Pristine


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "etc/cron.d").mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    (root / "usr/bin/dash").write_text("shell")
    (root / "usr/bin/sh").symlink_to("dash")
    (root / "etc/shell").symlink_to("/bin/sh")
    (root / "etc/circle").symlink_to("/etc/circle")
    (root / "etc/outside").symlink_to("../../../../usr/bin/dash")
    (root / "etc/cron.d/job").write_text("")
    return root


@pytest.fixture
def disk(root: Path) -> Pristine:
    return Pristine(MountedSystem(root), Debian(), root)


@pytest.mark.parametrize("path", ["/etc/shell", "/bin/sh", "/etc/outside", "/usr/bin/dash"])
def test_links_are_followed_inside_the_system(disk: Pristine, path: str) -> None:
    assert disk.resolved(path) == "/usr/bin/dash"
    assert disk.text(path) == "shell"


@pytest.mark.parametrize("path", ["/etc/missing", "/etc", "/etc/circle"])
def test_what_is_no_file_has_no_content(disk: Pristine, path: str) -> None:
    assert disk.read(path) == b""


def test_a_path_over_a_linked_folder_is_the_real_one(disk: Pristine) -> None:
    assert disk.canonical("/bin/sh") == "/usr/bin/sh"
    assert disk.canonical("/bin") == "/bin"
    assert disk.canonical("/.") == "/"


def test_folders_are_not_found_but_all_else_below_them(disk: Pristine) -> None:
    assert disk.found("/etc/cron*/**", "/etc/shell", "/etc/none") == [
        "/etc/cron.d/job",
        "/etc/shell",
    ]
    assert disk.found("/etc/cron*", "/etc/cron.d") == []


def test_empty_files_and_links_are_not_filled(disk: Pristine) -> None:
    assert disk.filled("/etc/**") == []
    assert disk.filled("/usr/**") == ["/usr/bin/dash"]


def test_permissions_and_targets_are_seen(disk: Pristine, root: Path) -> None:
    (root / "usr/bin/dash").chmod(0o4751)
    assert disk.entries["/usr/bin/dash"].mode == 0o4751
    assert disk.entries["/usr/bin/sh"].target == "dash"


def test_a_disk_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "disk.qcow2").write_text("nothing")
    with (
        pytest.raises(ImagecycleError),
        pristine.opened(tmp_path / "disk.qcow2", tmp_path, Debian()),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["disk.qcow2"]
