"""What a cloud holds: families, their releases, and in which state each is."""

from __future__ import annotations

import dataclasses
import datetime
import io
import json
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from imagecycle import interrupts, log
from imagecycle.errors import ImagecycleError, UnknownName
from imagecycle.lifecycle import copies, multi_cloud
from imagecycle.lifecycle.cloud_context import CloudContext, ids
from imagecycle.lifecycle.releases import Holding
from imagecycle.metadata import identity
from imagecycle.model import State, Usage
from imagecycle.site import Site

_WIDTH = 100
_BEGAN = {
    State.SUPERSEDED: identity.SUPERSEDED_AT,
    State.RETIRED: identity.RETIRED_AT,
    State.REVOKED: identity.REVOKED_AT,
}
_STYLES = {
    State.CURRENT: "green",
    State.CANDIDATE: "cyan",
    State.RETIRED: "dim",
    State.REVOKED: "red",
}


@dataclass(frozen=True)
class Row:
    """One release in a cloud."""

    family: str
    release: str
    state: State
    since: str
    """When that state began, UTC, ISO 8601; empty when nothing tells"""
    days: int | None
    image_id: str
    name: str
    visibility: str
    hidden: bool
    protected: bool
    unused_since: str
    revoked_reason: str
    remark: str
    """What is not as it should be"""
    projects: int | None = None
    """How many use it; None when nobody asked"""
    servers: int | None = None
    volumes: int | None = None


@dataclass(frozen=True)
class CloudStatus:
    """What one cloud, or one region of it, holds."""

    cloud: str
    releases: Sequence[Row] = ()
    """The newest of a family first"""
    copies: Sequence[copies.Row] = ()
    """What carries a release's properties and is none"""
    failure: ImagecycleError | None = None
    """Why it does not tell"""


def of_clouds(
    site: Site, *, clouds: Sequence[str], families: Collection[str] = (), usage: bool = False
) -> list[CloudStatus]:
    """What these clouds hold; one with several regions stands for each of them.

    One that fails keeps no other from being told of, unless it is the only one.

    :param families: only these; of several places, one need not have them all.
    :param usage: ask also who uses the releases.
    :raises ImagecycleError: when the only one does not tell, or none has a family.
    """
    places = multi_cloud.cloud_regions(clouds, site)
    if len(places) == 1:
        return [of_cloud(site, cloud=places[0], families=families, usage=usage)]

    def one(place: str) -> CloudStatus:
        try:
            return of_cloud(site, cloud=place, families=families, usage=usage)
        except ImagecycleError as error:
            return CloudStatus(place, failure=error)

    with ThreadPoolExecutor(max_workers=len(places)) as pool:
        calls = [interrupts.submit(pool, one, place) for place in places]
        found = [interrupts.result_of(call) for call in calls]
    unknown = [each for each in found if isinstance(each.failure, UnknownName)]
    if len(unknown) == len(found) and unknown[0].failure is not None:
        raise unknown[0].failure
    return [CloudStatus(each.cloud) if each in unknown else each for each in found]


def of_cloud(
    site: Site, *, cloud: str, families: Collection[str] = (), usage: bool = False
) -> CloudStatus:
    """What a cloud holds of these families, or of all.

    :raises ImagecycleError: when it does not tell completely.
    """
    context = CloudContext.open(cloud, site)
    contents = context.contents(families)
    found = contents.families
    use = context.usage(ids(found)) if usage and found else None
    moment = context.clock()
    return CloudStatus(
        cloud,
        rows(found, use, moment),
        [copies.row(one, cloud) for one in contents.copies],
    )


def rows(
    families: Mapping[str, Sequence[Holding]], usage: Usage | None, moment: datetime.datetime
) -> list[Row]:
    """How the releases of families stand, the newest of a family first.

    :param usage: None when nobody asked who uses them.
    """
    return [_row(held, usage, moment) for name in families for held in reversed(families[name])]


def complain(found: Sequence[CloudStatus]) -> None:
    """:raises ImagecycleError: naming the clouds that did not tell."""
    failed = [one for one in found if one.failure is not None]
    for one in failed:
        assert one.failure is not None
        log.fail(f"{one.cloud}: {one.failure.message.removeprefix(f'{one.cloud}: ')}")
    if failed:
        raise ImagecycleError(
            f"no complete answer from {', '.join(one.cloud for one in failed)}",
            hint="; ".join(dict.fromkeys(one.failure.hint for one in failed if one.failure)),
        )


def as_text(found: Sequence[CloudStatus], *, usage: bool) -> str:
    """For people: a table for each cloud, and its copies apart."""
    parts = []
    for one in found:
        if one.failure is not None:
            continue
        heading = f"{one.cloud}\n" if len(found) > 1 else ""
        text = heading + as_table(one.releases, one.cloud, usage=usage)
        if one.copies:
            many = f"{len(one.copies)} image{'' if len(one.copies) == 1 else 's'}"
            text += (
                f"\n{many} with copied properties: no release, and nothing is decided from them\n"
            )
            text += "".join(f"{line}\n" for line in copies.lines(one.copies))
        parts.append(text)
    return "\n".join(parts)


def as_table(found: Sequence[Row], cloud: str, *, usage: bool) -> str:
    """For people: one line per release, a family's name once."""
    if not found:
        return f"{cloud} has no image of imagecycle\n"
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("FAMILY", no_wrap=True)
    for name in ("RELEASE", "STATE"):
        table.add_column(name, no_wrap=True)
    table.add_column("DAYS", justify="right", no_wrap=True)
    if usage:
        for name in ("PROJECTS", "SERVERS", "VOLUMES"):
            table.add_column(name, justify="right", no_wrap=True)
    table.add_column("IMAGE", no_wrap=True)
    last = ""
    remarks = []
    for row in found:
        counts = (row.projects, row.servers, row.volumes) if usage else ()
        table.add_row(
            "" if row.family == last else row.family,
            row.release,
            f"{row.state}{' *' if row.remark else ''}",
            "" if row.days is None else str(row.days),
            *("-" if count is None else str(count) for count in counts),
            row.image_id,
            style=_STYLES.get(row.state, ""),
        )
        if row.remark:
            remarks.append(f"* {row.family} {row.release}: {row.remark}")
        last = row.family
    colour = sys.stdout.isatty()
    width = max(_WIDTH, shutil.get_terminal_size().columns) if colour else 10_000
    text = io.StringIO()
    Console(file=text, width=width, force_terminal=colour).print(table)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    return "\n".join([*lines, *remarks]) + "\n"


def as_json(found: Sequence[CloudStatus]) -> str:
    """For programs: of each cloud or region, all that is known of its releases and copies."""
    clouds = [
        {
            "cloud": one.cloud,
            "releases": [dataclasses.asdict(row) for row in one.releases],
            "copies": [dataclasses.asdict(row) for row in one.copies],
            "error": one.failure.message if one.failure else "",
        }
        for one in found
    ]
    return json.dumps({"clouds": clouds}, indent=2) + "\n"


def _row(held: Holding, usage: Usage | None, moment: datetime.datetime) -> Row:
    properties = held.image.properties
    since = properties.get(_BEGAN.get(held.state, ""), "") or ""
    if held.state in (State.CURRENT, State.CANDIDATE):
        since = held.image.created_at
    began = _time(since)
    uses = usage.by_image.get(held.id, {}).values() if usage is not None else None
    return Row(
        family=held.family,
        release=str(held.release),
        state=held.state,
        since=since,
        days=(moment - began).days if began else None,
        image_id=held.id,
        name=held.image.name,
        visibility=held.image.visibility,
        hidden=held.image.hidden,
        protected=held.image.protected,
        unused_since=properties.get(identity.UNUSED_SINCE, ""),
        revoked_reason=properties.get(identity.REVOKED_REASON, ""),
        remark=_remark(held),
        projects=None if uses is None else len(uses),
        servers=None if uses is None else sum(sum(use.servers.values()) for use in uses),
        volumes=None
        if uses is None or usage is None or not usage.with_volumes
        else sum(use.volumes for use in uses),
    )


def _remark(held: Holding) -> str:
    expected = {
        State.CANDIDATE: ("private", "shared"),
        State.CURRENT: ("public",),
        State.SUPERSEDED: ("public",),
        State.RETIRED: ("shared",),
        State.REVOKED: ("shared", "private"),
    }.get(held.state, ())
    if held.window_open:
        return "its sharing broke off, users are locked out: run `imagecycle retire` for it"
    if held.image.status != "active":
        return f"its image is {held.image.status}"
    if held.image.visibility not in expected:
        return f"its image is {held.image.visibility}"
    if held.image.protected and held.state is not State.CURRENT:
        return "its image is protected: imagecycle leaves it alone"
    if held.state is State.REVOKED:
        return f"revoked: {held.image.properties.get(identity.REVOKED_REASON, '')}"
    return ""


def _time(text: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
