"""What installs a family: Oz by itself, or ImageFactory, which drives Oz."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import imagecycle
from imagecycle import command
from imagecycle.errors import CommandFailed, ImagecycleError, UsageError
from imagecycle.model import Family
from imagecycle.site import Site

NAME = "imagefactory"
"""As a builder in catalog and settings, and as a program"""
HOME_VARIABLE = "IMAGEFACTORY_HOME"
LIBRARIES = {
    "libxml2": "python3-libxml2",
    "httplib2": "python3-httplib2",
    "zope.interface": "python3-zope.interface",
}
"""What it imports, and Debian's packages of it"""
PROCESS = "imagecycle.build.imagefactory_process"
OURS = {"PYTHONPATH": str(Path(imagecycle.__file__).parents[1])}
"""The environment in which another process finds that module"""
_LIMIT = 60.0


def chosen(family: Family, site: Site) -> bool:
    """Whether ImageFactory installs a family; Windows is always left to Oz."""
    return family.windows is None and (family.builder or site.builder) == NAME


def title(family: Family, site: Site) -> str:
    """The builder of a family, for people."""
    return "ImageFactory" if chosen(family, site) else "Oz"


def find() -> Path:
    """The copy of ImageFactory's source.

    :raises UsageError: when there is none.
    """
    named = os.environ.get(HOME_VARIABLE, "")
    hint = f"{HOME_VARIABLE} names a copy of its public source; see docs/imagefactory.rst"
    if not named:
        raise UsageError("ImageFactory is to build, and is not configured", hint=hint)
    home = Path(named)
    if not (home / NAME).is_file():
        raise UsageError(f"there is no ImageFactory in {home}", hint=hint)
    return home.resolve()


def version() -> str:
    """What the copy calls itself.

    :raises UsageError: when there is no copy.
    :raises ImagecycleError: when it does not start, naming what is missing.
    """
    home = find()
    imports = f"import {', '.join(LIBRARIES)}"
    try:
        command.run([sys.executable, "-c", imports], timeout=_LIMIT)
        asked: list[str | Path] = [sys.executable, "-m", PROCESS, home, "--version"]
        said = command.run(asked, timeout=_LIMIT, env=OURS)
    except CommandFailed as error:
        last = error.output.strip().splitlines()[-1:] or ["it printed nothing"]
        raise ImagecycleError(
            f"ImageFactory in {home} does not start: {last[0]}",
            hint=f"install Debian's {', '.join(LIBRARIES.values())} and oz",
        ) from None
    return said.stdout.strip()
