"""Images that only carry a release's properties: shown, and tidied or confirmed when asked.

Tidying removes what is not true of a copy, and nothing else. Confirming is for a release that was
published before releases named their ids, on another machine: a person says that it is one.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from imagecycle import log
from imagecycle.cloud import view
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import open_cloud
from imagecycle.errors import UnknownName, UsageError
from imagecycle.lifecycle import plan as planning
from imagecycle.lifecycle.cloud_context import CloudContext, say
from imagecycle.lifecycle.execution import Execution
from imagecycle.lifecycle.plan import Plan, Seen
from imagecycle.lifecycle.recognition import Copy, recognise
from imagecycle.lifecycle.steps import Change
from imagecycle.metadata import identity, schema
from imagecycle.site import Site


@dataclass(frozen=True)
class Row:
    """One copy in a cloud, for people and programs."""

    image_id: str
    name: str
    copy_of: str
    """The release's image; empty when nothing tells"""
    family: str
    release: str
    state: str
    """As the copied properties say, which is not true of it"""
    visibility: str
    owner: str
    what: str
    certain: bool
    advice: str


def row(one: Copy, cloud: str, *, ours: bool = True) -> Row:
    """What is to be shown of a copy, with what to do about it."""
    image = one.image
    if not ours:
        advice = f"its owner, project {image.owner}, can remove the properties"
    elif one.certain:
        advice = f"imagecycle copies --cloud {cloud} --tidy {image.id}"
    else:
        advice = (
            f"imagecycle copies --cloud {cloud} --confirm {image.id} if it is the release, "
            "--tidy if it is a copy"
        )
    return Row(
        image.id,
        image.name,
        one.of,
        one.family,
        one.release,
        image.properties.get(identity.STATE, ""),
        image.visibility,
        image.owner,
        one.what,
        one.certain,
        advice,
    )


def rows(site: Site, *, cloud: str) -> list[Row]:
    """The copies of our project, and those that other projects show to everyone."""
    context = CloudContext.open(cloud, site)
    found = [row(one, cloud) for one in context.contents().copies]
    public = view.listed(open_cloud(cloud, site), visibility="public")
    theirs = [image for image in public if image.owner != context.images.project_id]
    ours = {image.id: image for image in context.images.images()}
    originals = _originals(theirs, ours)
    return found + [row(one, cloud, ours=False) for one in originals]


def _originals(theirs: Iterable[Image], ours: Collection[str]) -> list[Copy]:
    """Copies of our releases that belong to others; another publisher's releases are none."""
    copies = recognise(theirs, tuple).copies
    return [dataclasses.replace(one, certain=True) for one in copies if one.of in ours]


def lines(found: Sequence[Row]) -> list[str]:
    """A paragraph for each copy."""
    said = []
    for one in found:
        of = f", with the properties of {one.copy_of}" if one.copy_of else ""
        said += [
            f'{one.image_id} "{one.name}" ({one.family or "-"} {one.release or "-"}, '
            f"{one.visibility})",
            f"  {one.what}{of}",
            f"  -> {one.advice}",
        ]
    return said


def as_json(found: Sequence[Row]) -> str:
    """For programs."""
    return json.dumps([dataclasses.asdict(one) for one in found], indent=2) + "\n"


def tidy(site: Site, image_ids: Collection[str], *, cloud: str, dry_run: bool) -> Plan:
    """Remove from copies what is not true of them.

    :param image_ids: these, also such as may be releases; by default all that are surely copies.
    :raises UnknownName: when one is no copy.
    """
    return tidy_in(CloudContext.open(cloud, site), image_ids, dry_run=dry_run)


def tidy_in(context: CloudContext, image_ids: Collection[str], *, dry_run: bool) -> Plan:
    """:func:`tidy` in a cloud that we are logged in to."""
    with context.lock([] if dry_run else ["copies"], f"copies in {context.name}"):
        copies = context.contents().copies
        chosen = _named(context, copies, image_ids) if image_ids else _certain(copies)
        steps = [_tidying(one) for one in chosen]
        return _settle(context, chosen, steps, "copies --tidy", dry_run=dry_run)


def confirm(site: Site, image_ids: Collection[str], *, cloud: str, dry_run: bool) -> Plan:
    """Have images name themselves that a person says are releases.

    :raises UnknownName: when one is no image that could be either.
    :raises UsageError: when one is a copy.
    """
    return confirm_in(CloudContext.open(cloud, site), image_ids, dry_run=dry_run)


def confirm_in(context: CloudContext, image_ids: Collection[str], *, dry_run: bool) -> Plan:
    """:func:`confirm` in a cloud that we are logged in to."""
    with context.lock([] if dry_run else ["copies"], f"copies in {context.name}"):
        chosen = _named(context, context.contents().copies, image_ids)
        taken: dict[tuple[str, str], str] = {}
        for one in chosen:
            if one.certain:
                of = f" of {one.of}" if one.of else ""
                raise UsageError(
                    f"image {one.image.id} is no release: it has the properties{of}, and is "
                    f"{one.what}",
                    hint=f"imagecycle copies --cloud {context.name} --tidy {one.image.id}",
                )
            identity.parse(one.image.properties)
            first = taken.setdefault((one.family, one.release), one.image.id)
            if first != one.image.id:
                raise UsageError(
                    f"images {first} and {one.image.id} cannot both be {one.family} {one.release}",
                    hint="confirm the one that is the release, and tidy the other",
                )
        steps = [_confirming(one) for one in chosen]
        return _settle(context, chosen, steps, "copies --confirm", dry_run=dry_run)


def _certain(copies: Iterable[Copy]) -> list[Copy]:
    return [one for one in copies if one.certain]


def _named(context: CloudContext, copies: Iterable[Copy], image_ids: Collection[str]) -> list[Copy]:
    known = {one.image.id: one for one in copies}
    for image_id in image_ids:
        if image_id not in known:
            hint = f"imagecycle copies --cloud {context.name} lists them"
            raise UnknownName(f"copy in {context.name}", image_id, known, hint=hint)
    return [known[image_id] for image_id in dict.fromkeys(image_ids)]


def _tidying(one: Copy) -> Change:
    properties = one.image.properties
    wrong = [name for name in properties if not schema.is_inherited(name)]
    what = f"{one.what}: remove {len(wrong)} properties that are not true of it"
    return Change(one.image.id, what, dict.fromkeys(sorted(wrong)))


def _confirming(one: Copy) -> Change:
    what = f"it is {one.family} {one.release}, and names its own id from now on"
    return Change(one.image.id, what, {identity.IMAGE_ID: one.image.id})


def _settle(
    context: CloudContext, chosen: Sequence[Copy], steps: list[Change], command: str, dry_run: bool
) -> Plan:
    plan = Plan(
        cloud=context.name,
        project=context.images.project_id,
        command=command,
        why=f"{command} {len(steps)} images",
        steps=steps,
        seen=[_seen(one.image) for one in chosen],
    )
    say(plan)
    if steps and not dry_run:
        involved = [one.image for one in chosen]
        Execution(context.images, context.audit(plan), involved).run(plan)
        log.say(f"{context.name}: {len(steps)} images changed")
    return plan


def _seen(image: Image) -> Seen:
    """Each image stands for itself: copies belong to no family, and one that is refused keeps no
    other from being changed."""
    facts: dict[str, Any] = {"visibility": image.visibility, "updated_at": image.updated_at}
    digest = planning.image_digest(image)
    return Seen(image.id, family=image.id, release="", state="", digest=digest, **facts)
