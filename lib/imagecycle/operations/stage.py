"""``imagecycle operations``: gather what an operator wants to see of a cloud, and write it."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagecycle import catalog, log
from imagecycle.artifacts import ArtifactStore, write_text, written_to
from imagecycle.cloud.projects import Contact, contacts
from imagecycle.cloud.session import open_cloud
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.jenkins.status import Status
from imagecycle.lifecycle import plan as planning
from imagecycle.lifecycle import transitions
from imagecycle.lifecycle.cloud_context import CloudContext, Families, audit_path, ids
from imagecycle.lifecycle.plan import Plan
from imagecycle.lifecycle.rules import retire
from imagecycle.operations import audit_history, document, runs
from imagecycle.operations.document import Runs
from imagecycle.site import Site

_MODE = 0o640
"""It names projects and what they use"""
_BEGINNING = b'{\n "version":'
_AUDIT_OF_ONE = 50
"""Changes of one image that are told"""


@dataclass(frozen=True)
class Written:
    """What was written."""

    families: int
    releases: int
    steps: int


def write(
    site: Site,
    *,
    cloud: str,
    out: Path,
    reports: str = "",
    jenkins: Callable[[Collection[str]], Status] | None = None,
) -> Written:
    """Write the document of a cloud; a reader finds the old one or the new one.

    :param reports: where browsers find the artifact folder.
    :param jenkins: asks the controller for these families; None to leave the jobs out.
    :raises UsageError: when ``reports`` is no address, or ``out`` holds something else.
    :raises ImagecycleError: when the cloud does not tell completely; the old document stays.
    """
    if reports and not runs.is_address(reports):
        raise UsageError(
            f"--reports: {reports} is no address", hint="such as https://images.example/artifacts"
        )
    with written_to(out, "file"):
        _refuse_others(out)
    found = gather(site, cloud=cloud, reports=reports, jenkins=jenkins)
    with written_to(out, "file"):
        # a link stays one
        place = Path(os.path.realpath(out))
        write_text(place, json.dumps(found, ensure_ascii=False, indent=1) + "\n", mode=_MODE)
    families = found["families"]
    releases = sum(len(one["releases"]) for one in families)
    return Written(len(families), releases, len(found["plan"]["steps"]))


def _refuse_others(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_file():
        raise UsageError(f"--out: {out} is no file", hint="name a file for this alone")
    with out.open("rb") as stream:
        beginning = stream.read(len(_BEGINNING))
    if beginning not in (b"", _BEGINNING):
        raise UsageError(
            f"--out: {out} holds something else than what this command writes",
            hint="name a file for this alone: it is replaced",
        )


def gather(
    site: Site,
    *,
    cloud: str,
    reports: str = "",
    jenkins: Callable[[Collection[str]], Status] | None = None,
) -> dict[str, Any]:
    """The document of a cloud."""
    session = open_cloud(cloud, site)
    return gather_in(
        CloudContext.of(session, cloud, site),
        lambda projects: contacts(session, projects),
        reports=reports,
        jenkins=jenkins,
    )


def gather_in(
    context: CloudContext,
    who: Callable[[Collection[str]], Mapping[str, Contact]],
    *,
    reports: str = "",
    jenkins: Callable[[Collection[str]], Status] | None = None,
) -> dict[str, Any]:
    """:func:`gather` in a cloud that we are logged in to.

    :param who: tells who projects are.
    """
    site, cloud = context.site, context.name
    with log.step(f"{cloud}: reading its images"):
        images = list(context.images.images())
        contents = context.recognise(images)
    with log.step(f"{cloud}: asking who uses its images"):
        usage = context.usage(ids(contents.families))
    # what is known already is not asked again
    knowing = dataclasses.replace(context, usage=lambda _image_ids: usage)
    projects = {project for uses in usage.by_image.values() for project in uses}
    declared = {family.slug: family.title for family in catalog.load(site.catalog)}
    missing: list[str] = []
    jobs = _jobs(jenkins, [*declared, *contents.families], missing)
    return document.document(
        context,
        contents,
        usage,
        who(projects),
        _plan(knowing, contents.families),
        Runs(
            jobs,
            runs.verifications(ArtifactStore(site.artifacts), reports),
            audit_history.by_image(audit_path(site, cloud), _AUDIT_OF_ONE),
        ),
        declared=declared,
        others=document.without_release(images, contents),
        missing=missing,
    )


def _plan(context: CloudContext, families: Families) -> Plan:
    """What the policy asks for now."""
    found = transitions.with_evidence(context, families)
    now = context.clock()
    decision = retire.decide(found, context.policies(), now=now)
    return planning.make(
        decision,
        found,
        cloud=context.name,
        project=context.images.project_id,
        command="retire",
        why="what the policy asks for",
        now=now,
    )


def _jobs(
    jenkins: Callable[[Collection[str]], Status] | None,
    families: Collection[str],
    missing: list[str],
) -> dict[str, list[dict[str, Any]]]:
    if jenkins is None:
        return {}
    try:
        return runs.of_jenkins(jenkins(sorted({*families})))
    except ImagecycleError as error:
        missing.append(f"Jenkins: {error.message}")
        log.warn(f"Jenkins is left out: {error.message}")
        return {}
