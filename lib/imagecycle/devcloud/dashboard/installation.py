"""Horizon's environment: its pinned packages, imagecycle's panels, and its static files.

The panels come in with pip, as an operator installs them. When they alone have changed, they are
installed again, and the packages stay.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from imagecycle import command, log
from imagecycle.artifacts import write_text
from imagecycle.devcloud import install
from imagecycle.devcloud.layout import CLEAN, Layout
from imagecycle.errors import CommandFailed, ImagecycleError

REQUIREMENTS = Path(__file__).parents[1] / "requirements-dashboard.txt"
PANELS = Path(__file__).parents[3] / "imagecycle_dashboard"
_RUNNER = Path(__file__).parents[1] / "runners" / "dashboard.py"
_MARKER = "imagecycle-complete"
_PANELS_MARKER = "imagecycle-panels-complete"
_PREPARATION_LIMIT = 300.0
_STATIC_SETTINGS = """\
DEBUG = False
WEBROOT = "/"
STATIC_ROOT = "{static}"
COMPRESS_ENABLED = True
AVAILABLE_THEMES = [("default", "Default", "themes/default")]
"""


def settings(layout: Layout) -> str:
    """What Horizon has to be told of the installation, as lines of its settings."""
    return _STATIC_SETTINGS.format(static=_static(layout))


def is_complete(layout: Layout) -> bool:
    """Whether it holds exactly the pinned packages, and the panels of today."""
    return _has(layout, _MARKER, _packages()) and _has(layout, _PANELS_MARKER, _panels())


def ensure(layout: Layout) -> None:
    """Make the environment unless it is there and whole.

    :raises ImagecycleError: when it cannot be made; no half of it is used then.
    """
    venv = layout.dashboard_venv
    layout.make()  # its log says what went wrong
    with install.locked(venv):
        if not _has(layout, _MARKER, _packages()):
            with log.step("installing Horizon"), install.made_anew(venv):
                install.pip(venv, "--requirement", REQUIREMENTS, what="Horizon")
                write_text(venv / _MARKER, _packages())
        if not _has(layout, _PANELS_MARKER, _panels()):
            with log.step("installing the panels in Horizon"):
                _install_panels(layout)
                write_text(venv / _PANELS_MARKER, _panels())
        os.sync()


def _install_panels(layout: Layout) -> None:
    venv = layout.dashboard_venv
    (venv / _PANELS_MARKER).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="imagecycle-panels-") as scratch:
        # setuptools writes beside what it packs
        source = shutil.copytree(PANELS, Path(scratch) / "panels", ignore=_ignored)
        how = ("--no-build-isolation", "--force-reinstall")
        install.pip(venv, *how, source, what="the panels")
        shutil.rmtree(_static(layout), ignore_errors=True)
        own = Path(scratch) / "settings.py"
        own.write_text(f"SECRET_KEY = 'of no server'\n{settings(layout)}")
        _manage(layout, own, ["collectstatic", "--noinput"])


def _manage(layout: Layout, own: Path, words: list[str]) -> None:
    output = layout.logs / "install.log"
    python = layout.dashboard_venv / "bin" / "python"
    try:
        command.run(
            [python, _RUNNER, "manage", own, *words],
            timeout=_PREPARATION_LIMIT,
            output=output,
            env=CLEAN,
            cwd=Path("/"),
        )
    except CommandFailed as failed:
        raise ImagecycleError(
            f"cannot prepare Horizon's static files: {failed.message}", hint=f"read {output}"
        ) from None


def _has(layout: Layout, marker: str, digest: str) -> bool:
    try:
        return (layout.dashboard_venv / marker).read_text() == digest
    except OSError:
        return False


def _packages() -> str:
    """What decides over the packages: the pins, and the interpreter."""
    text = REQUIREMENTS.read_text() + str(install.PYTHON.resolve())
    return hashlib.sha256(text.encode()).hexdigest()


def _panels() -> str:
    """What decides over the panels: their files, and how their static files are made."""
    digest = hashlib.sha256(_STATIC_SETTINGS.encode())
    for path in sorted(PANELS.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(PANELS)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _ignored(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__" or name.endswith(".egg-info")]


def _static(layout: Layout) -> Path:
    return layout.dashboard_venv / "static"
