"""The offering as simplestreams, for tools that read it: what everybody in the cloud can use.

``datatype`` is ``image-ids``, whose items name an image's id in a region of a cloud, as Juju reads
them (``environs/imagemetadata`` in its source). Size and checksum are those of the download.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from email.utils import format_datetime

from imagecycle.metadata import identity
from imagecycle.offering.collection import Collection, OfferedFamily
from imagecycle.offering.offered_release import OfferedRelease
from imagecycle.offering.place import Place

INDEX = "streams/v1/index.json"
PRODUCTS = "streams/v1/images.json"
CONTENT = "imagecycle:images"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""In the format's words, where they differ"""


def index(collection: Collection, place: Place) -> Iterator[str]:
    """What there is, in pieces."""
    slugs = [family.slug for family in collection.families() if _usable(collection, family)]
    entry = {
        "datatype": "image-ids",
        "format": "products:1.0",
        "path": PRODUCTS,
        "products": slugs,
        "updated": _updated(collection),
        "cloudname": place.title,
        "clouds": [_cloud(place)],
    }
    document = {
        "format": "index:1.0",
        "updated": _updated(collection),
        "index": {CONTENT: entry},
    }
    yield json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def products(collection: Collection, place: Place) -> Iterator[str]:
    """The images, in pieces."""
    head = {
        "content_id": CONTENT,
        "datatype": "image-ids",
        "format": "products:1.0",
        "updated": _updated(collection),
        **_cloud(place),
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ',\n"products": {'
    between = "\n"
    for family in collection.families():
        if _usable(collection, family):
            yield between
            yield from _product(collection, family, _cloud(place))
            between = ",\n"
    yield "\n}}\n"


def _product(collection: Collection, family: OfferedFamily, cloud: dict[str, str]) -> Iterator[str]:
    said = family.described_by
    head = {
        "os": said.distro,
        "version": said.version,
        "release": said.version,
        "release_title": said.title,
        "arch": _ARCHITECTURES.get(said.architecture, said.architecture),
        "support_eol": said.end_of_support or None,
    }
    kept = {name: value for name, value in head.items() if value}
    opening = json.dumps(kept, ensure_ascii=False)[:-1]
    yield f'{json.dumps(family.slug)}: {opening}, "versions": {{'
    between = "\n"
    for release in collection.releases(family.slug):
        if release.for_everyone:
            yield f"{between}{json.dumps(release.release)}: {_version(release, cloud)}"
            between = ",\n"
    yield "\n}}"


def _version(release: OfferedRelease, cloud: dict[str, str]) -> str:
    download = {
        "size": release.size,
        "sha512": release.properties.get(identity.DISK_SHA512),
    }
    said = {name: value for name, value in download.items() if value}
    item = {"id": release.image_id, **said, **cloud}
    version = {"label": "release", "pubname": release.name, "items": {release.image_id: item}}
    return json.dumps(version, ensure_ascii=False)


def _usable(collection: Collection, family: OfferedFamily) -> bool:
    return any(release.for_everyone for release in collection.releases(family.slug))


def _cloud(place: Place) -> dict[str, str]:
    said = {"region": place.region, "endpoint": place.endpoint}
    return {name: value for name, value in said.items() if value}


def _updated(collection: Collection) -> str:
    newest = next(collection.events(1), None)
    at = newest.at if newest else "1970-01-01T00:00:00Z"
    return format_datetime(datetime.datetime.fromisoformat(at))
