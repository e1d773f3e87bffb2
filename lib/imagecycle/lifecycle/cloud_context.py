"""One cloud as the commands of a release's life work with it: its images, its usage, its lock."""

from __future__ import annotations

import contextlib
import datetime
import urllib.parse
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import log
from imagecycle.artifacts import lock_file
from imagecycle.cloud.concurrent import for_each
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.cloud.whoami import whoami
from imagecycle.errors import UnknownName
from imagecycle.lifecycle import policies, recognition, upload_records
from imagecycle.lifecycle.audit import AuditLog
from imagecycle.lifecycle.execution import Execution, Result
from imagecycle.lifecycle.interfaces import Images, UsageSource
from imagecycle.lifecycle.plan import Plan
from imagecycle.lifecycle.policies import Policies
from imagecycle.lifecycle.recognition import Contents
from imagecycle.lifecycle.releases import Holding
from imagecycle.metadata import identity
from imagecycle.model import Usage
from imagecycle.site import Site

Families = dict[str, list[Holding]]


def now() -> datetime.datetime:
    """This moment, UTC."""
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True)
class CloudContext:
    """A cloud that we are logged in to."""

    name: str
    images: Images
    usage: UsageSource
    who: Mapping[str, str]
    site: Site
    clock: Callable[[], datetime.datetime] = now

    @classmethod
    def open(cls, name: str, site: Site) -> CloudContext:
        """Log in to an entry of ``clouds.yaml``.

        :raises ImagecycleError: see :func:`imagecycle.cloud.session.open_cloud`.
        """
        return cls.of(open_cloud(name, site), name, site)

    @classmethod
    def of(cls, session: CloudSession, name: str, site: Site) -> CloudContext:
        """The same with a session that is there already."""
        return cls(name, Glance(session), _usage_of(session), whoami(session), site)

    def policies(self) -> Policies:
        """When releases of each family are retired and deleted.

        :raises UsageError: see :func:`imagecycle.lifecycle.policies.read`.
        """
        return policies.read(self.site)

    def records(self) -> Collection[str]:
        """The ids of the images that this machine's records know as releases."""
        return upload_records.recorded_in(self.site)

    def recognise(self, images: Iterable[Image]) -> Contents:
        """Tell the releases among our project's images from copies."""
        return recognition.recognise(images, self.records)

    def contents(self, names: Collection[str] = ()) -> Contents:
        """The releases of these families, or of all when none is named, and the copies of them.

        :raises UnknownName: when the cloud has no release of one of them.
        """
        if len(names) == 1:
            found = self.recognise(self.images.images(**{identity.FAMILY: next(iter(names))}))
        else:
            found = self.recognise(self.images.images())
        for name in names:
            if name not in found.families:
                every = found if len(names) > 1 else self.recognise(self.images.images())
                raise self._unknown(name, every)
        wanted = {
            name: found.families[name]
            for name in sorted(found.families)
            if not names or name in names
        }
        copies = [one for one in found.copies if not names or one.family in names]
        return Contents(wanted, copies)

    def _unknown(self, name: str, every: Contents) -> UnknownName:
        known = sorted(every.families)
        hint = f"there is {', '.join(known)}" if known else "publish one first"
        if unsure := every.unsure(name):
            hint = f"{unsure[0]} may be one: imagecycle copies --cloud {self.name} says what to do"
        return UnknownName(f"family in {self.name}", name, known, hint=hint)

    def families(self, names: Collection[str]) -> Families:
        """The releases of these families, or of all when none is named.

        What cannot be told from one is said, and left out.

        :raises UnknownName: when the cloud has no release of one of them.
        """
        found = self.contents(names)
        for one in found.unsure():
            log.warn(f"{one} is left alone: it is {one.what}; see `imagecycle copies`")
        return found.families

    def with_usage(self, families: Families, image_ids: Collection[str]) -> Families:
        """The same releases with who uses these images."""
        if not image_ids:
            return families
        with log.step(f"{self.name}: asking who uses {_count(image_ids)}"):
            usage = self.usage(image_ids)
        return _again(families, usage=usage)

    def with_members(self, families: Families, image_ids: Collection[str]) -> Families:
        """The same releases with the members of these images."""
        members: dict[str, Mapping[str, str]] = {}

        def ask(image_id: str) -> None:
            members[image_id] = self.images.members(image_id)

        for_each(ask, image_ids)
        return _again(families, members=members)

    def audit(self, plan: Plan) -> AuditLog:
        """The log of this cloud, for the changes of a plan."""
        path = audit_path(self.site, self.name)
        return AuditLog(path, plan.command, plan.why, self.who, plan.digest, self.clock)

    def execution(self, plan: Plan, families: Families, disk: Path | None = None) -> Execution:
        """What takes a plan's steps, for these releases that it was made from."""
        found = [held.image for family in families.values() for held in family]
        return Execution(self.images, self.audit(plan), found, usage=self.usage, disk=disk)

    def carry_out(self, plan: Plan, families: Families, disk: Path | None = None) -> Result:
        """Take a plan's steps."""
        return self.execution(plan, families, disk).run(plan)

    @contextlib.contextmanager
    def lock(self, families: Collection[str], doing: str) -> Iterator[None]:
        """Keep other commands on this machine from these families in this cloud.

        :raises LockHeld: naming who works on one of them.
        """
        with contextlib.ExitStack() as stack:
            for family in sorted(families):
                path = lock_path(self.site, self.name, family)
                stack.enter_context(lock_file(path, f"{family} in {self.name}", doing))
            yield


def audit_path(site: Site, cloud: str) -> Path:
    """Where the changes in a cloud are written down."""
    return site.home / "audit" / f"{_file_name(cloud)}.jsonl"


def lock_path(site: Site, cloud: str, family: str) -> Path:
    """What is locked while a family in a cloud is being changed."""
    return site.home / "locks" / _file_name(cloud) / f"{family}.lock"


def say(plan: Plan) -> None:
    """Print a plan for people."""
    for note in plan.notes:
        log.say(f"note: {note}")
    if not plan.steps:
        log.say(f"nothing to do in {plan.cloud}")
        return
    log.say(f"plan for {plan.cloud}: {plan.why}")
    for line in plan.lines():
        log.say(line)


def _usage_of(session: CloudSession) -> UsageSource:
    def ask(image_ids: Collection[str]) -> Usage:
        from imagecycle.cloud.usage import collect

        return collect(session, images=image_ids)

    return ask


def _again(
    families: Families,
    *,
    usage: Usage | None = None,
    members: Mapping[str, Mapping[str, str]] | None = None,
) -> Families:
    again: Families = {}
    for name, family in families.items():
        again[name] = [held.with_(usage=usage, members=members) for held in family]
    return again


def _count(image_ids: Collection[str]) -> str:
    return f"{len(image_ids)} image{'' if len(image_ids) == 1 else 's'}"


def _file_name(text: str) -> str:
    return urllib.parse.quote(text, safe=" @+")


def ids(families: Mapping[str, Sequence[Holding]]) -> list[str]:
    """Of all images."""
    return [held.id for family in families.values() for held in family]
