"""What the services of the cloud are asked, through Horizon's own clients.

A page asks Glance three times at most. Listings are read as they come: glanceclient's own would ask
for a schema first, and refuse images that do not keep to it. Every failure is a
:class:`NotTold`, which a page shows, except that a session which has ended leads to the log-in.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from horizon import exceptions
from openstack_dashboard import api

from imagecycle_dashboard.flavors import Flavor
from imagecycle_dashboard.holdings import Made
from imagecycle_dashboard.plain_text import plain
from imagecycle_dashboard.releases import CURRENT, is_image_id

PAGE = 1000
"""Images that an answer of Glance has at most"""
LISTED = 250
"""Images of the ordinary list that the first page reads; mostly it waits for this answer"""
MOST_IDS = 120
"""Images that are asked for by id in one request, so that its address does not grow too long"""
_SERVER_PAGE = 1000
_SERVER_PAGES = 10
_TIMEOUT = 30.0
_T = TypeVar("_T")
Document = Mapping[str, Any]


class NotTold(Exception):
    """A service that refused, failed, or gave an answer that is none.

    :param why: for people, translated.
    """

    def __init__(self, why: Any) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True)
class Listing:
    """Images of one answer."""

    documents: Sequence[Document]
    complete: bool
    """Whether there are no more"""


NOTHING = Listing((), True)


def current_images(request: Any) -> Listing:
    """The current releases of all families."""
    return _images(request, visibility="public", imagecycle_state=CURRENT, limit=str(PAGE))


def listed_images(request: Any) -> Listing:
    """What the project finds in its ordinary list, the newest first: where that is all, the current
    releases of all families are among them."""
    return _images(request, limit=str(LISTED), sort="created_at:desc")


def images_of_family(request: Any, family: str) -> list[Document]:
    """The images of a family that the project can see: listed, hidden, and shared with it."""
    chosen = {"imagecycle_family": family, "limit": str(PAGE)}
    chosen |= {"visibility": "all", "member_status": "all"}
    asked = (_images(request, **chosen), _images(request, **chosen, os_hidden="true"))
    return [document for listing in asked for document in listing.documents]


def images_by_id(request: Any, image_ids: Iterable[str]) -> list[Document]:
    """The images with these ids that the project can see, at most :data:`MOST_IDS` of them."""
    wanted = [one for one in image_ids if is_image_id(one)][:MOST_IDS]
    if not wanted:
        return []
    chosen = {"visibility": "all", "member_status": "all", "limit": str(PAGE)}
    chosen["id"] = f"in:{','.join(wanted)}"
    asked = (_images(request, **chosen), _images(request, **chosen, os_hidden="true"))
    return [document for listing in asked for document in listing.documents]


def _images(request: Any, **query: str) -> Listing:
    def ask() -> Listing:
        http = api.glance.glanceclient(request).http_client
        http.timeout = getattr(settings, "IMAGECYCLE_TIMEOUT", _TIMEOUT)
        address = f"/v2/images?{urllib.parse.urlencode(query, safe=':,')}"
        answer = http.get(address)[1]
        documents = answer["images"]
        if not all(isinstance(document, dict) for document in documents):
            raise TypeError
        return Listing(documents, not answer.get("next"))

    return _told(_("The image service"), ask)


def flavors(request: Any) -> list[Flavor]:
    """What servers can be made of."""

    def ask() -> list[Flavor]:
        found = api.nova.flavor_list(request)
        return [
            Flavor(plain(one.name, 100), int(one.vcpus), int(one.ram), int(one.disk))
            for one in found
        ]

    return _told(_("The compute service"), ask)


def servers(request: Any) -> list[tuple[Made, str]]:
    """The project's servers, each with its image; with nothing when it boots from a volume."""
    return _told(_("The compute service"), lambda: [_server(one) for one in _servers(request)])


def _servers(request: Any) -> Iterator[Any]:
    marker = None
    for _page in range(_SERVER_PAGES):
        search = {"limit": _SERVER_PAGE, **({"marker": marker} if marker else {})}
        found = api.nova.server_list(request, search_opts=search)[0]
        yield from found
        if len(found) < _SERVER_PAGE:
            return
        marker = found[-1].id


def _server(server: Any) -> tuple[Made, str]:
    image = server.image
    image_id = image.get("id", "") if isinstance(image, dict) else ""
    return Made(str(server.id), plain(server.name, 255), plain(server.status, 40)), str(image_id)


def has_volumes(request: Any) -> bool:
    """Whether the cloud has a volume service."""
    return bool(api.cinder.is_volume_service_enabled(request))


def volumes(request: Any) -> list[tuple[Made, str, Sequence[str]]]:
    """The project's volumes, each with the image that it was made from, or nothing, and with the
    servers that it is attached to."""

    def ask() -> list[tuple[Made, str, Sequence[str]]]:
        return [_volume(one) for one in api.cinder.volume_list(request)]

    return _told(_("The volume service"), ask)


def _volume(volume: Any) -> tuple[Made, str, Sequence[str]]:
    metadata = getattr(volume, "volume_image_metadata", None) or {}
    attached = getattr(volume, "attachments", None) or ()
    name = plain(getattr(volume, "name", "") or volume.id, 255)
    made = Made(str(volume.id), name, plain(volume.status, 40))
    servers = [str(one.get("server_id")) for one in attached]
    return made, str(metadata.get("image_id") or ""), servers


def _told(who: Any, ask: Callable[[], _T]) -> _T:
    try:
        return ask()
    except Exception as error:
        if _session_has_ended(error):
            raise exceptions.NotAuthorized from error
        raise NotTold(_reason(who, error)) from error


def _session_has_ended(error: Exception) -> bool:
    if isinstance(error, exceptions.NotAuthorized):
        return True
    return _status(error) == 401


def _status(error: Exception) -> int | None:
    for name in ("http_status", "status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int):
            return value
    return None


def _reason(who: Any, error: Exception) -> Any:
    status = _status(error)
    if isinstance(error, exceptions.ServiceCatalogException):
        return _("%(who)s is not part of this cloud.") % {"who": who}
    if status == 403:
        return _("%(who)s does not allow you to see this.") % {"who": who}
    if status is not None:
        return _("%(who)s failed with status %(status)s.") % {"who": who, "status": status}
    if isinstance(error, (KeyError, TypeError, ValueError, AttributeError)):
        return _("%(who)s gave an answer that makes no sense.") % {"who": who}
    return _("%(who)s does not answer.") % {"who": who}
