"""Random lives of releases in a cloud in memory, reproducible from a number.

A life is a list of deeds, each with a seed of its own, so that leaving one out changes the others
as little as can be: that is how a failing life is made short.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import itertools
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from imagecycle import log
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import cloud_context, publish, sharing, transitions
from imagecycle.lifecycle import plan as planning
from imagecycle.lifecycle.rules.publish import Target
from imagecycle.lifecycle.rules.retire import RetireOptions
from imagecycle.model import FamilyRetirement, Release
from imagecycle.site import Site
from imagecycle.site_sections import Retirement
from lifecycle.invariants import Watch
from lifecycle.memory_cloud import (
    BEGINNING,
    OWNER,
    Broken,
    Cloud,
    Killed,
    MemoryContext,
    Operator,
)

FAMILIES = ("debian-12-x86_64-server", "debian-12-x86_64-base")
PROJECTS = ("alpha", "beta", "gamma", "delta")
DISK = b"the very bytes"
DISK_SHA512 = hashlib.sha512(DISK).hexdigest()
WEIGHTS = {
    "publish": 5,
    "retire": 6,
    "retire_now": 2,
    "rollback": 2,
    "rollback_to": 2,
    "revoke": 1,
    "plan_and_apply": 2,
    "users": 6,
    "protect": 1,
    "copy": 4,
    "forget": 2,
    "jump": 2,
    "two": 3,
}
COMMANDS = ("publish", "retire", "retire_now", "rollback", "rollback_to", "revoke")
Deed = tuple[str, int]


@dataclass
class Life:
    """One cloud and what happens in it."""

    site: Site
    disk: Path
    fine: bool = False
    """Two operators take turns between any two calls, also between reading an image again and
    changing it: then only what holds in the end is asked for"""
    cloud: Cloud = field(default_factory=Cloud)
    watch: Watch = field(init=False)
    now: datetime.datetime = BEGINNING
    day: int = 0
    commands: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watch = Watch(self.cloud)
        self.cloud.after_call = self.watch.check
        numbers = itertools.count(1)
        publish._new_id = lambda: f"image-{next(numbers):02}"  # for choices that come again

    def run(self, deeds: Sequence[Deed]) -> None:
        """:raises Broken: when an invariant does not hold."""
        for name, seed in deeds:
            rng = random.Random(seed)
            self.now += datetime.timedelta(days=rng.choice((0, 1, 3, 10)))
            if name in COMMANDS:
                self.command(name, rng)
            else:
                getattr(self, f"do_{name}")(rng)
            self.cloud.calls += 1
            self.watch.check()
        self.settle()

    # deeds of the world

    def do_users(self, rng: random.Random) -> None:
        for _ in range(rng.randint(1, 4)):
            self.user_acts(rng)

    def user_acts(self, rng: random.Random) -> None:
        """A project makes a server, from an image that it may use, or deletes one."""
        cloud = self.cloud
        if cloud.servers and rng.random() < 0.45:
            del cloud.servers[rng.choice(sorted(cloud.servers))]
        elif cloud.images:
            image_id = rng.choice(sorted(cloud.images))
            members = sorted(cloud.members.get(image_id, ())) or PROJECTS
            cloud.boot(rng.choice(members if rng.random() < 0.5 else PROJECTS), image_id)

    def do_protect(self, rng: random.Random) -> None:
        if self.cloud.images:
            image_id = rng.choice(sorted(self.cloud.images))
            image = self.cloud.images[image_id]
            self.cloud.images[image_id] = replace(
                image, protected=not image.protected, updated_at=self.cloud.stamp()
            )

    def do_jump(self, rng: random.Random) -> None:
        """The operators' clock is set wrong, or right again."""
        self.now += datetime.timedelta(days=rng.choice((-400, -30, -1, 1, 30, 400)))

    def do_copy(self, rng: random.Random) -> None:
        """Nova makes a snapshot, Cinder uploads a volume, a person copies an image or a copy."""
        cloud = self.cloud
        if not cloud.images:
            return
        copy_id = f"copy-{len(cloud.used_ids):02}"
        more: dict[str, object] = {
            "visibility": rng.choice(("private", "shared", "public", "community")),
            "hidden": rng.random() < 0.3,
            "owner": rng.choice((OWNER, OWNER, OWNER, "alpha")),
            "status": rng.choice(("active", "active", "active", "queued", "deactivated")),
        }
        if rng.random() < 0.4:  # not the original's data, or none yet
            more |= {"hash_value": rng.choice(("", "another")), "size": 7}
        properties: dict[str, str] = {}
        if rng.random() < 0.3:
            properties["image_type"] = "snapshot"
        if rng.random() < 0.5:
            states = ("candidate", "current", "superseded", "retired", "revoked", "nonsense")
            properties["imagecycle_state"] = rng.choice(states)
        forget = rng.random() < 0.4
        if rng.random() < 0.3:  # the one that is newest would count
            properties["imagecycle_release"] = rng.choice(("20990101", "20200101", "never"))
        cloud.copy(
            rng.choice(sorted(cloud.images)), copy_id, forget=forget, properties=properties, **more
        )
        if rng.random() < 0.2:
            del cloud.images[rng.choice(sorted(cloud.copies & cloud.images.keys()))]

    def do_forget(self, rng: random.Random) -> None:
        """A release is one that was published before releases named their ids."""
        if releases := self.watch.releases():
            image = rng.choice(sorted(releases, key=lambda one: one.id))
            left = {k: v for k, v in image.properties.items() if k != "imagecycle_image_id"}
            self.cloud.images[image.id] = replace(
                image, properties=left, updated_at=self.cloud.stamp()
            )

    # commands

    def command(self, name: str, rng: random.Random) -> None:
        """One operator's command, with what befalls it."""
        operator = self.operator(rng)
        self.end(operator, self.attempt(name, rng, operator))

    def do_two(self, rng: random.Random) -> None:
        """Two operators' commands at the same time, in turns."""
        pair = [self.operator(rng, chance=0.1) for _ in range(2)]
        names = [rng.choice(COMMANDS) for _ in pair]
        seeds = [rng.random() for _ in pair]
        ends: list[str] = ["", ""]

        def work(number: int) -> None:
            own = random.Random(seeds[number])
            ends[number] = self.attempt(names[number], own, pair[number])

        if self.fine:
            self.cloud.after_call = lambda: None
        take_turns(pair, work, rng, fine=self.fine)
        self.cloud.after_call = self.watch.check
        if self.fine:
            self.excuse_two_revocations()
        for operator, end in zip(pair, ends, strict=True):
            self.end(operator, end, alone=False)
        if not any(operator.dead for operator in self.watch.at_work):
            self.watch.check_ended()

    def excuse_two_revocations(self) -> None:
        """Two operators who revoke the last two releases in the same moment get what they asked
        for: none is left that could be current."""
        images = [image.properties for image in self.watch.releases()]
        for family in FAMILIES:
            states = {
                own["imagecycle_state"] for own in images if own["imagecycle_family"] == family
            }
            if "revoked" in states and not states & {"current", "superseded", "retired"}:
                self.watch.given_up.add(family)

    def do_plan_and_apply(self, rng: random.Random) -> None:
        """A plan is kept; things happen or not; it is applied."""
        operator = self.operator(rng, chance=0)
        operator.incomplete = False
        operator.before_call = lambda _kind: None  # so that the plan is of one moment
        context = self.context(operator, rng)
        kept: list[planning.Plan] = []

        def make() -> None:
            mode = transitions.PlanMode(dry_run=True)
            kept.append(
                transitions.retire_in(
                    context, (), options=RetireOptions(now=rng.random() < 0.5), mode=mode
                ).plan
            )

        if self.tried(make) != "done":
            return
        plan = planning.parse(kept[0].as_json(), "plan")
        before = self.snapshot(plan)
        if rng.random() < 0.6:
            for name in rng.sample(("users", "protect", "retire_now", "publish"), 2):
                other = random.Random(rng.random())
                if name in COMMANDS:
                    self.command(name, other)
                else:
                    getattr(self, f"do_{name}")(other)
        same = before == self.snapshot(plan)
        applier = Operator(self.cloud, "applier")
        self.watch.at_work.append(applier)
        end = self.tried(lambda: transitions.apply_in(self.context(applier, rng), plan))
        self.end(applier, end)
        if not same and applier.log:
            raise Broken("5: a plan was applied to a cloud that had changed")
        if same and end == "Changed":
            raise Broken("5: a plan was refused by a cloud that had not changed")

    def attempt(self, name: str, rng: random.Random, operator: Operator) -> str:
        """Run a command; returns how it ended."""
        context = self.context(operator, rng)
        family = rng.choice(FAMILIES)
        operator.found_dead = [other for other in self.watch.at_work if other.dead]
        self.watch.at_work.append(operator)
        self.commands += 1
        end = self.tried(lambda: getattr(self, f"_{name}")(context, family, rng))
        self.outcomes[f"{name} {end}"] = self.outcomes.get(f"{name} {end}", 0) + 1
        return end

    def end(self, operator: Operator, end: str, *, alone: bool = True) -> None:
        """A command is over. What one that was killed left is excused until one has ended well."""
        if end == "killed":
            return
        if operator in self.watch.at_work:
            self.watch.at_work.remove(operator)
        if operator.whole and end == "done":
            left = operator.found_dead
            self.watch.at_work = [one for one in self.watch.at_work if one not in left]
        if alone and not self.watch.at_work:
            self.watch.check_ended()

    @staticmethod
    def tried(action: Callable[[], object]) -> str:
        try:
            action()
        except Killed:
            return "killed"
        except KeyboardInterrupt:
            return "interrupted"
        except ImagecycleError as error:
            return type(error).__name__
        return "done"

    def operator(self, rng: random.Random, chance: float = 0.3) -> Operator:
        operator = Operator(self.cloud)
        if rng.random() < chance:
            fault = rng.choice(("killed", "killed", "interrupted", "refused", "lost"))
            operator.faults[rng.randint(1, 25)] = fault
        operator.incomplete = rng.random() < 0.05
        operator.without_records = rng.random() < 0.2
        operator.members_at_a_time = rng.choice((1, 2, 100))

        def world_goes_on(_kind: str) -> None:
            if rng.random() < 0.12:
                self.user_acts(rng)

        operator.before_call = world_goes_on
        return operator

    def context(self, operator: Operator, rng: random.Random) -> MemoryContext:
        policy = Retirement.model_construct(
            keep=rng.choice((0, 0, 1, 2)),
            after_days=rng.choice((0, 5)),
            grace_days=rng.choice((0, 3)),
            quiet_hours=rng.choice(("", "", "", "00:00-12:00")),
            time_zone="UTC",
            members=rng.choice(("pending", "accepted")),
            max_changes=rng.choice((0, 1, 2, 20)),
        )
        site = self.site.model_copy(update={"retirement": policy})
        own = {family: policy.of(own_words(rng)) for family in FAMILIES if rng.random() < 0.4}
        clock = lambda: self.now  # noqa: E731
        return MemoryContext("memory", operator, operator.usage, {}, site, clock, own)

    def _publish(self, context: MemoryContext, family: str, rng: random.Random) -> None:
        if rng.random() < 0.8 or self.day == 0:
            self.day += 1
        release = Release(BEGINNING.date() + datetime.timedelta(days=self.day))
        target = Target(
            family=family,
            release=release,
            name=rng.choice(("", "a name", family)),
            size=len(DISK),
            disk_format="qcow2",
            min_disk=1,
            min_ram=1,
            properties={"imagecycle_family": family, "imagecycle_release": str(release)},
            hashes={"sha512": DISK_SHA512},
        )
        publish.publish_in(context, target, self.disk)

    def _retire(self, context: MemoryContext, family: str, rng: random.Random) -> None:
        transitions.retire_in(context, (), check_members=rng.random() < 0.2)
        self.ended_whole(context)

    def _retire_now(self, context: MemoryContext, family: str, rng: random.Random) -> None:
        transitions.retire_in(context, (family,), options=RetireOptions(now=True, max_changes=20))

    def _rollback(self, context: MemoryContext, family: str, rng: random.Random) -> None:
        transitions.roll_back_in(context, family)

    def _rollback_to(self, context: MemoryContext, family: str, rng: random.Random) -> None:
        transitions.roll_back_in(context, family, to=self.some_release(family, rng))

    def _revoke(self, context: MemoryContext, family: str, rng: random.Random) -> None:
        force = rng.random() < 0.1
        if force:
            self.watch.given_up.add(family)
        release = self.some_release(family, rng)
        private = rng.random() < 0.3
        transitions.revoke_in(context, family, release, reason="bad", private=private, force=force)

    def some_release(self, family: str, rng: random.Random) -> Release:
        own = [i for i in self.watch.releases() if i.properties["imagecycle_family"] == family]
        names = sorted({image.properties["imagecycle_release"] for image in own}) or ["20200101"]
        return Release.parse(rng.choice(names))

    def ended_whole(self, context: MemoryContext) -> None:
        """A run over all families with nothing left out also finishes what others left."""
        operator = context.images
        assert isinstance(operator, Operator)
        operator.whole = True

    def snapshot(self, plan: planning.Plan) -> object:
        cloud = self.cloud
        images = {
            image_id: image
            for image_id, image in cloud.images.items()
            if image.properties["imagecycle_family"] in plan.families
            and image_id not in cloud.copies
        }
        weighed = [one for one in plan.seen if one.users is not None]
        users = {one.image_id: frozenset(cloud.users(one.image_id) - {OWNER}) for one in weighed}
        members = {
            one.image_id: frozenset(cloud.members.get(one.image_id, ()))
            for one in plan.seen
            if one.members is not None
        }
        return images, users, members

    def settle(self) -> None:
        """The cloud is left alone, and retirement runs until it has nothing to do."""
        policy = Retirement.model_construct(
            keep=1,
            after_days=5,
            grace_days=3,
            quiet_hours="",
            time_zone="UTC",
            members="pending",
            max_changes=1000,
        )
        site = self.site.model_copy(update={"retirement": policy})
        for _ in range(6):
            operator = Operator(self.cloud)
            self.watch.at_work.append(operator)
            context = MemoryContext("memory", operator, operator.usage, {}, site, lambda: self.now)
            done = None
            if self.watch.releases():
                try:
                    done = transitions.retire_in(context, ())
                except ImagecycleError as error:
                    raise Broken(f"1: a cloud that is left alone cannot settle: {error}") from None
            self.watch.at_work.clear()
            self.watch.check_ended()
            if done is None or not done.plan.steps:
                break
        else:
            raise Broken("retirement never comes to rest")
        self.watch.check_settled()


def own_words(rng: random.Random) -> FamilyRetirement:
    """What a family may say about the end of life of its releases; None: as the site."""
    return FamilyRetirement(
        keep=rng.choice((None, 0, 1, 2)),
        after_days=rng.choice((None, 0, 5, 20)),
        grace_days=rng.choice((None, 0, 3, 20)),
        quiet_hours=rng.choice((None, "", "12:00-23:59")),
        members=rng.choice((None, "pending", "accepted")),
    )


def take_turns(
    operators: Sequence[Operator],
    work: Callable[[int], None],
    rng: random.Random,
    *,
    fine: bool,
) -> None:
    """Let operators work at once: at every call, another one may go on instead.

    Unless ``fine``, what stands together stays together: reading an image again and changing it.
    """
    main = threading.Semaphore(0)
    turns = [threading.Semaphore(0) for _ in operators]
    ended = [False for _ in operators]
    raised: list[BaseException] = []

    def gate(number: int, world: Callable[[str], None]) -> Callable[[str], None]:
        last = ""

        def wait(kind: str) -> None:
            nonlocal last
            together = kind in ("change", "delete") or (kind == last == "image")
            last = kind
            if fine or not together:
                main.release()
                turns[number].acquire()
                world(kind)

        return wait

    def body(number: int) -> None:
        turns[number].acquire()
        try:
            work(number)
        except BaseException as error:
            raised.append(error)
        ended[number] = True
        main.release()

    for number, operator in enumerate(operators):
        operator.before_call = gate(number, operator.before_call)
    threads = [threading.Thread(target=body, args=(n,), daemon=True) for n in range(len(turns))]
    for thread in threads:
        thread.start()
    while not all(ended):
        number = rng.choice([n for n, done in enumerate(ended) if not done])
        turns[number].release()
        main.acquire()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def deeds(seed: int) -> list[Deed]:
    """The life of a number."""
    rng = random.Random(seed)
    names = rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=rng.randint(4, 14))
    return [("publish", rng.getrandbits(32)), *((name, rng.getrandbits(32)) for name in names)]


def shortened(seed: int, run: Callable[[Sequence[Deed]], BaseException | None]) -> list[Deed]:
    """The fewest deeds of a failing life that fail as well."""
    left = deeds(seed)
    changed = True
    while changed:
        changed = False
        for number in range(len(left)):
            fewer = left[:number] + left[number + 1 :]
            if run(fewer) is not None:
                left, changed = fewer, True
                break
    return left


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without words for people, and without threads of imagecycle's own."""

    @contextlib.contextmanager
    def step(_title: str) -> Iterator[None]:
        yield

    @contextlib.contextmanager
    def transfer(_title: str, _total: int) -> Iterator[Callable[[int], None]]:
        yield lambda _done: None

    def one_by_one(action: Callable[[str], object], items: Sequence[str]) -> None:
        for item in items:
            action(item)

    kept = (log.say, log.warn, log.step, log.transfer, cloud_context.for_each, sharing.PAUSE)
    new_id = publish._new_id
    log.say = log.warn = lambda _text: None
    log.step, log.transfer = step, transfer  # type: ignore[assignment]
    cloud_context.for_each = one_by_one  # type: ignore[attr-defined]
    sharing.PAUSE = 0
    try:
        yield
    finally:
        publish._new_id = new_id
        log.say, log.warn, log.step, log.transfer, cloud_context.for_each, sharing.PAUSE = kept  # type: ignore[attr-defined]
