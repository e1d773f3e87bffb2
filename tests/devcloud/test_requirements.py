import re

from imagecycle.devcloud.install import REQUIREMENTS


def test_every_package_is_pinned_to_one_version() -> None:
    lines = [
        line
        for line in REQUIREMENTS.read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert len(lines) > 100
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+( ; python_version .*)?", line), line
