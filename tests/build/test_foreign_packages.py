"""What is done with the packages of another architecture before their machine starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imagecycle.build import foreign_packages

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
    (folder / foreign_packages.PACKAGES).mkdir(parents=True)
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
    folder = stage / foreign_packages.PACKAGES
    package(folder, "alone")
    package(folder, "another", preinst=PREINST)
    package(folder, "base-passwd", preinst=PREINST)
    shared = "Multi-Arch: same\nPre-Depends: absent\n"
    package(folder, "shared", architecture="arm64", more=shared, preinst=PREINST)
    foreign_packages.prepare("arm64", root, stage, ["alone"], ["a.service"])
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
    folder = stage / foreign_packages.PACKAGES
    for name, about in {
        "wanted": {},
        "needed": {},
        "base": {"priority": "required"},
        "core": {"more": "Essential: yes\n"},
    }.items():
        package(folder, name, **about)
    foreign_packages.prepare("arm64", root, stage, ["wanted"], [])
    record = (root / "var/lib/apt/extended_states").read_text()
    assert record == "Package: needed\nArchitecture: arm64\nAuto-Installed: 1\n\n"


def test_python_is_compiled_where_this_machine_has_the_same(root: Path, stage: Path) -> None:
    own = f"python3.{sys.version_info.minor}"
    module = root / "usr/lib" / own / "module.py"
    module.parent.mkdir(parents=True)
    module.write_text("def f():\n    raise ValueError\n")
    package(stage / foreign_packages.PACKAGES, "alone")
    foreign_packages.prepare("arm64", root, stage, [], [])
    (compiled,) = (module.parent / "__pycache__").iterdir()
    assert f"/usr/lib/{own}/module.py".encode() in compiled.read_bytes()
    assert (stage / "compiled").exists()


def test_another_python_is_left_to_the_machine_that_has_it(root: Path, stage: Path) -> None:
    module = root / "usr/lib/python3.99/module.py"
    module.parent.mkdir(parents=True)
    module.write_text("pass\n")
    package(stage / foreign_packages.PACKAGES, "alone")
    foreign_packages.prepare("arm64", root, stage, [], [])
    assert not (module.parent / "__pycache__").exists()
    assert not (stage / "compiled").exists()
