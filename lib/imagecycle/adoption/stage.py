"""The command ``adopt``: propose, write the proposal, and carry a confirmed one out."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from imagecycle import catalog, log
from imagecycle.adoption import deciding, proposal
from imagecycle.adoption.deciding import Candidate, Verdict
from imagecycle.adoption.patterns import Pattern
from imagecycle.adoption.proposal import Entry, Proposal
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.lifecycle import plan as planning
from imagecycle.lifecycle.cloud_context import CloudContext, say
from imagecycle.lifecycle.execution import Execution
from imagecycle.lifecycle.plan import Changed, Plan, Seen
from imagecycle.lifecycle.recognition import Contents, Copy
from imagecycle.lifecycle.rules import name_themselves
from imagecycle.lifecycle.steps import Change
from imagecycle.metadata import identity
from imagecycle.site import Site

_WIDTH = 160  # where there is no terminal


@dataclass(frozen=True)
class Proposed:
    """The images of a project, and what is proposed for each."""

    context: CloudContext
    candidates: Sequence[Candidate]

    def chosen(self) -> Proposal:
        """Everything that can be adopted without a question."""
        entries = [
            Entry(one.image.id, one.family, one.release, planning.image_digest(one.image))
            for one in self.candidates
            if one.verdict is Verdict.ADOPT and one.release is not None
        ]
        return Proposal(Path(), self.context.name, self.context.images.project_id, entries)


def propose(site: Site, *, cloud: str, patterns: Sequence[Pattern]) -> Proposed:
    """Look at the images of our project in a cloud.

    :raises ImagecycleError: when they cannot be listed.
    """
    slugs = {family.slug for family in catalog.load(site.catalog)}
    context = CloudContext.open(cloud, site)
    images = context.images.images()
    return Proposed(context, deciding.propose(images, patterns, slugs, context.records))


def write(proposed: Proposed, path: Path) -> None:
    """Write the proposal for ``adopt --apply``."""
    context = proposed.context
    proposal.write(path, context.name, context.images.project_id, proposed.candidates)
    log.say(f"written: {path}; read it, then apply it with `imagecycle adopt --apply {path}`")


def apply(
    confirmed: Proposal, site: Site, *, context: CloudContext | None = None, dry_run: bool
) -> int:
    """Adopt what was confirmed; what was adopted by an earlier run stays as it is.

    :returns: how many images were adopted, or would be.
    :raises Changed: when an image is not what it was when it was proposed; nothing is changed.
    :raises UsageError: when the proposal is for another project, or claims a release that an image
        of imagecycle has.
    """
    context = context or CloudContext.open(confirmed.cloud, site)
    if context.images.project_id != confirmed.project:
        raise UsageError(
            f"{confirmed.path} is a proposal for another project than "
            f"{context.name} belongs to now",
            hint="check that entry in clouds.yaml, or make the proposal again",
        )
    families = sorted({entry.family for entry in confirmed.entries})
    with context.lock([] if dry_run else families, f"adopt in {context.name}"):
        images = {image.id: image for image in context.images.images()}
        contents = context.recognise(images.values())
        plan = _plan(confirmed, context, images, contents)
        say(plan)
        if not dry_run and plan.steps:
            involved = [images[step.image_id] for step in plan.steps]
            Execution(context.images, context.audit(plan), involved).run(plan)
    return sum(identity.FAMILY in step.fields for step in plan.steps if isinstance(step, Change))


def as_table(candidates: Sequence[Candidate]) -> str:
    """One line for each image, fitted to the terminal if there is one."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for title in ("IMAGE", "NAME", "FAMILY", "RELEASE", "STATE", "VERDICT", "REMARK"):
        table.add_column(title, no_wrap=title in ("RELEASE", "STATE", "VERDICT"))
    for one in candidates:
        table.add_row(
            one.image.id[:8],
            escape(one.image.name),
            one.family,
            str(one.release or ""),
            one.state.value if one.state else "",
            one.verdict.value,
            escape(one.remark),
        )
    text = io.StringIO()
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH
    Console(file=text, width=width, highlight=False).print(table)
    counts = ", ".join(
        f"{sum(one.verdict is verdict for one in candidates)} {words}"
        for verdict, words in (
            (Verdict.ADOPT, "to adopt"),
            (Verdict.CONFLICT, "in conflict"),
            (Verdict.OURS, "ours already"),
            (Verdict.LEFT, "left alone"),
        )
    )
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    return "\n".join([*lines, "", counts]) + "\n"


def _plan(
    confirmed: Proposal, context: CloudContext, images: dict[str, Image], contents: Contents
) -> Plan:
    releases = [held for family in contents.families.values() for held in family]
    taken = {(held.family, held.release): held.id for held in releases}
    copies = {one.image.id: one for one in contents.copies}
    steps: list[Change] = []
    seen: list[Seen] = []
    moment = context.clock()
    for entry in confirmed.entries:
        holder = taken.get((entry.family, entry.release))
        if holder == entry.image_id:
            continue
        if holder is not None:
            raise UsageError(
                f"{confirmed.path}: {entry.family} {entry.release} is image {holder} already",
                hint=f"give image {entry.image_id} another release, such as {entry.release}.1, "
                "or take it out of the file",
            )
        if entry.image_id in copies:
            raise _is_copy(copies[entry.image_id])
        image = _as_proposed(entry, context, images)
        steps.append(deciding.addition(image, entry.family, entry.release, moment))
        seen.append(_seen(image, entry))
    why = f"adopt {len(steps)} images" + (f" by {confirmed.path}" if confirmed.path.name else "")
    adopted = {entry.family for entry in confirmed.entries}
    for held in [held for held in releases if held.family in adopted]:
        if unnamed := name_themselves([held]):
            steps += unnamed
            seen.append(planning.see(held, weighed=False))
    return Plan(
        cloud=context.name,
        project=confirmed.project,
        command="adopt",
        why=why,
        steps=steps,
        seen=seen,
    )


def _as_proposed(entry: Entry, context: CloudContext, images: dict[str, Image]) -> Image:
    image = images.get(entry.image_id)
    if image is None:
        raise _not_ours(entry, context)
    if identity.FAMILY in image.properties:
        raise _changed(context, f"image {image.id} is imagecycle's already, as another release")
    if planning.image_digest(image) != entry.digest:
        raise _changed(context, f'image {image.id} ("{image.name}") was changed')
    if reason := deciding.obstacle(image):
        raise UsageError(
            f"image {image.id} cannot be adopted: {reason}", hint="take it out of the file"
        )
    return image


def _is_copy(one: Copy) -> UsageError:
    of = f" of {one.of}" if one.of else ""
    return UsageError(
        f"image {one.image.id} cannot be adopted: it has the properties{of}, and is {one.what}",
        hint="take it out of the file, or tidy it first: imagecycle copies --tidy",
    )


def _not_ours(entry: Entry, context: CloudContext) -> ImagecycleError:
    try:
        image = context.images.image(entry.image_id)
    except Refused as refused:
        if refused.status != 404:
            raise
        return _changed(context, f"image {entry.image_id} is gone")
    return UsageError(
        f"image {image.id} belongs to project {image.owner}, not to ours",
        hint="adopt it as that project, or take it out of the file",
    )


def _changed(context: CloudContext, what: str) -> Changed:
    changed = Changed(context.name, what)
    changed.hint = "nothing was done; make the proposal again and look at it again"
    return changed


def _seen(image: Image, entry: Entry) -> Seen:
    return Seen(
        image.id,
        entry.family,
        str(entry.release),
        "",
        image.visibility,
        image.updated_at,
        planning.image_digest(image),
    )
