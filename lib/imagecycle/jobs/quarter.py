"""``imagecycle due``: what the matrix wants now, from the artifact folder and from a cloud."""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from imagecycle import catalog
from imagecycle.artifacts import ArtifactStore, write_text
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import open_cloud
from imagecycle.jobs import due, matrix, record_export
from imagecycle.jobs.due import Answer, Made, Wanted
from imagecycle.lifecycle import multi_cloud, recognition, upload_records
from imagecycle.lifecycle.releases import Holding
from imagecycle.model import Family, Release, State
from imagecycle.site import Site

NO_MEDIA = "its install media are not configured"
_PUBLISHED = {State.CURRENT, State.SUPERSEDED, State.RETIRED}
_UNLIMITED = 10_000


def families_due(site: Site, jobs: Path, kind: str, cloud: str) -> list[Answer]:
    """One answer for every family of a matrix.

    :param jobs: the job library.
    :param kind: the name of the matrix: ``linux``.
    :param cloud: where releases are published, an entry of ``clouds.yaml``; of one with several
        regions, a family is due that is due in any.
    :raises ImagecycleError: when the cloud's images cannot be listed.
    """
    cells = matrix.find(jobs, kind).cells
    known = {family.slug: family for family in catalog.load(site.catalog)}
    wanted = [_wanted(cell, known.get(cell.family)) for cell in cells]
    names = [one.family for one in wanted]
    store, today = ArtifactStore(site.artifacts), datetime.datetime.now(datetime.UTC).date()
    records = upload_records.of_site(site)
    answers: list[list[Answer]] = []
    for place in multi_cloud.cloud_regions([cloud], site):
        images = Glance(open_cloud(place, site)).images()
        published = recognition.recognise(images, records).families
        answers.append(due.decide(wanted, releases_of(store, published, names), today))
    return [
        max(of_family, key=lambda answer: answer.due) for of_family in zip(*answers, strict=True)
    ]


def _wanted(cell: matrix.Cell, family: Family | None) -> Wanted:
    if family is None:
        return Wanted(cell.family, cell.every)
    left_out = "" if family.media.configured else NO_MEDIA
    return Wanted(cell.family, cell.every, family.end_of_support, left_out)


def releases_of(
    store: ArtifactStore, published: Mapping[str, Sequence[Holding]], families: Iterable[str]
) -> Mapping[str, Sequence[Made]]:
    """The releases of families, as their records and the releases in a cloud tell of them."""
    found: dict[str, dict[Release, Made]] = {family: {} for family in families}
    for family, releases in found.items():
        for artifact in store.releases(family):
            if artifact.disk.exists():
                releases[artifact.release] = Made(artifact.release)
        if releases:  # older ones matter no more
            newest = store.find(family, str(max(releases)))
            verdict = (newest.record("verify") or {}).get("verdict", "")
            releases[newest.release] = Made(newest.release, verdict=str(verdict))
    for family, releases in found.items():
        for held in published.get(family, ()):
            entry = releases.get(held.release, Made(held.release))
            releases[held.release] = replace(
                entry,
                published=entry.published or held.state in _PUBLISHED,
                revoked=entry.revoked or held.state is State.REVOKED,
            )
    return {family: list(releases.values()) for family, releases in found.items()}


def write(answers: Iterable[Answer], folder: Path) -> None:
    """Leave ``FAMILY.properties`` for every family that is due, with what its build needs.

    :raises UsageError: when the folder holds something else.
    """
    record_export.empty(folder, ".due")
    for answer in answers:
        if answer.due:
            write_text(folder / f"{answer.family}.properties", f"SINCE={answer.since}\n")


def as_table(answers: Sequence[Answer]) -> str:
    """One line for every family, those that are due first."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in ("FAMILY", "DUE", "SINCE", "WHY"):
        table.add_column(heading, no_wrap=True)
    for answer in sorted(answers, key=lambda answer: (not answer.due, answer.family)):
        row = (answer.family, "yes" if answer.due else "no", str(answer.since), answer.reason)
        table.add_row(*row)
    text = io.StringIO()
    Console(file=text, width=_UNLIMITED).print(table)
    count = sum(answer.due for answer in answers)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    return "\n".join([*lines, "", f"{count} of {len(answers)} families are due"]) + "\n"


def as_json(answers: Sequence[Answer]) -> str:
    """The same, for programs."""
    values = [
        {
            "family": answer.family,
            "due": answer.due,
            "since": str(answer.since),
            "reason": answer.reason,
        }
        for answer in answers
    ]
    return json.dumps(values, indent=2) + "\n"
