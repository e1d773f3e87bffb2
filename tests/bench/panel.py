"""How long Horizon takes for the pages of the panel in a large cloud, and what it asks Glance for.

The images are rows in the database of a real Glance of the development cloud. Servers and flavors
come from a stand-in. Horizon answers in one process, without a web server before it.
"""

from __future__ import annotations

import dataclasses
import datetime
import sqlite3
import statistics
import uuid
from collections.abc import Iterator
from pathlib import Path

from bench import own_cloud
from bench.table import Row
from dashboard import horizon_pages, small_cloud
from dashboard.documents import document
from dashboard.horizon_pages import Answer, Pages
from imagecycle import devcloud
from imagecycle.cloud.session import open_cloud
from imagecycle.devcloud.layout import Layout, load_identity
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site
from integration import proxy

FAMILIES = 400
RELEASES = 15
"""Of each family; one of them is current"""
OTHERS = 4_000
SERVERS = 2_000
TURNS = 5
_FAMILY = "debian-12-x86_64-server"
_FIELDS = {
    *("id", "name", "size", "status", "created_at", "owner", "min_disk", "min_ram"),
    *("visibility", "os_hidden", "os_hash_algo", "os_hash_value"),
}
_PAGES = {
    "first page": "project/operating_systems/",
    "a search": "project/operating_systems/?q=debian",
    "a family": f"project/operating_systems/family/{_FAMILY}",
    "My servers": "project/operating_systems/servers",
}
_HOW = (
    f"{FAMILIES * RELEASES + OTHERS:,} images of {FAMILIES} families in a real Glance, "
    f"{SERVERS:,} servers from a stand-in; medians of {TURNS} after a first one"
)


def rows(site: Site, scratch: Path) -> list[Row]:
    """The time of each page, and its requests to Glance, in a development cloud below ``scratch``.

    :param site: its development cloud lends the installed packages, nothing else.
    """
    with own_cloud.prepared(site, scratch / "panel") as own:
        devcloud.start(own)
        return _rows(own)


def _rows(own: Site) -> list[Row]:
    layout = Layout.of(own)
    identity = load_identity(layout)
    assert identity is not None
    user = open_cloud("devcloud-demo", own)
    project = str(user.session.get_project_id())
    images = _fill(layout.data / "glance.sqlite", project)
    cloud = small_cloud.SmallCloud(servers=_servers(images), flavors=_flavors())
    with (
        proxy.running(identity.ports["glance"]) as glance,
        small_cloud.serving(cloud),
        horizon_pages.running(layout, own.home) as started,
    ):
        addresses = {"identity": identity.url("keystone"), "image": glance.url}
        addresses["compute"] = cloud.services["compute"]
        token = str(user.session.get_token())
        pages = dataclasses.replace(started, services=addresses, token=token, project=project)
        found = []
        for name, path in _PAGES.items():
            _seen(pages, path)  # templates are read at first
            glance.forget()
            seconds = [_seen(pages, path).seconds for _ in range(TURNS)]
            asked = len(glance.requests()) / TURNS
            target = "at most 2.00" if name == "first page" else ""
            found.append(
                Row(f"panel, {name}", statistics.median(seconds), "s", None, None, target, _HOW)
            )
            found.append(Row("its requests to Glance", asked, "", None, None, "at most 3", _HOW))
        return found


def _seen(pages: Pages, path: str) -> Answer:
    answer = pages.see(path)
    if answer.status != 200 or "is not complete" in answer.text:
        raise ImagecycleError(f"{path} was not shown", hint=answer.text[:500] or answer.raised)
    return answer


def _fill(database: Path, project: str) -> list[str]:
    """Put the images into Glance's database; returns the ids of the releases."""
    images = list(_images(project))
    properties = [
        (image["id"], name, value)
        for image in images
        for name, value in image.items()
        if name not in _FIELDS and isinstance(value, str) and name != "stores"
    ]
    with sqlite3.connect(database, timeout=60) as connection:
        names = sorted(_FIELDS)
        connection.executemany(
            f"INSERT INTO images ({', '.join(names)}, updated_at, disk_format, container_format,"
            f" protected, deleted) VALUES ({', '.join(f':{name}' for name in names)}, :created_at,"
            " 'qcow2', 'bare', 0, 0)",
            images,
        )
        connection.executemany(
            "INSERT INTO image_properties (image_id, name, value, created_at, deleted)"
            " VALUES (?, ?, ?, '2026-11-22 13:00:00', 0)",
            properties,
        )
    connection.close()
    return [str(image["id"]) for image in images[: FAMILIES * RELEASES]]


def _images(project: str) -> Iterator[dict[str, object]]:
    names = [_FAMILY, *(f"system{n // 8}-{n % 8 + 1}-x86_64-server" for n in range(1, FAMILIES))]
    day = datetime.date(2026, 11, 22)
    for family in names:
        distro, version, *_ = family.split("-")
        for number in range(RELEASES):
            built = day - datetime.timedelta(days=90 * number)
            state = "current" if number == 0 else "superseded" if number < 3 else "retired"
            yield _image(
                built,
                imagecycle_family=family,
                imagecycle_release=f"{built:%Y%m%d}",
                imagecycle_state=state,
                image_description=f"{distro.capitalize()} {version} Server: what is expected",
                os_distro=distro,
                os_version=version,
                visibility="shared" if state == "retired" else "public",
                os_hidden=state != "current",
            )
    for number in range(OTHERS):
        built = day - datetime.timedelta(days=number % 1000)
        whose = (
            {"visibility": "public"} if number % 2 else {"visibility": "private", "owner": project}
        )
        yield _image(built, of_nobody=True, name=f"image {number}", **whose)


def _image(built: datetime.date, **changes: object) -> dict[str, object]:
    found = document(1, **changes)  # type: ignore[arg-type]
    found["id"] = str(uuid.uuid4())
    if "imagecycle_image_id" in found:
        found["imagecycle_image_id"] = found["id"]
    return {**found, "created_at": f"{built} 13:00:00"}


def _servers(images: list[str]) -> list[dict[str, object]]:
    about = {"status": "ACTIVE", "addresses": {}, "links": [], "flavor": {"id": "1"}}
    return [
        {
            **about,
            "id": str(uuid.uuid4()),
            "name": f"s{n}",
            "image": {"id": images[n % len(images)]},
        }
        for n in range(SERVERS)
    ]


def _flavors() -> list[dict[str, object]]:
    return [
        {"id": str(n), "name": f"flavor{n}", "vcpus": n, "ram": 512 * n, "disk": 5 * n}
        for n in range(1, 30)
    ]
