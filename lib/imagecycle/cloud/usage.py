"""Who depends on which image: one pass over the servers and volumes of a cloud.

That is all of them that a Glance has to do with: where several regions share one, those of each.
Servers and volumes are listed at the same time, each page by page. Only counts stay in memory, and
the ids of what was counted, so that nothing that comes twice counts twice.
"""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from imagecycle import interrupts
from imagecycle.cloud.servers import Server, servers
from imagecycle.cloud.session import CloudSession
from imagecycle.cloud.volumes import Volume, volumes
from imagecycle.model import ProjectUse, Usage

UUID_LENGTH = 36
FEW = 3
"""Up to this many images, Nova is asked for the servers of each instead of for all servers"""


def collect(cloud: CloudSession, *, images: Collection[str] | None = None) -> Usage:
    """Who uses the images of a cloud.

    What counts: servers in every status, also those that can be restored after a deletion, and
    volumes made from an image. What was made while the listing ran may be in it or not.

    :param images: ids of the images to look at; all by default.
    :raises Incomplete: when any user could be missing: a cell that is down, a page that fails, a
        missing permission.
    """
    taken_at = datetime.datetime.now(datetime.UTC)
    wanted = None if images is None else frozenset(images)
    few: Iterable[str | None] = [None]
    if wanted is not None and len(wanted) <= FEW:
        few = sorted(wanted)
    # where there is no Nova at all, asking it says so
    novas = cloud.wherever("compute") or [cloud]
    cinders = cloud.wherever("block-storage")
    with _beside() as (pool, stopped):
        counting = None
        if cinders:
            found = (volume for cinder in cinders for volume in volumes(cinder))
            counting = interrupts.submit(pool, _count_volumes, _until(stopped, found), wanted)
        by_image = _count_servers(
            (server for nova in novas for image in few for server in servers(nova, image)), wanted
        )
        of_volumes = interrupts.result_of(counting) if counting is not None else {}
    return Usage(taken_at, _merged(by_image, of_volumes), bool(cinders))


Uses = dict[str, dict[str, ProjectUse]]
"""Image id, then project id"""


def _count_servers(found: Iterable[Server], wanted: Collection[str] | None) -> Uses:
    """The uses that servers make. Equal ones are one object: there are few kinds, many uses."""
    uses: Uses = {}
    kinds: dict[frozenset[tuple[str, int]], ProjectUse] = {}
    following: dict[tuple[int, str], ProjectUse] = {}
    nothing = ProjectUse({})
    projects: dict[str, str] = {}
    seen: set[int | str] = set()
    for server in found:
        compact = _compact(server.id)
        if compact in seen:
            continue
        seen.add(compact)
        image = server.image
        if not image or (wanted is not None and image not in wanted):
            continue
        of_image = uses.get(image)
        if of_image is None:
            of_image = uses[image] = {}
        project = projects.setdefault(server.project, server.project)
        use = of_image.get(project, nothing)
        step = (id(use), server.status)
        after = following.get(step)
        if after is None:
            count = {**use.servers, server.status: use.servers.get(server.status, 0) + 1}
            after = kinds.setdefault(frozenset(count.items()), ProjectUse(count))
            following[step] = after
        of_image[project] = after
    return uses


def _compact(id: str) -> int | str:
    """An id as a number, where it is a UUID: half as large as its text."""
    try:
        return int(id.replace("-", ""), 16) if len(id) == UUID_LENGTH else id
    except ValueError:
        return id


def _count_volumes(
    found: Iterable[Volume], wanted: Collection[str] | None
) -> Mapping[tuple[str, str], int]:
    """How many volumes of an image a project has."""
    counts: Counter[tuple[str, str]] = Counter()
    seen: set[int | str] = set()
    for volume in found:
        compact = _compact(volume.id)
        if compact not in seen and (wanted is None or volume.image in wanted):
            counts[volume.image, volume.project] += 1
        seen.add(compact)
    return counts


def _merged(uses: Uses, of_volumes: Mapping[tuple[str, str], int]) -> Uses:
    for (image, project), count in of_volumes.items():
        of_image = uses.setdefault(image, {})
        held = of_image.get(project)
        of_image[project] = ProjectUse(held.servers if held else {}, count)
    return uses


@contextlib.contextmanager
def _beside() -> Iterator[tuple[ThreadPoolExecutor, threading.Event]]:
    """A thread beside this one, and what tells it to stop when this one fails."""
    stopped = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            yield pool, stopped
        except BaseException:
            stopped.set()
            raise


def _until(stopped: threading.Event, found: Iterable[Volume]) -> Iterator[Volume]:
    for entry in found:
        if stopped.is_set():
            return
        yield entry
