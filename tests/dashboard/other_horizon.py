"""Environments with earlier releases of Horizon, which the panels shall work in too."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from imagecycle import command
from imagecycle.artifacts import write_text
from imagecycle.devcloud import install
from imagecycle.devcloud.dashboard import installation
from imagecycle.devcloud.layout import CLEAN, Layout

RELEASES = ("26.0.0", "25.7.3")
"""The two before the development cloud's, the newest of each line"""
_LIMIT = 900.0
_MARKER = "imagecycle-complete"


def ensure(layout: Layout, release: str) -> Layout:
    """A layout with that release of Horizon: its environment is kept beside the current one's."""
    other = dataclasses.replace(layout, venv=layout.venv.with_name(f"{layout.venv.name}-{release}"))
    venv = other.dashboard_venv
    other.make()
    with install.locked(venv):
        if not (venv / _MARKER).exists():
            with install.made_anew(venv):
                _install(venv, release)
                # the panels are installed as into the current one
                write_text(venv / _MARKER, installation._packages())
    return other


def _install(venv: Path, release: str) -> None:
    """With the versions of the pinned packages, as far as that Horizon takes them."""
    pins = installation.REQUIREMENTS.read_text().splitlines()
    others = [pin for pin in pins if not pin.startswith(("horizon==", "oslo.policy=="))]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(others))
        constraints.flush()
        pip = [venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input"]
        pip += ["--disable-pip-version-check", "--no-compile", "--constraint", constraints.name]
        # with oslo.policy 6.0 these Horizons refuse what they allow with 4.8
        what = [f"horizon=={release}", "oslo.policy<5", "cheroot", "setuptools"]
        command.run([*pip, *what], timeout=_LIMIT, env=CLEAN, cwd=Path("/"))
