"""What differs between two builds is found, and told apart from what may differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from imagecycle import systems
from imagecycle.build.offline import MountedSystem
from imagecycle.verify.pristine import Pristine
from imagecycle.verify.repeatability import differences
from sabotages.table import link, mode, put, remove

DEBIAN = systems.linux("debian")
DOCUMENT = Path(__file__).parents[2] / "docs/images.rst"
ONE, OTHER = "0b7a7e3e-95b8-4a1c-9a0b-1c8b5c9f4d21", "9d1f5a77-2c40-4f0e-8f51-6f2f3e2b8a10"
Deed = Callable[[Path], None]


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    made = tmp_path / "first", tmp_path / "second"
    for root, uuid in zip(made, (ONE, OTHER), strict=True):
        put("/etc/fstab", f"UUID={uuid} / ext4 defaults 0 1\n")(root)
        put("/boot/initrd.img-6.1.0", f"made {uuid[:2]}")(root)
        put("/usr/bin/program")(root)
    return made


def compared(roots: tuple[Path, Path]) -> list[str]:
    first, second = (Pristine(MountedSystem(root), DEBIAN, root) for root in roots)
    return [f"{one.path}: {one.what}" for one in differences(first, second) if not one.reason]


def test_what_may_differ_is_named_with_its_reason(roots: tuple[Path, Path]) -> None:
    first, second = (Pristine(MountedSystem(root), DEBIAN, root) for root in roots)
    assert [str(one) for one in differences(first, second)] == [
        "/boot/initrd.img-6.1.0: content: it holds the times at which it was made",
        "/etc/fstab: identifiers: it names the file systems, which are made anew",
    ]


@pytest.mark.parametrize(
    ("deed", "found"),
    [
        (put("/usr/bin/program", "other"), "/usr/bin/program: content"),
        (put("/usr/bin/program", f"{ONE}\n"), "/usr/bin/program: content"),
        (put("/usr/bin/other"), "/usr/bin/other: only in the second"),
        (remove("/usr/bin/program"), "/usr/bin/program: only in the first"),
        (mode("/usr/bin/program", 0o755), "/usr/bin/program: mode"),
        (link("/usr/bin/program", "x"), "/usr/bin/program: kind"),
        (put("/etc/fstab", f"UUID={OTHER} / ext4 noauto 0 1\n"), "/etc/fstab: content"),
    ],
)
def test_anything_else_is_not_expected(roots: tuple[Path, Path], deed: Deed, found: str) -> None:
    deed(roots[1])
    assert compared(roots) == [found]


def test_the_documentation_lists_what_may_differ() -> None:
    text = DOCUMENT.read_text()
    assert [rule.path for rule in DEBIAN.varying if f"``{rule.path}``" not in text] == []
