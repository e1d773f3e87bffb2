"""Carrying out the steps of a plan, each one only while its image is what the plan was made for.

Before every change the image is read again. What is left is the time between that answer and the
change itself, one round trip; should two commands on different machines meet in it and take a
family's last current release away, the one that sees it gives it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from imagecycle import log
from imagecycle.cloud.errors import Protected, Refused
from imagecycle.cloud.image import OWN_FIELDS, Image
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import sharing
from imagecycle.lifecycle.audit import AuditLog
from imagecycle.lifecycle.interfaces import Images, UsageSource
from imagecycle.lifecycle.plan import Changed, Plan
from imagecycle.lifecycle.releases import holdings
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
from imagecycle.model import ProjectUse, State

_WITHOUT_DATA = {"queued", "saving"}
"""Statuses of an image before its data has arrived, and after an upload that broke off"""


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
        self.usage = usage
        self.result = Result()
        self._disk = disk
        self._expected = {image.id: image for image in found}
        self._had_current = {
            image.properties.get(identity.FAMILY)
            for image in self._expected.values()
            if _is_current(image)
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

    def unchanged(self, image_id: str) -> Image:
        """Read an image again.

        :raises Changed: when it is not what it was.
        """
        try:
            found = self.images.image(image_id)
        except Refused as refused:
            if refused.status != 404:
                raise
            raise Changed(self.images.cloud, f"image {image_id} is gone") from None
        if not _is_same(found, self._expected.get(image_id)):
            raise Changed(self.images.cloud, f"somebody changed image {image_id}")
        return found

    def see_current(self, image_id: str) -> None:
        """See that an image is current, before another stops being so in its favour.

        :raises Changed: when it is not.
        """
        if not _is_current(self.images.image(image_id)):
            raise Changed(self.images.cloud, f"image {image_id} is not current any more")

    def change(self, before: Image, fields: Mapping[str, Any]) -> Image:
        """Change an image that was just read again, and remember what it is now.

        :raises Changed: when something else was changed in that moment.
        """
        after = self.images.change(before.id, fields)
        expected = {**_fields(before), **_written(fields)}
        for name in [name for name, value in fields.items() if value is None]:
            expected.pop(name, None)
        if _fields(after) != expected:
            if identity.REVOKED_AT in after.properties.keys() - before.properties.keys():
                # our change came on top of a revocation, which outranks everything
                visibility = "shared" if after.visibility == "public" else after.visibility
                again = {
                    "visibility": visibility,
                    "os_hidden": True,
                    identity.STATE: State.REVOKED.value,
                }
                self.images.change(before.id, again)
            raise Changed(self.images.cloud, f"somebody else changed image {before.id} just now")
        self._expected[after.id] = self.result.changed[after.id] = after
        return after

    def _take(self, step: Step, family: str) -> None:
        match step:
            case Upload():
                self._upload(step)
            case Change():
                self._change(step, family)
            case Share():
                window = sharing.share(step, self)
                self.result.windows.append(window)
                self.result.users[step.image_id] = window.members
                self._see_a_current(step, family)
            case SyncMembers():
                sharing.sync(step, self)
            case Discard():
                self._delete(step)
            case Delete():
                self._delete_unused(step)

    def _upload(self, step: Upload) -> None:
        if self._disk is None:
            raise ImagecycleError("this plan uploads a disk that is not here", hint="publish it")
        with self.audit.mutation(str(step), step.image_id, None) as outcome:
            upload(step, self.images, self._disk)
            found = {
                image.id: image for image in self.images.images(**{identity.FAMILY: step.family})
            }
            made = found.pop(step.image_id, None)
            if made is None:
                raise Changed(self.images.cloud, f"image {step.image_id} is gone")
            self._expected[made.id] = self.result.changed[made.id] = made
            outcome.after = made.facts()
        before = {
            id_: image
            for id_, image in self._expected.items()
            if image.properties.get(identity.FAMILY) == step.family and id_ != step.image_id
        }
        same = (_is_same(image, before.get(id_)) for id_, image in found.items())
        if found.keys() != before.keys() or not all(same):
            raise Changed(self.images.cloud)

    def _change(self, step: Change, family: str) -> None:
        if step.relies_on:
            self.see_current(step.relies_on)
        before = self.unchanged(step.image_id)
        with self.audit.mutation(str(step), step.image_id, before.facts()) as outcome:
            try:
                outcome.after = self.change(before, step.fields).facts()
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
        images = self.images.images(**{identity.FAMILY: family})
        found = [held for held in holdings(images).get(family, []) if not held.image.protected]
        able = [held for held in found if held.state in (State.SUPERSEDED, State.RETIRED)]
        if (
            not able
            or any(_is_current(image) for image in images)
            or family not in self._had_current
        ):
            return False
        newest = able[-1]
        what = f"{newest}: current again, another command took the last one away"
        with self.audit.mutation(what, newest.id, newest.image.facts()) as outcome:
            outcome.after = self.images.change(newest.id, promote(newest).fields).facts()
        log.warn(what)
        return True

    def _delete_unused(self, step: Delete) -> None:
        owner = self._expected[step.image_id].owner
        if users := self.users(step.image_id, owner, own=True):
            log.say(f"image {step.image_id} is kept: it is used again, by {', '.join(users)}")
            return
        self._delete(step)

    def _delete(self, step: Discard | Delete) -> None:
        before = self.unchanged(step.image_id)
        with self.audit.mutation(str(step), step.image_id, before.facts()):
            self.images.delete(step.image_id)
        del self._expected[step.image_id]
        log.say(f"deleted image {step.image_id}")

    def users(self, image_id: str, owner: str, *, own: bool = False) -> frozenset[str]:
        """The projects that use an image at this moment, without its owner unless ``own``."""
        return frozenset(self.use(image_id, owner, own=own))

    def use(self, image_id: str, owner: str, *, own: bool = False) -> Mapping[str, ProjectUse]:
        """The same with what each of them made from the image."""
        if self.usage is None:
            raise ImagecycleError(
                f"{self.images.cloud}: nothing is taken away without a usage listing",
                hint="this is a defect of imagecycle; report it",
            )
        found = self.usage([image_id]).by_image.get(image_id, {})
        return {project: use for project, use in found.items() if own or project != owner}


def _is_same(found: Image, expected: Image | None) -> bool:
    """Whether nobody has changed an image; Glance itself notices late that an upload broke off."""
    if expected is not None and {found.status, expected.status} <= _WITHOUT_DATA:
        found = replace(found, status=expected.status, updated_at=expected.updated_at)
    return found == expected


def _fields(image: Image) -> dict[str, object]:
    """What changes of ours leave alone or set: everything but when it was changed."""
    return {name: value for name, value in image.facts().items() if name != "updated_at"}


def _written(fields: Mapping[str, Any]) -> dict[str, object]:
    return {
        name: value if name in OWN_FIELDS else str(value)
        for name, value in fields.items()
        if value is not None
    }


def _is_current(image: Image) -> bool:
    state = image.properties.get(identity.STATE)
    return image.visibility == "public" and state == State.CURRENT.value


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
