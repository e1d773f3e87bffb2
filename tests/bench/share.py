"""How long the users of an image are locked out while it is shared with many projects.

Glance takes members only while an image is ``shared``. ``imagecycle retire`` adds many at once, in
several windows with pauses: measured are the longest of them, which is how long a user is locked
out at a time, and all together. Beside it stand the same calls one after another in one window,
through python-glanceclient on one session. Both once as they are, and once with a network in
between: every call is held up by :data:`DELAY` seconds on its way, on this side, in the same way
for both.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import glanceclient
import requests

from bench import own_cloud
from bench.table import Row
from imagecycle import devcloud
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.lifecycle import sharing
from imagecycle.lifecycle.audit import AuditLog
from imagecycle.lifecycle.guarded_images import GuardedImages
from imagecycle.lifecycle.steps import Share
from imagecycle.model import Usage
from imagecycle.site import Site

PROJECTS = 500
TURNS = 3
DELAY = 0.05


def rows(site: Site, scratch: Path) -> list[Row]:
    """Measure in a development cloud of its own below ``scratch``, which is removed again.

    :param site: its development cloud lends the installed packages, nothing else.
    """
    with own_cloud.prepared(site, scratch / "share") as own:
        devcloud.start(own)
        cloud = open_cloud("devcloud", own)
        audit = AuditLog(own.home / "audit.jsonl", "bench", "sharing")
        found = _rows(cloud, audit, 0)
        with _delayed(DELAY):
            return [*found, *_rows(cloud, audit, DELAY)]


def _rows(cloud: CloudSession, audit: AuditLog, delay: float) -> list[Row]:
    longest, together, reference = [], [], []
    for _ in range(TURNS if not delay else 1):
        with _public_image(cloud) as (image, projects):
            reference.append(_one_by_one(cloud, image, projects))
        with _public_image(cloud) as (image, projects):
            windows = _as_retire_does(cloud, audit, image, projects)
        longest.append(max(windows))
        together.append(sum(windows))
    least = statistics.median(reference)
    way = f", {delay * 1000:.0f} ms away" if delay else ""
    how = (
        f"{len(windows)} windows of at most about {sharing.WINDOW} s, against the same calls one "
        f"after another through python-glanceclient; medians of {TURNS} in turns, the delayed ones "
        "once"
    )

    def row(name: str, seconds: Sequence[float], target: str) -> Row:
        median = statistics.median(seconds)
        title = f"{name}, {PROJECTS} projects{way}"
        return Row(title, median, "s", least, median / least, target, how)

    return [
        row("locked out at a time", longest, "at most 0.25"),
        row("all windows together", together, ""),
    ]


@contextlib.contextmanager
def _public_image(cloud: CloudSession) -> Iterator[tuple[str, list[str]]]:
    """An image, and projects that it shall be shared with; all of them are members at the end."""
    glance = Glance(cloud)
    fields = {"name": "bench", "container_format": "bare", "disk_format": "raw"}
    image = glance.create({**fields, "visibility": "public"})
    try:
        glance.upload(image.id, io.BytesIO(b"data"), 4, lambda _: None)
        projects = [uuid.uuid4().hex for _ in range(PROJECTS)]
        yield image.id, projects
        assert len(glance.members(image.id)) == PROJECTS
    finally:
        glance.delete(image.id)


def _as_retire_does(
    cloud: CloudSession, audit: AuditLog, image: str, projects: Sequence[str]
) -> tuple[float, ...]:
    """The seconds of each window."""
    glance = Glance(cloud)
    shared, public = {"visibility": "shared"}, {"visibility": "public"}
    step = Share(image, "shared", first=shared, members=tuple(projects), back=public)
    nobody = Usage(datetime.datetime.now(datetime.UTC), {}, with_volumes=False)
    run = GuardedImages(glance, audit, [glance.image(image)], usage=lambda _: nobody)
    return sharing.share(step, run).seconds


def _one_by_one(cloud: CloudSession, image: str, projects: Sequence[str]) -> float:
    """The seconds of the one window."""
    client: Any = glanceclient.Client("2", session=cloud.session)
    began = time.monotonic()
    client.images.update(image, visibility="shared")
    for project in projects:
        client.image_members.create(image, project)
    return time.monotonic() - began


@contextlib.contextmanager
def _delayed(seconds: float) -> Iterator[None]:
    """Hold up every request that is sent from here."""
    send = requests.Session.send

    def late(self: requests.Session, request: Any, **more: Any) -> requests.Response:
        time.sleep(seconds)
        return send(self, request, **more)

    with mock.patch.object(requests.Session, "send", late):
        yield
