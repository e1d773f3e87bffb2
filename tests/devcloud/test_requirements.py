import re
from pathlib import Path

import pytest

from imagecycle.devcloud.dashboard import installation
from imagecycle.devcloud.install import COMPUTE_REQUIREMENTS, REQUIREMENTS


def pins(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize(
    ("path", "least"),
    [(REQUIREMENTS, 100), (COMPUTE_REQUIREMENTS, 30), (installation.REQUIREMENTS, 90)],
)
def test_every_package_is_pinned_to_one_version(path: Path, least: int) -> None:
    assert len(pins(path)) > least
    for line in pins(path):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+( ; python_version .*)?", line), line


def test_nova_changes_no_package_that_runs_already() -> None:
    def names(path: Path) -> set[str]:
        return {re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower() for pin in pins(path)}

    assert not names(REQUIREMENTS) & names(COMPUTE_REQUIREMENTS)
