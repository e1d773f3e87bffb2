"""What one cloud holds and what is next there, as one JSON document for whoever shows it.

``VERSION`` goes up when something is taken out or gets another meaning, never for an addition.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from imagecycle.cloud.image import Image
from imagecycle.cloud.projects import Contact
from imagecycle.lifecycle import copies, status
from imagecycle.lifecycle.cloud_context import CloudContext, Families, ids
from imagecycle.lifecycle.plan import Plan
from imagecycle.lifecycle.recognition import Contents
from imagecycle.metadata import identity
from imagecycle.model import Usage

VERSION = 1
_STILL = datetime.timedelta(days=1)
"""After this time an image that is still being made will not be finished"""
_UNFINISHED = ("queued", "saving", "uploading", "importing", "killed")


@dataclasses.dataclass(frozen=True)
class Runs:
    """How the work on families went, by family."""

    jobs: Mapping[str, Sequence[Mapping[str, Any]]]
    verifications: Mapping[str, Mapping[str, Mapping[str, Any]]]
    audit: Mapping[str, Sequence[Mapping[str, Any]]]
    """By image"""


def document(
    context: CloudContext,
    contents: Contents,
    usage: Usage,
    contacts: Mapping[str, Contact],
    plan: Plan,
    runs: Runs,
    *,
    declared: Mapping[str, str],
    others: Sequence[Image],
    missing: Sequence[str],
) -> dict[str, Any]:
    """The document.

    :param contacts: who the projects are.
    :param declared: the titles of the catalog's families, by slug.
    :param others: images of the publishing project that carry no release's properties.
    :param missing: what could not be told, in words.
    """
    moment = context.clock()
    rows = status.rows(contents.families, usage, moment)
    by_family: dict[str, list[status.Row]] = {slug: [] for slug in declared}
    for row in rows:
        by_family.setdefault(row.family, []).append(row)
    return {
        "version": VERSION,
        "cloud": context.name,
        "taken_at": moment.isoformat(timespec="seconds"),
        "with_volumes": usage.with_volumes,
        "missing": list(missing),
        "families": [
            {
                "family": slug,
                "title": declared.get(slug) or slug,
                "declared": slug in declared,
                "releases": [_release(row, usage, contacts, runs) for row in found],
                "unpublished": _unpublished(found, runs.verifications.get(slug, {})),
                "runs": list(runs.jobs.get(slug, ())),
            }
            for slug, found in sorted(by_family.items())
        ],
        "plan": _plan(plan, contents.families),
        "copies": [dataclasses.asdict(copies.row(one, context.name)) for one in contents.copies],
        "strays": _strays(others, moment),
    }


def _release(
    row: status.Row, usage: Usage, contacts: Mapping[str, Contact], runs: Runs
) -> dict[str, Any]:
    uses = usage.by_image.get(row.image_id, {})
    projects = [
        {
            "id": project,
            "name": contacts[project].name if project in contacts else project,
            "contact": contacts[project].email if project in contacts else "",
            "servers": dict(use.servers),
            "volumes": use.volumes,
        }
        for project, use in uses.items()
    ]
    return {
        **dataclasses.asdict(row),
        "state": row.state.value,
        "used_by": sorted(projects, key=lambda one: (str(one["name"]), str(one["id"]))),
        "verification": runs.verifications.get(row.family, {}).get(row.release),
        "audit": list(runs.audit.get(row.image_id, ())),
    }


def _unpublished(
    published: Sequence[status.Row], verifications: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Releases that were built after the newest one of the cloud, the newest first."""
    there = {row.release for row in published}
    found = []
    for release, verification in verifications.items():  # the newest first
        if release in there:
            break
        found.append({"release": release, **verification})
    return found


def _plan(plan: Plan, families: Families) -> dict[str, Any]:
    of_image = {held.id: held for family in families.values() for held in family}
    steps = []
    for step in plan.steps:
        held = of_image.get(step.image_id)
        steps.append(
            {
                "what": str(step),
                "image_id": step.image_id,
                "family": held.family if held else "",
                "release": str(held.release) if held else "",
            }
        )
    return {"steps": steps, "notes": list(plan.notes)}


def _strays(others: Sequence[Image], moment: datetime.datetime) -> list[dict[str, Any]]:
    """Images of the publishing project that nobody will finish, and those that are no release."""
    found = []
    for image in others:
        created = _moment(image.created_at)
        unfinished = image.status in _UNFINISHED
        if unfinished and created is not None and moment - created < _STILL:
            continue
        what = "an upload that was not finished" if unfinished else "no release"
        found.append(
            {
                "image_id": image.id,
                "name": image.name,
                "status": image.status,
                "visibility": image.visibility,
                "created_at": image.created_at or None,
                "what": what,
            }
        )
    return found


def _moment(text: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def without_release(images: Collection[Image], contents: Contents) -> list[Image]:
    """Those of a project's images that carry no release's properties."""
    known = {*ids(contents.families), *(one.image.id for one in contents.copies)}
    return [
        image for image in images if image.id not in known and not identity.is_carried_by(image)
    ]
