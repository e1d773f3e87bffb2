"""Carrying out the steps of a plan, each one only while its image is what the plan was made for.

Should two commands on different machines meet in the one round trip that nothing guards, and take
a family's last current release away, the one that sees it gives it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagecycle import log
from imagecycle.cloud.errors import Protected, Refused
from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import sharing
from imagecycle.lifecycle.audit import AuditLog
from imagecycle.lifecycle.guarded_images import GuardedImages, is_current, is_same
from imagecycle.lifecycle.interfaces import Images, UsageSource
from imagecycle.lifecycle.plan import Changed, Plan
from imagecycle.lifecycle.releases import Holding, holdings
from imagecycle.lifecycle.rules import promote
from imagecycle.lifecycle.steps import (
    Change,
    Delete,
    Discard,
    Share,
    Step,
    SyncMembers,
    Upload,
)
from imagecycle.lifecycle.uploading import upload
from imagecycle.metadata import identity
from imagecycle.model import State


@dataclass
class Result:
    """What a plan came to."""

    changed: dict[str, Image] = field(default_factory=dict)
    """By id: the images that were changed, as they are now"""
    windows: list[sharing.Window] = field(default_factory=list)
    users: dict[str, frozenset[str]] = field(default_factory=dict)
    """By id: the projects that use what was shared or revoked"""


class Execution:
    """One plan in one cloud.

    :param found: the images of the plan's families, as the plan was made from them.
    :param usage: asks who uses images; None where no step needs it.
    :param disk: of the release that the plan uploads.
    """

    def __init__(
        self,
        images: Images,
        audit: AuditLog,
        found: Iterable[Image],
        *,
        usage: UsageSource | None = None,
        disk: Path | None = None,
    ) -> None:
        self.images = images
        self.audit = audit
        self.guarded = GuardedImages(images, audit, found, usage=usage)
        self.result = Result(self.guarded.changed)
        self._disk = disk
        self._had_current = {
            image.properties.get(identity.FAMILY)
            for image in self.guarded.expected.values()
            if is_current(image)
        }

    def run(self, plan: Plan) -> Result:
        """Take all steps. A family whose step is refused is left; the others go on.

        :raises Changed: when the cloud is not what the plan was made for any more.
        :raises ImagecycleError: when a step fails; the next run goes on from there.
        """
        families = {one.image_id: one.family for one in plan.seen}
        families |= {step.image_id: step.family for step in plan.steps if isinstance(step, Upload)}
        failures: dict[str, ImagecycleError] = {}
        for step in plan.steps:
            family = families[step.image_id]
            if family in failures:
                continue
            try:
                self._take(step, family)
            except (Changed, Refused) as error:
                failures[family] = error
                if isinstance(error, Changed):
                    self._keep_a_current(family)
        if len(failures) == 1:
            raise next(iter(failures.values()))
        if failures:
            raise ImagecycleError(
                "\n".join(f"{family}: {error.message}" for family, error in failures.items()),
                hint="; ".join(dict.fromkeys(error.hint for error in failures.values())),
            )
        return self.result

    def _take(self, step: Step, family: str) -> None:
        match step:
            case Upload():
                self._upload(step)
            case Change():
                self._change(step, family)
            case Share():
                window = sharing.share(step, self.guarded)
                self.result.windows.append(window)
                self.result.users[step.image_id] = window.members
                self._see_a_current(step, family)
            case SyncMembers():
                sharing.sync(step, self.guarded)
            case Discard():
                self._delete(step)
            case Delete():
                self._delete_unused(step)

    def _upload(self, step: Upload) -> None:
        if self._disk is None:
            raise ImagecycleError("this plan uploads a disk that is not here", hint="publish it")
        with self.audit.mutation(str(step), step.image_id, None) as outcome:
            upload(step, self.images, self._disk)
            listed = self.images.images(**{identity.FAMILY: step.family})
            found = {held.id: held.image for held in self._releases(listed, step.family)}
            made = found.pop(step.image_id, None)
            if made is None:
                raise Changed(self.images.cloud, f"image {step.image_id} is gone")
            self.guarded.made(made)
            outcome.after = made.facts()
        before = {
            id_: image
            for id_, image in self.guarded.expected.items()
            if image.properties.get(identity.FAMILY) == step.family and id_ != step.image_id
        }
        same = (is_same(image, before.get(id_)) for id_, image in found.items())
        if found.keys() != before.keys() or not all(same):
            raise Changed(self.images.cloud)

    def _change(self, step: Change, family: str) -> None:
        if step.relies_on:
            self.guarded.require_current(step.relies_on)
        before = self.guarded.unchanged(step.image_id)
        with self.audit.mutation(str(step), step.image_id, before.facts()) as outcome:
            try:
                outcome.after = self.guarded.change(before, step.fields).facts()
            except Refused as refused:
                raise _explained(refused, step.fields) from None
        log.say(str(step))
        self._see_a_current(step, family)

    def _see_a_current(self, step: Change | Share, family: str) -> None:
        if step.relies_on and self._keep_a_current(family):
            raise Changed(self.images.cloud, "another command changes the same family")

    def _keep_a_current(self, family: str) -> bool:
        """Give a family a current release again, should another command have taken the last one
        away between our last look and our change; returns whether that was so."""
        found = self._releases(self.images.images(**{identity.FAMILY: family}), family)
        able = [
            held
            for held in found
            if held.state in (State.SUPERSEDED, State.RETIRED) and not held.image.protected
        ]
        if (
            not able
            or any(is_current(held.image) for held in found)
            or family not in self._had_current
        ):
            return False
        newest = able[-1]
        what = f"{newest}: current again, another command took the last one away"
        with self.audit.mutation(what, newest.id, newest.image.facts()) as outcome:
            outcome.after = self.images.change(newest.id, promote(newest).fields).facts()
        log.warn(what)
        return True

    def _releases(self, images: Iterable[Image], family: str) -> list[Holding]:
        """The family's releases among images: copies come and go, and are no matter."""
        return holdings(images, self.guarded.expected).get(family, [])

    def _delete_unused(self, step: Delete) -> None:
        owner = self.guarded.expected[step.image_id].owner
        if users := self.guarded.users(step.image_id, owner, own=True):
            log.say(f"image {step.image_id} is kept: it is used again, by {', '.join(users)}")
            return
        self._delete(step)

    def _delete(self, step: Discard | Delete) -> None:
        before = self.guarded.unchanged(step.image_id)
        with self.audit.mutation(str(step), step.image_id, before.facts()):
            self.images.delete(step.image_id)
        del self.guarded.expected[step.image_id]
        log.say(f"deleted image {step.image_id}")


def _explained(refused: Refused, fields: Mapping[str, object]) -> Refused:
    if isinstance(refused, Protected):
        return refused
    if refused.status == 403 and fields.get("visibility") == "public":
        return Refused(
            f"{refused.message}; this user may not make images public",
            403,
            hint="use a user whom the cloud's policy publicize_image allows it (usually an "
            "administrator of the same project); the upload is kept and will be used",
        )
    return refused
