"""The servers of all projects, as far as they depend on images: Nova's side of usage.

What a listing must be asked for, and what it leaves out without a word, from Nova's source:

- ``/servers/detail?all_tenants=1`` wants an administrator; anyone else gets 403.
- Servers that a user deleted and can still restore (``SOFT_DELETED``) come only with
  ``soft_deleted=True``.
- A paged listing skips the servers of a cell that is down, unless the cloud sets
  ``list_records_by_skipping_down_cells = False``. ``/os-services`` does tell, from microversion
  2.69: services of such a cell have the status ``UNKNOWN``. So it is asked before and after.
- In the order of their making, oldest first, servers made while we list come on the last page.
- A higher microversion adds fields to each server and work for Nova, and nothing that we need.

openstacksdk carries the requests, but is not asked for its objects: they take 2 ms of processor
time for each server (64 s for 30,000), and the answers without them 0.026 ms (8 s for 300,000).
Nor would it notice that a listing is cut short (:mod:`imagecycle.cloud.paging`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imagecycle.cloud import clients
from imagecycle.cloud.errors import Incomplete, Refused
from imagecycle.cloud.paging import Listing, Record, pages, read
from imagecycle.cloud.session import CloudSession
from imagecycle.errors import ImagecycleError

_RIGHTS = (
    "use an administrator's entry of clouds.yaml: listing the servers of all projects needs "
    "os_compute_api:servers:detail:get_all_tenants and os_compute_api:os-services:list"
)
QUERY = {
    "all_tenants": "1",
    "soft_deleted": "True",
    "sort_key": "created_at",
    "sort_dir": "asc",
}
_VERSION = "2.1"
_KNOWS_CELLS = "2.69"


@dataclass(frozen=True, slots=True)
class Server:
    """What of a server matters here."""

    id: str
    project: str
    image: str
    """The id of the image it was made from; empty when it was made from a volume"""
    status: str


def servers(cloud: CloudSession, image: str | None = None) -> Iterator[Server]:
    """All servers of the cloud, or those made from one image; one can come twice.

    :raises Incomplete: when any could be missing.
    """
    nova = _nova(cloud)
    query = {**QUERY, **({"image": image} if image else {})}
    listing = Listing("servers", _asking(nova, "/servers/detail"), "servers", query, _RIGHTS)
    _check_cells(cloud, nova)
    for page in pages(cloud, listing):
        for record in page:
            yield _server(cloud, record)
    _check_cells(cloud, nova)


def _nova(cloud: CloudSession) -> Any:
    """The client of Nova.

    :raises Incomplete: when the cloud has no Nova, so that nobody knows what is in use.
    """
    url = cloud.endpoint("compute")
    if url is None:
        raise Incomplete(
            f"{cloud.name}: its catalog has no compute service, so who uses an image is not known",
            hint="check region_name and interface of that entry in clouds.yaml",
        )
    return clients.nova(cloud, url, _VERSION)


def _asking(nova: Any, path: str, **more: str) -> Callable[[Mapping[str, str]], Any]:
    return lambda query: nova.get(path, params=dict(query), **more).json()


def _check_cells(cloud: CloudSession, nova: Any) -> None:
    """See that every cell of the cloud answers.

    :raises Incomplete: when one does not, or when we may not know.
    """
    ask = _asking(nova, "/os-services", microversion=_KNOWS_CELLS)
    listing = Listing("compute services", ask, "services", rights=_RIGHTS)
    try:
        services = read(cloud, listing, {}).get("services", [])
    except Incomplete as error:
        if isinstance(error.__cause__, Refused) and error.__cause__.status == 406:
            return  # a Nova before this microversion fails instead when a cell is down
        raise
    lost = sorted({str(entry.get("host")) for entry in services if entry["status"] == "UNKNOWN"})
    if lost:
        others = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise Incomplete(
            f"{cloud.name}: a cell of Nova does not answer: that of {', '.join(lost[:3])}{others}",
            hint="bring that cell's database back, then run this again",
        )


def _server(cloud: CloudSession, record: Record) -> Server:
    try:
        image = record["image"]
        return Server(
            record["id"], record["tenant_id"], image["id"] if image else "", record["status"]
        )
    except (KeyError, TypeError):
        raise _part(cloud, record) from None


def _part(cloud: CloudSession, record: Record) -> ImagecycleError:
    return Incomplete(
        f"{cloud.name}: Nova tells only part of server {record.get('id', '')}, "
        "as it does when a cell is down",
        hint="bring that cell's database back, then run this again",
    )
