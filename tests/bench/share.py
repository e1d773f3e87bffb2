"""How long the users of an image are locked out while it is shared with many projects.

Glance takes members only while an image is ``shared``, so that is the time from this change to the
last member. Beside it stand the same calls one after another, through python-glanceclient on one
session. Both once as they are, and once with a network in between: every call is held up by
:data:`DELAY` seconds on its way, on this side, in the same way for both.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import glanceclient
import requests

from bench.table import Row
from imagecycle import devcloud
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.devcloud import install
from imagecycle.devcloud.layout import VENV_VARIABLE, Layout
from imagecycle.site import Site

PROJECTS = 500
TURNS = 3
DELAY = 0.05


def rows(site: Site, scratch: Path) -> list[Row]:
    """Measure in a development cloud of its own below ``scratch``, which is removed again.

    :param site: its development cloud lends the installed packages, nothing else.
    """
    install.ensure(Layout.of(site))
    own = Site(home=scratch / "share")
    lent = {
        VENV_VARIABLE: str(Layout.of(site).venv),
        "OS_CLIENT_CONFIG_FILE": str(own.home / "devcloud" / "clouds.yaml"),
    }
    with mock.patch.dict(os.environ, lent):
        try:
            devcloud.start(own)
            cloud = open_cloud("devcloud", own)
            found = [_row(cloud, 0)]
            with _delayed(DELAY):
                return [*found, _row(cloud, DELAY)]
        finally:
            devcloud.stop(own, purge=True)
            shutil.rmtree(own.home, ignore_errors=True)


def _row(cloud: CloudSession, delay: float) -> Row:
    ours, theirs = [], []
    for _ in range(TURNS if not delay else 1):
        theirs.append(_timed(cloud, _one_by_one))
        ours.append(_timed(cloud, _at_once))
    mine, reference = statistics.median(ours), statistics.median(theirs)
    way = f", {delay * 1000:.0f} ms away" if delay else ""
    return Row(
        f"sharing with {PROJECTS} projects{way}",
        mine,
        "s",
        reference,
        mine / reference,
        "at most 0.25",
        "from the change to shared until all are members, against the same calls one after "
        f"another through python-glanceclient; medians of {TURNS} in turns, the delayed ones once",
    )


def _timed(cloud: CloudSession, share: Callable[[CloudSession, str, Sequence[str]], None]) -> float:
    glance = Glance(cloud)
    fields = {"name": "bench", "container_format": "bare", "disk_format": "raw"}
    image = glance.create({**fields, "visibility": "public"})
    try:
        glance.upload(image.id, io.BytesIO(b"data"), 4, lambda _: None)
        projects = [uuid.uuid4().hex for _ in range(PROJECTS)]
        began = time.monotonic()
        share(cloud, image.id, projects)
        seconds = time.monotonic() - began
        assert len(glance.members(image.id)) == PROJECTS
    finally:
        glance.delete(image.id)
    return seconds


def _at_once(cloud: CloudSession, image: str, projects: Sequence[str]) -> None:
    glance = Glance(cloud)
    glance.change(image, {"visibility": "shared"})
    glance.add_members(image, projects)


def _one_by_one(cloud: CloudSession, image: str, projects: Sequence[str]) -> None:
    client: Any = glanceclient.Client("2", session=cloud.session)
    client.images.update(image, visibility="shared")
    for project in projects:
        client.image_members.create(image, project)


@contextlib.contextmanager
def _delayed(seconds: float) -> Iterator[None]:
    """Hold up every request that is sent from here."""
    send = requests.Session.send

    def late(self: requests.Session, request: Any, **more: Any) -> requests.Response:
        time.sleep(seconds)
        return send(self, request, **more)

    with mock.patch.object(requests.Session, "send", late):
        yield
