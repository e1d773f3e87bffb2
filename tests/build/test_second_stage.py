"""What is done for a root file system of another architecture before its machine starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imagecycle.build import second_stage
from imagecycle.errors import ImagecycleError
from imagecycle.machine import platforms

PREINST = "#!/bin/sh\nexit 1\n"
CONTROL = """\
Package: {name}
Version: 1
Architecture: {architecture}
Priority: {priority}
Maintainer: Nobody <nobody@example.com>
Description: for a test
{more}"""


def package(
    folder: Path,
    name: str,
    *,
    architecture: str = "all",
    priority: str = "optional",
    more: str = "",
    preinst: str = "",
) -> None:
    """Make a real package with one file, compressed as Debian's are."""
    tree = folder.parent / f"{name}-tree"
    (tree / "DEBIAN").mkdir(parents=True)
    text = CONTROL.format(name=name, architecture=architecture, priority=priority, more=more)
    (tree / "DEBIAN/control").write_text(text)
    (tree / f"of-{name}").write_text(name * 1000)
    if preinst:
        (tree / "DEBIAN/preinst").write_text(preinst)
        (tree / "DEBIAN/preinst").chmod(0o755)
    deb = folder / f"{name}_1_all.deb"
    argv = ["dpkg-deb", "-Zxz", "--root-owner-group", "--build", str(tree), str(deb)]
    subprocess.run(argv, check=True, capture_output=True, timeout=30)


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    folder = tmp_path / "stage"
    (folder / second_stage.PACKAGES).mkdir(parents=True)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder in which mmdebstrap has unpacked nothing."""
    for name in ("apt", "dpkg/info", "dpkg/updates"):
        (tmp_path / "root/var/lib" / name).mkdir(parents=True)
    (tmp_path / "root/var/lib/dpkg/status").touch()
    return tmp_path / "root"


def status(root: Path, name: str) -> str:
    argv = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f${db:Status-Abbrev}", name]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


def test_packages_are_unpacked_here_and_their_scripts_left_to_the_machine(
    root: Path, stage: Path
) -> None:
    folder = stage / second_stage.PACKAGES
    package(folder, "alone")
    package(folder, "another", preinst=PREINST)
    package(folder, "base-passwd", preinst=PREINST)
    shared = "Multi-Arch: same\nPre-Depends: absent\n"
    package(folder, "shared", architecture="arm64", more=shared, preinst=PREINST)
    second_stage.prepare("arm64", root, stage, ["alone"], ["a.service"])
    assert (root / "of-alone").read_text() == "alone" * 1000
    assert status(root, "alone") == "iU"  # wanted, unpacked
    assert status(root, "shared:arm64") == "iU"
    info = "var/lib/dpkg/info"
    assert (stage / "preinst").read_text() == (
        f"base-passwd all /{info}/base-passwd.preinst\n"
        f"another all /{info}/another.preinst\n"
        f"shared arm64 /{info}/shared:arm64.preinst\n"
    )
    kept = root / info / "shared:arm64.preinst"
    assert kept.read_text() == PREINST
    assert kept.stat().st_mode & 0o777 == 0o755
    assert not folder.exists()
    assert (stage / "services").read_text() == "a.service\n"
    assert (stage / "second-stage").read_text().startswith("#!/bin/sh")


def test_what_nobody_asked_for_is_recorded_as_apt_records_it(root: Path, stage: Path) -> None:
    folder = stage / second_stage.PACKAGES
    for name, about in {
        "wanted": {},
        "needed": {},
        "base": {"priority": "required"},
        "core": {"more": "Essential: yes\n"},
    }.items():
        package(folder, name, **about)
    second_stage.prepare("arm64", root, stage, ["wanted"], [])
    record = (root / "var/lib/apt/extended_states").read_text()
    assert record == "Package: needed\nArchitecture: arm64\nAuto-Installed: 1\n\n"


def test_python_is_compiled_where_this_machine_has_the_same(root: Path, stage: Path) -> None:
    own = f"python3.{sys.version_info.minor}"
    module = root / "usr/lib" / own / "module.py"
    module.parent.mkdir(parents=True)
    module.write_text("def f():\n    raise ValueError\n")
    package(stage / second_stage.PACKAGES, "alone")
    second_stage.prepare("arm64", root, stage, [], [])
    (compiled,) = (module.parent / "__pycache__").iterdir()
    assert f"/usr/lib/{own}/module.py".encode() in compiled.read_bytes()
    assert (stage / "compiled").exists()


def test_another_python_is_left_to_the_machine_that_has_it(root: Path, stage: Path) -> None:
    module = root / "usr/lib/python3.99/module.py"
    module.parent.mkdir(parents=True)
    module.write_text("pass\n")
    package(stage / second_stage.PACKAGES, "alone")
    second_stage.prepare("arm64", root, stage, [], [])
    assert not (module.parent / "__pycache__").exists()
    assert not (stage / "compiled").exists()


def test_modules_go_in_after_those_that_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lib/modules/6.1"
    folder.mkdir(parents=True)
    (folder / "modules.dep").write_text(
        "kernel/fs/ext4.ko.xz: kernel/fs/jbd2.ko.xz kernel/lib/crc16.ko.xz\n"
        "kernel/fs/jbd2.ko.xz:\nkernel/lib/crc16.ko.xz:\nkernel/virtio_blk.ko:\n"
    )
    monkeypatch.setattr(second_stage.command, "run", lambda *_, **__: None)
    names = [path.name for path in second_stage._modules(tmp_path, "6.1")]
    assert names == ["virtio_blk.ko", "crc16.ko.xz", "jbd2.ko.xz", "ext4.ko.xz"]


def test_a_second_stage_that_fails_is_told_with_its_last_words(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "boot").mkdir()
    (root / "boot/vmlinuz-6.1").touch()
    monkeypatch.setattr(second_stage, "_write_initrd", lambda *_: None)

    def emulate(argv: list[str], **_: object) -> None:
        assert argv[0] == "qemu-system-aarch64"
        assert "virt" in argv
        (tmp_path / "second-stage.log").write_text("dpkg: error\nsecond stage: FAILED\n")

    monkeypatch.setattr(second_stage.command, "run", emulate)
    with pytest.raises(ImagecycleError, match=r"for aarch64\n  \| dpkg: error\n") as caught:
        second_stage.run(platforms.of("aarch64"), root, tmp_path / "a", tmp_path / "b")
    assert caught.value.hint
