"""Usage as a table for people and as JSON for programs, line by line: it can be long."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from imagecycle.cloud.image import Image
from imagecycle.cloud.projects import Contact
from imagecycle.lifecycle.usage import Report
from imagecycle.metadata import identity
from imagecycle.model import ProjectUse

_GAP = "  "


def by_project(report: Report) -> Iterator[str]:
    """One line for each image and project, and one for an image that nobody uses."""
    heading = ("FAMILY", "RELEASE", "STATE", "IMAGE", "PROJECT", "CONTACT", "SERVERS", "VOLUMES")
    rows: list[Sequence[str]] = [heading]
    for image in report.images:
        uses = report.uses(image)
        for contact, use in uses:
            rows.append(
                (*_who(report, image), *_project(contact), _servers(use.servers), _volumes(use))
            )
        if not uses:
            rows.append((*_who(report, image), "nobody", "-", "-", "-"))
    yield from _columns(rows)
    yield from _note(report)


def by_image(report: Report) -> Iterator[str]:
    """One line for each image: how many projects, servers and volumes."""
    heading = ("FAMILY", "RELEASE", "STATE", "IMAGE", "PROJECTS", "SERVERS", "VOLUMES")
    rows: list[Sequence[str]] = [heading]
    for image in report.images:
        uses = report.usage.by_image.get(image.id, {}).values()
        servers: Counter[str] = Counter()
        for use in uses:
            servers.update(use.servers)
        volumes = sum(use.volumes for use in uses)
        rows.append((*_who(report, image), str(len(uses)), _servers(servers), str(volumes or "-")))
    yield from _columns(rows)
    yield from _note(report)


def as_json(report: Report) -> Iterator[str]:
    """One JSON document: everything, image by image."""
    yield "{"
    yield f'  "cloud": {json.dumps(report.cloud)},'
    yield f'  "taken_at": "{report.usage.taken_at.isoformat(timespec="seconds")}",'
    yield f'  "with_volumes": {json.dumps(report.usage.with_volumes)},'
    yield '  "images": ['
    last = len(report.images) - 1
    for number, image in enumerate(report.images):
        yield f"    {json.dumps(_document(report, image))}{'' if number == last else ','}"
    yield "  ]"
    yield "}"


def _document(report: Report, image: Image) -> dict[str, Any]:
    family, release, state, _ = _who(report, image)
    projects = [
        {
            "id": contact.project,
            "name": contact.name,
            "email": contact.email,
            "servers": dict(use.servers),
            "volumes": use.volumes,
        }
        for contact, use in report.uses(image)
    ]
    return {
        "id": image.id,
        "name": image.name,
        "family": family,
        "release": release,
        "state": state,
        "visibility": image.visibility,
        "projects": projects,
    }


def _who(report: Report, image: Image) -> tuple[str, str, str, str]:
    names = (identity.FAMILY, identity.RELEASE, identity.STATE)
    family, release, state = (image.properties.get(name, "-") for name in names)
    return family, release, "copy" if image.id in report.copies else state, image.id


def _project(contact: Contact) -> tuple[str, str]:
    return contact.title, contact.email or "-"


def _servers(servers: Mapping[str, int]) -> str:
    """``3 ACTIVE, 1 SHUTOFF``."""
    return ", ".join(f"{count} {status}" for status, count in sorted(servers.items())) or "-"


def _volumes(use: ProjectUse) -> str:
    return str(use.volumes) if use.volumes else "-"


def _note(report: Report) -> Iterable[str]:
    if not report.usage.with_volumes:
        yield f"{report.cloud} has no volume service, so volumes are not counted."


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if len(rows) == 1:
        yield "There is no image that imagecycle published."
        return
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield _GAP.join(cells).rstrip()
