"""``imagecycle site``: write what a cloud offers as a folder of files."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from collections.abc import Collection as Ids
from dataclasses import dataclass
from pathlib import Path

from imagecycle import log
from imagecycle.artifacts import lock_file
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.errors import UsageError
from imagecycle.lifecycle import policies, upload_records
from imagecycle.metadata import identity
from imagecycle.model import State
from imagecycle.offering import document, feed, offered_release, pages, simplestreams
from imagecycle.offering.collection import Collection
from imagecycle.offering.offered_release import NotForShow
from imagecycle.offering.place import Place
from imagecycle.offering.plain_text import plain
from imagecycle.offering.replacement import Tree, replaced
from imagecycle.site import Site
from imagecycle.site_sections import Retirement

MARK = "offering.json"
"""What every site has"""
_ADDRESS = re.compile(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d+)?(/[\w.~!$&'()*+,;=:@%/-]*)?")
"""Without a user, a question or a part of a page"""
_STATIC = Path(__file__).parent / "static"
_MOST_WARNINGS = 20
_SHOWN = (State.CURRENT, State.SUPERSEDED, State.RETIRED, State.REVOKED)


@dataclass(frozen=True)
class Written:
    """What became of a site."""

    families: int
    releases: int
    files: int
    changed: bool


def write(site: Site, *, cloud: str, out: Path, title: str = "", address: str = "") -> Written:
    """Write the site of a cloud.

    :param title: what the site calls the cloud; its entry in ``clouds.yaml`` by default.
    :param address: where the site will be found; links of the feed need it.
    :raises UsageError: when ``out`` holds something else, or ``address`` is none.
    :raises ImagecycleError: when the cloud does not tell completely; the old site stays.
    """
    _see_address(address)
    session = open_cloud(cloud, site)
    policy_of = policies.read(site).of
    place = _place(session, title or cloud, address.rstrip("/"))
    name = hashlib.sha256(os.fsencode(os.path.realpath(out))).hexdigest()[:16]
    with (
        lock_file(site.home / "locks" / f"site-{name}.lock", str(out), "site"),
        replaced(out, MARK) as tree,
        Collection() as collection,
    ):
        with log.step(f"{cloud}: reading its images"):
            images = Glance(session).each_image()
            collect(images, collection, upload_records.of_site(site))
        with log.step("writing the site"):
            write_files(tree, collection, place, policy_of)
        families, releases = collection.count()
        return Written(families, releases, tree.written, tree.differs())


def collect(
    images: Iterable[Image], collection: Collection, records: Callable[[], Ids[str]]
) -> None:
    """Take in the releases that users may hear of; copies and what makes no sense stay out.

    :param records: asked for the ids of known releases when an image is there that names none.
    """
    warnings = _Warnings()
    known: Ids[str] | None = None
    for image in images:
        if not identity.names_itself(image):
            if identity.FAMILY not in image.properties or identity.IMAGE_ID in image.properties:
                continue
            known = records() if known is None else known
            if image.id not in known:
                continue
        try:
            release = offered_release.of_image(image)
        except NotForShow as error:
            warnings.add(f"left out: {error.message}")
            continue
        if release.state not in _SHOWN:
            continue
        gone = collection.add(release)
        if gone is not None:
            warnings.add(f"left out: image {gone.image_id} is another {gone.family} {gone.release}")
    warnings.end()


def write_files(
    tree: Tree, collection: Collection, place: Place, policy_of: Callable[[str], Retirement]
) -> None:
    """Write every file of a site."""
    for shipped in sorted(_STATIC.iterdir()):
        tree.write(shipped.name, [shipped.read_text(encoding="utf-8")])
    tree.write("index.html", pages.index(collection, place))
    tree.write(MARK, document.whole(collection, place, policy_of))
    tree.write("feed.atom", feed.feed(collection, place, pages.RELEASE_PAGE))
    tree.write(simplestreams.INDEX, simplestreams.index(collection, place))
    tree.write(simplestreams.PRODUCTS, simplestreams.products(collection, place))
    for family in collection.families():
        slug, policy = family.slug, policy_of(family.slug)
        page = pages.of_family(collection, family, place, policy)
        tree.write(pages.FAMILY_PAGE.format(family=slug), page)
        data = document.of_family(collection, family, place, policy)
        tree.write(pages.FAMILY_DATA.format(family=slug), data)
        for path, release in pages.of_releases(collection, family, place, policy):
            tree.write(path, release)


class _Warnings:
    """Says what is left out, and counts what would be too much to say."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, text: str) -> None:
        self._count += 1
        if self._count <= _MOST_WARNINGS:
            log.warn(text)

    def end(self) -> None:
        if self._count > _MOST_WARNINGS:
            log.warn(f"left out: {self._count - _MOST_WARNINGS} more")


def _place(session: CloudSession, title: str, address: str) -> Place:
    auth = session.region.config.get("auth") or {}
    return Place(
        title=plain(title, 100),
        region=str(session.region.get_region_name("image") or ""),
        endpoint=str(auth.get("auth_url") or ""),
        address=address,
    )


def _see_address(address: str) -> None:
    if address and not _ADDRESS.fullmatch(address):
        raise UsageError(
            f"--address: {address} is no address of a site",
            hint="such as https://images.example/cloud",
        )
