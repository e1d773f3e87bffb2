"""The development cloud's Python environment: Keystone, Glance and the openstack client, pinned.

It is whole when its marker is there, and the marker is written last: an environment that was
begun and not finished is made anew. It sees no system packages, so Debian's cannot disturb it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from imagecycle import command, log
from imagecycle.artifacts import lock_file, write_text
from imagecycle.devcloud.layout import CLEAN, Layout
from imagecycle.errors import CommandFailed, ImagecycleError

PYTHON = Path("/usr/bin/python3")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
COMPUTE_REQUIREMENTS = Path(__file__).with_name("requirements-compute.txt")
COMPUTE = "Nova, Placement, Neutron and Cinder"
_MARKER = "imagecycle-complete"
_COMPUTE_MARKER = "imagecycle-compute-complete"
_IMPORTED = (
    "cheroot.wsgi, keystone.cmd.cli, keystone.server.flask.core, keystone.server.flask.application",
    "glance.cmd.manage, glance.common.wsgi_app, glance.api.v2.router",
)
_VENV_LIMIT = 120.0
_INSTALL_LIMIT = 900.0


def ensure(layout: Layout, *, compute: bool = False) -> None:
    """Make the environment unless it is there and whole; add what Nova needs when asked.

    :raises ImagecycleError: when it cannot be made; nothing of it is left then.
    """
    if is_complete(layout, compute=compute):
        return
    with locked(layout.venv):
        if not is_complete(layout):
            with log.step("installing Keystone and Glance"):
                _make(layout)
        if compute and not is_complete(layout, compute=True):
            with log.step(f"installing {COMPUTE}"):
                pip(layout.venv, "--requirement", COMPUTE_REQUIREMENTS, what=COMPUTE)
                write_text(layout.venv / _COMPUTE_MARKER, digest(compute=True))
                os.sync()


@contextlib.contextmanager
def locked(venv: Path) -> Iterator[None]:
    """Keep others from changing an environment, and what stands beside it; waits for them."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    beside = venv.with_name(venv.name + ".lock")
    what, doing = f"the environment {venv}", "installing the development cloud"
    with lock_file(beside, what, doing, wait=_INSTALL_LIMIT):
        yield


def is_complete(layout: Layout, *, compute: bool = False) -> bool:
    """Whether the environment holds exactly the pinned packages, for the Python of today."""
    try:
        whole = (layout.venv / _MARKER).read_text() == digest() and layout.python.exists()
        if whole and compute:
            return (layout.venv / _COMPUTE_MARKER).read_text() == digest(compute=True)
    except OSError:
        return False
    return whole


def digest(*, compute: bool = False) -> str:
    """What decides over an environment: the pins, and the interpreter it is made from."""
    text = REQUIREMENTS.read_text() + str(PYTHON.resolve())
    if compute:
        text += COMPUTE_REQUIREMENTS.read_text()
    return hashlib.sha256(text.encode()).hexdigest()


def version(venv: Path, package: str) -> str:
    """The installed version of a package; empty when it is not there."""
    folders = [str(path) for path in venv.glob("lib/python3*/site-packages")]
    found = metadata.distributions(name=package, path=folders)
    return next((distribution.version for distribution in found), "")


def _make(layout: Layout) -> None:
    layout.make()  # its log says what went wrong
    with made_anew(layout.venv):
        pip(layout.venv, "--requirement", REQUIREMENTS, what="Keystone and Glance")
        _import_once(layout)
        write_text(layout.venv / _MARKER, digest())
        os.sync()


@contextlib.contextmanager
def made_anew(venv: Path) -> Iterator[None]:
    """An empty environment, to be filled in a ``with`` block; removed when that fails.

    :raises ImagecycleError: when it cannot be made.
    """
    shutil.rmtree(venv, ignore_errors=True)
    try:
        command.run([PYTHON, "-m", "venv", venv], timeout=_VENV_LIMIT, env=CLEAN)
        yield
    except CommandFailed as failed:
        shutil.rmtree(venv, ignore_errors=True)
        raise ImagecycleError(
            f"cannot make the Python environment {venv}: {_last_line(failed.output)}",
            hint="apt-get install python3-venv",
        ) from None
    except BaseException:
        shutil.rmtree(venv, ignore_errors=True)
        raise


def pip(venv: Path, *words: str | Path, what: str) -> None:
    """Install exactly what is named into an environment.

    :param what: in words for people.
    :raises ImagecycleError: when it cannot be installed.
    """
    try:
        command.run(
            [
                *(venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input"),
                *("--disable-pip-version-check", "--timeout", "30", "--retries", "2"),
                # Compiling everything takes longer than all the rest, and most is never imported.
                *("--no-compile", "--no-deps", *words),
            ],
            timeout=_INSTALL_LIMIT,
            env=CLEAN,
            cwd=Path("/"),
        )
    except CommandFailed as failed:
        raise ImagecycleError(
            f"cannot install {what}: {_last_line(failed.output)}",
            hint="check that pip reaches its package index (`pip config list`), and try again",
        ) from None


def _import_once(layout: Layout) -> None:
    """Import the services: this shows that they can be, and compiles what they need."""
    with contextlib.ExitStack() as stack:
        started = [
            (
                words,
                stack.enter_context(
                    command.background(
                        words, output=layout.logs / "install.log", env=CLEAN, cwd=Path("/")
                    )
                ),
            )
            for modules in _IMPORTED
            for words in [[str(layout.python), "-c", f"import {modules}"]]
        ]
        for words, process in started:
            if process.wait(_VENV_LIMIT) != 0:
                raise ImagecycleError(
                    f"what was installed cannot be imported: {words[-1]}",
                    hint=f"read {layout.logs / 'install.log'}",
                )


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["it printed nothing"])[-1].removeprefix("ERROR: ")
