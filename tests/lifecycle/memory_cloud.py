"""A cloud in memory that keeps Glance's rules, and tells at every call who could use what.

Rules kept (Glance 33, Nova 34): members are taken only while an image is ``shared``, and survive
other visibilities; a member may use the image whatever its status; removing what is not there is
refused; a change of several fields is one change; an id is never given twice; protected images are
not deleted; hidden images are usable; a listing of hidden and of visible images is two calls;
``updated_at`` counts in seconds, and members do not move it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from imagecycle.cloud.errors import Refused
from imagecycle.cloud.image import OWN_FIELDS, Image
from imagecycle.cloud.image_import import ImageImport
from imagecycle.errors import ImagecycleError, Unreachable
from imagecycle.lifecycle.audit import AuditLog, Outcome
from imagecycle.lifecycle.cloud_context import CloudContext
from imagecycle.lifecycle.plan import Plan
from imagecycle.lifecycle.policies import Policies
from imagecycle.metadata import identity
from imagecycle.model import ProjectUse, State, Usage
from imagecycle.site_sections import Retirement

OWNER = "owner"
BEGINNING = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Killed(BaseException):
    """The process ended here: nothing of it runs any more."""


class Incomplete(ImagecycleError):
    """The usage listing lacks something."""


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True)
class Server:
    """What a project made from an image; ``since`` is the call after which it was there."""

    project: str
    image_id: str
    since: int


@dataclass
class Cloud:
    """Its images, their members, and the servers of its projects."""

    images: dict[str, Image] = field(default_factory=dict)
    members: dict[str, dict[str, str]] = field(default_factory=dict)
    servers: dict[int, Server] = field(default_factory=dict)
    copies: set[str] = field(default_factory=set)
    """Ids of images that Nova, Cinder or a person made with the properties of others"""
    calls: int = 0
    used_ids: set[str] = field(default_factory=set)
    after_call: Callable[[], None] = lambda: None

    def stamp(self) -> str:
        """The cloud's own clock: a call takes a quarter of a second."""
        moment = BEGINNING + datetime.timedelta(seconds=self.calls // 4)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def may_use(self, project: str, image_id: str) -> bool:
        """Whether Glance shows and gives an image to a project that asks by its id."""
        image = self.images.get(image_id)
        if image is None or image.status != "active":
            return False
        if image.visibility in ("public", "community") or image.owner == project:
            return True
        return image.visibility == "shared" and project in self.members.get(image_id, ())

    def copy(self, image_id: str, copy_id: str, *, forget: bool = False, **fields: Any) -> None:
        """An image with the properties of another one, in any state that one could be in.

        :param forget: without the original's id, as copies from before it was written are.
        """
        original = self.images[image_id]
        properties = {**original.properties, **fields.pop("properties", {})}
        if forget:
            properties.pop(identity.IMAGE_ID, None)
        stamp = self.stamp()
        self.copies.add(copy_id)
        self.used_ids.add(copy_id)
        self.images[copy_id] = dataclasses.replace(
            original,
            **{
                "id": copy_id,
                "created_at": stamp,
                "updated_at": stamp,
                "protected": False,
                **fields,
                "properties": properties,
            },
        )

    def boot(self, project: str, image_id: str) -> bool:
        """Make a server; returns whether the project may."""
        if not self.may_use(project, image_id):
            return False
        self.servers[len(self.servers) + self.calls * 1000] = Server(project, image_id, self.calls)
        return True

    def users(self, image_id: str) -> set[str]:
        return {one.project for one in self.servers.values() if one.image_id == image_id}


class MemoryAudit(AuditLog):
    """Keeps its lines, and which changes are under way."""

    def __init__(self, operator: Operator, command: str, why: str, plan: str) -> None:
        super().__init__(path=None, command=command, why=why, plan=plan)  # type: ignore[arg-type]
        object.__setattr__(self, "operator", operator)

    @contextlib.contextmanager
    def mutation(
        self, what: str, image_id: str, before: Mapping[str, Any] | None
    ) -> Iterator[Outcome]:
        operator: Operator = self.operator  # type: ignore[attr-defined]
        healing = what.endswith("took the last one away")
        if image_id not in operator.planned and not healing:
            raise Broken(f"5: {image_id} is changed, and is not in the plan: {what}")
        operator.allowed.add(image_id)
        operator.log.append(("begun", image_id, what))
        outcome = Outcome()
        try:
            yield outcome
        except Killed:
            raise
        except BaseException:
            operator.log.append(("failed", image_id, what))
            operator.allowed.discard(image_id)
            raise
        operator.log.append(("done", image_id, what))
        operator.allowed.discard(image_id)


@dataclass(eq=False)
class Operator:
    """One who works on the cloud: the door that imagecycle gets, and what befalls it there.

    ``before_call`` is where a scheduler takes over; ``faults`` names what happens at which of its
    calls: ``killed``, ``interrupted``, ``refused`` (nothing done) or ``lost`` (done, not told).
    """

    world: Cloud
    name: str = "operator"
    before_call: Callable[[str], None] = lambda _kind: None
    faults: dict[int, str] = field(default_factory=dict)
    without_records: bool = False
    """Whether its machine has no record of who uploaded what"""
    incomplete: bool = False
    """Whether its usage listings lack something"""
    members_at_a_time: int = 100
    """How many projects become members in the time that a caller gives for it"""
    whole: bool = False
    """Whether its command was one that also finishes what others left"""
    found_dead: list[Operator] = field(default_factory=list)
    """Who had been killed before its command began, which so can finish what they left"""
    made: int = 0
    dead: bool = False
    listed: dict[str, int] = field(default_factory=dict)
    """Image, and the call of the last complete usage listing with it"""
    taken: dict[str, int] = field(default_factory=dict)
    """Image, and the call of the listing on whose strength it was taken from somebody"""
    was_incomplete: bool = False
    planned: set[str] = field(default_factory=set)
    """Images with a step in the plan that is being applied"""
    allowed: set[str] = field(default_factory=set)
    """Images that the audit log says are being changed"""
    log: list[tuple[str, str, str]] = field(default_factory=list)

    cloud = "memory"
    project_id = OWNER

    def images(self, **properties: str) -> list[Image]:
        found: dict[str, Image] = {}
        for hidden in (False, True):
            with self._call("images"):
                for image in self.world.images.values():
                    if image.hidden is hidden and image.owner == OWNER:
                        found[image.id] = image
        return [
            image
            for image in sorted(found.values(), key=lambda image: (image.created_at, image.id))
            if properties.items() <= image.properties.items()
        ]

    def image(self, image_id: str) -> Image:
        with self._call("image"):
            return self._image(image_id)

    def create(self, fields: Mapping[str, Any]) -> Image:
        with self._call("create"):
            image_id = fields["id"]
            self._audited(image_id)
            if image_id in self.world.used_ids:
                raise Refused("the id is taken", 409)
            self.world.used_ids.add(image_id)
            image = Image(
                id=image_id,
                name=fields.get("name", ""),
                status="queued",
                visibility=fields.get("visibility", "shared"),
                hidden=False,
                owner=OWNER,
                size=0,
                min_disk=fields.get("min_disk", 0),
                min_ram=fields.get("min_ram", 0),
                hash_algo="",
                hash_value="",
                created_at=self.world.stamp(),
                properties={k: str(v) for k, v in fields.items() if k not in OWN_FIELDS},
                updated_at=self.world.stamp(),
            )
            self.world.images[image_id] = image
        return image

    def stage(
        self, image_id: str, stream: BinaryIO, size: int, report: Callable[[int], None]
    ) -> None:
        raise Refused("no import method is enabled", 405)

    @property
    def importing(self) -> ImageImport:
        raise Refused("no import method is enabled", 404)

    def upload(
        self,
        image_id: str,
        stream: BinaryIO,
        size: int,
        report: Callable[[int], None],
        *,
        store: str = "",
    ) -> None:
        with self._call("upload"):
            self._audited(image_id)
            self._put(image_id, status="saving")
        with self._call("uploaded"):
            content = stream.read()
            digest = hashlib.sha512(content).hexdigest()
            self._put(image_id, status="active", size=size, hash_algo="sha512", hash_value=digest)

    def change(self, image_id: str, fields: Mapping[str, Any]) -> Image:
        with self._call("change"):
            image = self._image(image_id)
            self._audited(image_id)
            self._taking_needs_a_listing(image, fields)
            if fields.get(identity.SUCCESSOR) in self.world.copies:
                raise Broken(f"4: {image_id} gives way to a copy")
            properties = dict(image.properties)
            own = {}
            for name, value in fields.items():
                if name in OWN_FIELDS:
                    own["hidden" if name == "os_hidden" else name] = value
                elif value is not None:
                    properties[name] = str(value)
                elif properties.pop(name, None) is None:
                    raise Refused(f"there is no property {name}", 409)
            return self._put(image_id, properties=properties, **own)

    def delete(self, image_id: str) -> bool:
        with self._call("delete"):
            image = self.world.images.get(image_id)
            self._audited(image_id)
            if image is None:
                return False
            if image.protected:
                raise Refused("it is protected", 403)
            if image.properties.get(identity.STATE) != State.CANDIDATE.value:
                self._listed(image_id)
            del self.world.images[image_id]
            self.world.members.pop(image_id, None)
        return True

    def members(self, image_id: str) -> dict[str, str]:
        with self._call("members"):
            if self._image(image_id).visibility != "shared":
                raise Refused("Only shared images have members", 403)
            return dict(self.world.members.get(image_id, {}))

    def add_members(
        self,
        image_id: str,
        projects: Collection[str],
        *,
        accept: bool = False,
        within: float | None = None,
    ) -> list[str]:
        added = list(projects) if within is None else list(projects)[: self.members_at_a_time]
        for project in added:
            with self._call("add_member"):
                self._audited(image_id)
                if self._image(image_id).visibility != "shared":
                    raise Refused("Only shared images have members", 403)
                self.world.members.setdefault(image_id, {}).setdefault(project, "pending")
        if accept:
            self.accept_members(image_id, added)
        return added

    def accept_members(self, image_id: str, projects: Collection[str]) -> None:
        for project in sorted(projects):
            with self._call("accept_member"):
                self._audited(image_id)
                if project not in self.world.members.get(image_id, ()):
                    raise Refused("it is no member", 404)
                self.world.members[image_id][project] = "accepted"

    def remove_members(self, image_id: str, projects: Collection[str]) -> None:
        for project in sorted(projects):
            with self._call("remove_member"):
                self._audited(image_id)
                self._listed(image_id)
                if self._image(image_id).visibility != "shared":
                    raise Refused("Only shared images have members", 403)
                self.world.members.get(image_id, {}).pop(project, None)

    def usage(self, image_ids: Collection[str]) -> Usage:
        """Who uses images, as Nova lists it."""
        with self._call("usage"):
            if self.incomplete:
                self.was_incomplete = True
                raise Incomplete("a cell is down")
            self.listed |= dict.fromkeys(image_ids, self.world.calls)
            by_image: dict[str, dict[str, ProjectUse]] = {}
            for server in self.world.servers.values():
                if server.image_id in image_ids:
                    of_image = by_image.setdefault(server.image_id, {})
                    before = of_image.get(server.project, ProjectUse({}))
                    of_image[server.project] = ProjectUse({"ACTIVE": before.amount + 1})
            return Usage(BEGINNING, by_image, False)

    @contextlib.contextmanager
    def _call(self, kind: str) -> Iterator[None]:
        if self.dead:
            raise Killed
        self.before_call(kind)
        self.made += 1
        self.world.calls += 1
        fault = self.faults.get(self.made)
        if fault == "killed":
            self.dead = True
            raise Killed
        if fault == "interrupted":
            raise KeyboardInterrupt
        if fault == "refused":
            raise Unreachable("503")
        yield
        self.world.after_call()
        if fault == "lost":
            raise Unreachable("the connection was cut")

    def _image(self, image_id: str) -> Image:
        try:
            return self.world.images[image_id]
        except KeyError:
            raise Refused("there is no such image", 404) from None

    def _put(self, image_id: str, **fields: Any) -> Image:
        image = dataclasses.replace(self._image(image_id), updated_at=self.world.stamp(), **fields)
        self.world.images[image_id] = image
        return image

    def _audited(self, image_id: str) -> None:
        if image_id in self.world.copies:
            raise Broken(f"4: {image_id} is a copy, and is changed")
        if image_id not in self.allowed:
            raise Broken(f"5: {image_id} is changed without a line in the audit log")

    def _taking_needs_a_listing(self, image: Image, fields: Mapping[str, Any]) -> None:
        away = image.visibility == "public" and fields.get("visibility") in ("shared", "private")
        if away and fields.get(identity.STATE) != State.REVOKED.value:
            self._listed(image.id)

    def _listed(self, image_id: str) -> None:
        if self.was_incomplete:
            raise Broken(f"3: {image_id} is taken from somebody after an incomplete listing")
        if image_id not in self.listed:
            raise Broken(f"3: {image_id} is taken from somebody without a usage listing")
        self.taken[image_id] = self.listed[image_id]


@dataclass(frozen=True)
class MemoryContext(CloudContext):
    """The cloud in memory as imagecycle's commands work with it, for one operator."""

    own: Mapping[str, Retirement] = field(default_factory=dict)
    """Of families that have a policy of their own"""

    def policies(self) -> Policies:
        return Policies(self.site.retirement, self.own)

    def records(self) -> Collection[str]:
        operator = self.images
        assert isinstance(operator, Operator)
        world = operator.world
        return () if operator.without_records else world.used_ids - world.copies

    def audit(self, plan: Plan) -> AuditLog:
        operator = self.images
        assert isinstance(operator, Operator)
        operator.planned = {step.image_id for step in plan.steps}
        return MemoryAudit(operator, plan.command, plan.why, plan.digest)

    @contextlib.contextmanager
    def lock(self, families: Collection[str], doing: str) -> Iterator[None]:
        """None: operators on different machines have nothing in common but the cloud."""
        yield
