"""A development cloud of a benchmark's own."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from imagecycle import devcloud
from imagecycle.devcloud import install
from imagecycle.devcloud.layout import VENV_VARIABLE, Layout
from imagecycle.site import Site


@contextlib.contextmanager
def prepared(site: Site, home: Path) -> Iterator[Site]:
    """A site whose development cloud can be started, and is removed after the ``with`` block.

    :param site: its development cloud lends the installed packages, nothing else.
    :param home: of the other site; it is removed too.
    """
    install.ensure(Layout.of(site))
    own = Site(home=home)
    lent = {
        VENV_VARIABLE: str(Layout.of(site).venv),
        "OS_CLIENT_CONFIG_FILE": str(own.home / "devcloud" / "clouds.yaml"),
    }
    with mock.patch.dict(os.environ, lent):
        try:
            yield own
        finally:
            devcloud.stop(own, purge=True)
            shutil.rmtree(own.home, ignore_errors=True)
