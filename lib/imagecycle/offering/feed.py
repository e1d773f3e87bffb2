"""The feed of releases and revocations: Atom, RFC 4287."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from imagecycle.offering.collection import Collection, Event
from imagecycle.offering.place import Place

MOST = 200
"""Entries, the newest"""
_NOTHING_YET = "1970-01-01T00:00:00Z"
_NAMESPACE = uuid.UUID("9a3c3a3e-6f0b-5d0c-8f0e-6d2f4a5f7f11")


def feed(collection: Collection, place: Place, page_of: str) -> Iterator[str]:
    """The feed, in pieces.

    :param page_of: the path of a release's page, with ``{family}`` and ``{release}``.
    """
    newest = next(collection.events(1), None)
    identifier = uuid.uuid5(_NAMESPACE, f"{place.endpoint} {place.region} {place.title}")
    yield '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
    yield f"<id>urn:uuid:{identifier}</id>\n"
    yield f"<title>{escape(f'Operating systems of {place.title}')}</title>\n"
    yield f"<updated>{newest.at if newest else _NOTHING_YET}</updated>\n"
    yield f"<author><name>{escape(place.title)}</name></author>\n"
    yield f'<link rel="self" href={quoteattr(place.link("feed.atom"))}/>\n'
    yield f"<link href={quoteattr(place.link('index.html'))}/>\n"
    for event in collection.events(MOST):
        yield _entry(event, place, page_of)
    yield "</feed>\n"


def _entry(event: Event, place: Place, page_of: str) -> str:
    release = event.release
    title = f"{release.title}, {release.architecture}, release {release.release}"
    identifier = release.image_id
    if event.revoked:
        title = f"Revoked: {title}"
        identifier = str(uuid.uuid5(_NAMESPACE, f"revoked {release.image_id}"))
    link = place.link(page_of.format(family=release.family, release=release.release))
    return (
        "<entry>\n"
        f"<id>urn:uuid:{escape(identifier)}</id>\n"
        f"<title>{escape(title)}</title>\n"
        f"<updated>{event.at}</updated>\n"
        f"<link href={quoteattr(link)}/>\n"
        f'<category term="{"revoked" if event.revoked else "published"}"/>\n'
        f"<category term={quoteattr(release.family)}/>\n"
        f"<summary>{escape(_summary(event))}</summary>\n"
        "</entry>\n"
    )


def _summary(event: Event) -> str:
    release = event.release
    if not event.revoked:
        return f"{release.description} Image {release.image_id}.".strip()
    reason = f" {release.revoked_reason}." if release.revoked_reason else ""
    instead = f" Use image {release.successor} instead." if release.successor else ""
    return f"Image {release.image_id} was revoked:{reason}{instead}".replace(":.", ".")
