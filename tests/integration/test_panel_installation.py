"""The panels in Horizon's environment, as an operator installs and removes them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import imagecycle_dashboard
from imagecycle.devcloud import dashboard
from imagecycle.devcloud.dashboard import installation
from imagecycle.devcloud.layout import CLEAN, Layout
from imagecycle.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.long]

NAME = "imagecycle-dashboard"
_RUNNER = Path(dashboard.__file__).parents[1] / "runners" / "dashboard.py"
_SETTINGS = """\
SECRET_KEY = "of no server"
OPENSTACK_KEYSTONE_URL = "http://127.0.0.1:9/v3"  # nobody logs in
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
WEBROOT = "/"
STATIC_ROOT = "{static}"
COMPRESS_OFFLINE = True
"""


def run(*words: object) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=400,
        cwd="/",
        env={**os.environ, **CLEAN},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(venv: Path) -> set[str]:
    """Without what Python compiles, and what the development cloud leaves there for itself."""
    found = (path for path in venv.rglob("*") if path.is_file())
    kept = (path for path in found if path.suffix != ".pyc" and path.parent != venv)
    return {str(path) for path in kept if venv / "static" not in path.parents}


def test_one_pip_command_installs_them_and_one_removes_all_of_it(tmp_path: Path) -> None:
    layout = Layout.of(Site(home=tmp_path / "home"))
    installation.ensure(layout)
    venv = tmp_path / "horizon"
    subprocess.run(
        ["cp", "--archive", "--reflink=auto", layout.dashboard_venv, venv], check=True, timeout=300
    )
    pip = (venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input")
    run(*pip, "uninstall", "--yes", NAME)
    before, packages = files(venv), set(run(*pip, "freeze").splitlines())
    assert not [path for path in before if "imagecycle" in path.removeprefix(str(venv))]
    ours = Path(imagecycle_dashboard.__file__).parent
    source = shutil.copytree(ours, tmp_path / "source", ignore=shutil.ignore_patterns("*.pyc"))
    run(*pip, "install", source)
    added = set(run(*pip, "freeze").splitlines()) ^ packages
    assert [line.partition(" ")[0] for line in added] == [NAME], "Horizon has all that it needs"
    settings, static = tmp_path / "settings.py", tmp_path / "static"
    settings.write_text(_SETTINGS.format(static=static))
    for words in (("collectstatic", "--noinput"), ("compress", "--force")):
        run(venv / "bin" / "python", _RUNNER, "manage", settings, *words)
    styles = [path.read_text() for path in static.rglob("*.css")]
    assert any(".imagecycle-page" in text for text in styles)
    run(*pip, "uninstall", "--yes", NAME)
    assert files(venv) == before
