"""What the services of the cloud are asked, through Horizon's own clients.

A page asks Glance three times at most. Listings are read as they come: glanceclient's own would ask
for a schema first, and refuse images that do not keep to it.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from openstack_dashboard import api, policy

from imagecycle_dashboard import asking
from imagecycle_dashboard.asking import NotTold, Question
from imagecycle_dashboard.flavors import Flavor, by_size
from imagecycle_dashboard.holdings import Made
from imagecycle_dashboard.plain_text import plain
from imagecycle_dashboard.releases import CURRENT, is_image_id

PAGE = 1000
"""Images that an answer of Glance has at most"""
SHOWN = 100
"""Families that are shown at once; of each, Glance takes milliseconds to tell"""
LISTED = 50
"""Images of the ordinary list that the first page reads"""
MOST_IDS = 120
"""Images that are asked for by id in one request, so that its address does not grow too long"""
_CURRENT = {"visibility": "public", "imagecycle_state": CURRENT}
_LAUNCH = (("compute", "os_compute_api:servers:create"),)
_SERVER_PAGE = 1000
_LAST_PAGE = 100
"""Servers of a page after which Nova surely has no more: it can be told to have smaller pages than
ours, and Horizon's client does not pass on whether there is more"""
_SERVER_PAGES = 10
_LINKED = re.compile(r"[0-9A-Za-z_-]{1,64}")
"""Ids that stand in an address of Horizon's"""
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Listing:
    """Images of one answer."""

    documents: Sequence[Document]
    complete: bool
    """Whether there are no more"""


NOTHING = Listing((), True)


@dataclass(frozen=True)
class Servers:
    """The project's servers, each with its image; with nothing when it boots from a volume."""

    found: Sequence[tuple[Made, str]]
    missing: NotTold | None
    """Why these are not all"""


def current_images(request: Any) -> Question:
    """The current releases of all families, as a :class:`Listing`."""
    return _images(request, **_CURRENT, limit=str(PAGE))


def some_current_images(request: Any, architecture: str, after: str) -> Question:
    """The current releases of :data:`SHOWN` families by their images' names, and of one more to
    see whether there are more, as a :class:`Listing`.

    :param architecture: of these only, unless it is empty.
    :param after: the id of the last image that was shown, or nothing.
    """
    chosen = {"architecture": architecture, "marker": after if is_image_id(after) else ""}
    chosen = {name: value for name, value in chosen.items() if value}
    return _images(request, **_CURRENT, **chosen, limit=str(SHOWN + 1), sort="name:asc")


def listed_images(request: Any) -> Question:
    """What the project finds in its ordinary list, the newest first, as a :class:`Listing`."""
    return _images(request, limit=str(LISTED), sort="created_at:desc")


def images_of_family(request: Any, family: str) -> list[Question]:
    """The images of a family that the project can see, listed, hidden, and shared with it: each a
    :class:`Listing`."""
    chosen = {"imagecycle_family": family, "limit": str(PAGE)}
    chosen |= {"visibility": "all", "member_status": "all"}
    return [_images(request, **chosen), _images(request, **chosen, os_hidden="true")]


def images_by_id(request: Any, image_ids: Iterable[str]) -> list[Question]:
    """The images with these ids that the project can see, at most :data:`MOST_IDS` of them: each a
    :class:`Listing`."""
    wanted = [one for one in image_ids if is_image_id(one)][:MOST_IDS]
    if not wanted:
        return []
    chosen = {"visibility": "all", "member_status": "all", "limit": str(PAGE)}
    chosen["id"] = f"in:{','.join(wanted)}"
    return [_images(request, **chosen), _images(request, **chosen, os_hidden="true")]


def _images(request: Any, **query: str) -> Question:
    def ask() -> Listing:
        http = api.glance.glanceclient(request).http_client
        http.timeout = asking.seconds() + 1  # a little more than the page waits
        address = f"/v2/images?{urllib.parse.urlencode(query, safe=':,')}"
        answer = http.get(address)[1]
        documents = answer["images"]
        if not isinstance(documents, list):
            raise TypeError
        if not all(isinstance(document, dict) for document in documents):
            raise TypeError
        return Listing(documents, not answer.get("next"))

    return Question(asking.IMAGES, ask)


def has_compute(request: Any) -> bool:
    """Whether the cloud has a service that servers can be launched with."""
    return bool(api.base.is_service_enabled(request, "compute"))


def may_launch(request: Any) -> bool:
    """Whether the user may make servers, by the policy that Horizon has of Nova."""
    return has_compute(request) and bool(policy.check(_LAUNCH, request))


def flavors(request: Any) -> Question:
    """What servers can be made of, as a list of :class:`Flavor`, the smallest first."""

    def ask() -> list[Flavor]:
        return by_size(
            Flavor(plain(one.name, 100), int(one.vcpus), int(one.ram), int(one.disk))
            for one in api.nova.flavor_list(request)
        )

    return Question(asking.COMPUTE, ask)


def servers(request: Any) -> Question:
    """The project's :class:`Servers`; those of the first pages, where a later one is missing."""

    def ask() -> Servers:
        found: list[tuple[Made, str]] = []
        marker = None
        for _page in range(_SERVER_PAGES):
            search = {"limit": _SERVER_PAGE, **({"marker": marker} if marker else {})}
            try:
                page = api.nova.server_list(request, search_opts=search)[0]
                found += [_server(one) for one in page]
            except Exception as error:
                if not found:
                    raise
                return Servers(found, asking.reason(asking.COMPUTE, error))
            if len(page) < _LAST_PAGE:
                return Servers(found, None)
            marker = page[-1].id
        most = _SERVER_PAGES * _SERVER_PAGE
        return Servers(found, NotTold(_("Only the first %(most)s servers were read."), most=most))

    return Question(asking.COMPUTE, ask)


def _server(server: Any) -> tuple[Made, str]:
    image = server.image
    image_id = image.get("id", "") if isinstance(image, dict) else ""
    return _made(server), str(image_id)


def _made(found: Any) -> Made:
    name = plain(getattr(found, "name", None) or "", 255) or plain(found.id, 64)
    linked = str(found.id) if _LINKED.fullmatch(str(found.id)) else ""
    return Made(linked, name, plain(found.status, 40))


def has_volumes(request: Any) -> bool:
    """Whether the cloud has a volume service."""
    return bool(api.cinder.is_volume_service_enabled(request))


def volumes(request: Any) -> Question:
    """The project's volumes, each with the image that it was made from, or nothing, and with the
    servers that it is attached to."""

    def ask() -> list[tuple[Made, str, Sequence[str]]]:
        return [_volume(one) for one in api.cinder.volume_list(request)]

    return Question(asking.VOLUMES, ask)


def _volume(volume: Any) -> tuple[Made, str, Sequence[str]]:
    metadata = getattr(volume, "volume_image_metadata", None) or {}
    attached = getattr(volume, "attachments", None) or ()
    servers = [str(one.get("server_id")) for one in attached]
    return _made(volume), str(metadata.get("image_id") or ""), servers
