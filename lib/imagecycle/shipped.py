"""What is shipped beside the code: the catalog, the job library, the controller's configuration.

In a checkout it stands in the checkout's own folders. An installation has it in
``share/imagecycle``, which pip puts below the environment's prefix and lists in its records.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
IN_CHECKOUT = (CHECKOUT / "scripts" / "imagecycle").is_file()
SHARE = ("share", "imagecycle")


def _share() -> Path:
    try:
        files = importlib.metadata.files("imagecycle") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.parts[-4:-2] == SHARE:
            return Path(file.locate()).resolve().parents[1]
    return Path(sys.prefix, *SHARE)


_ROOT = CHECKOUT if IN_CHECKOUT else _share()

CATALOG = _ROOT / "images"
JOBS = _ROOT / "jobs"
JENKINS = CHECKOUT / "docs" / "jenkins" if IN_CHECKOUT else _ROOT / "jenkins"


def setup(options: str = "") -> str:
    """The way out where the machine lacks something."""
    script = f"scripts/setup {options}".strip()
    return f"run {script}" if IN_CHECKOUT else f"run {script} of a checkout of imagecycle"


SETUP = setup()
