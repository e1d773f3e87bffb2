"""The rules alone, by the thousand: random lives in a cloud in memory.

IMAGECYCLE_RANDOM_RUNS says how many (by default as many as take some seconds), and
IMAGECYCLE_RANDOM_SEED from which number on; a failure prints the shortest life that shows it.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from imagecycle.lifecycle import guarded_images, plan, sharing, transitions
from imagecycle.lifecycle.execution import Execution
from imagecycle.lifecycle.guarded_images import GuardedImages
from imagecycle.lifecycle.rules import publish as publish_rule
from imagecycle.lifecycle.rules import retire as retire_rule
from imagecycle.lifecycle.rules.publish import Publication
from imagecycle.lifecycle.steps import Share
from imagecycle.metadata import identity
from imagecycle.model import Usage
from imagecycle.site import Site
from lifecycle import memory_cloud, random_life
from lifecycle.memory_cloud import Broken, MemoryContext, Operator
from lifecycle.random_life import Deed, Life, deeds, quietly, shortened

RUNS = int(os.environ.get("IMAGECYCLE_RANDOM_RUNS") or 1500)
FIRST = int(os.environ.get("IMAGECYCLE_RANDOM_SEED") or 0)
MANY = 1500
"""Lives in which a planted defect has to show; the rarest does in one of 200"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "disk").write_bytes(random_life.DISK)
    with quietly():
        yield Site(home=tmp_path)


def lived(site: Site, seed: int, *, fine: bool = False) -> Life:
    """A life that was lived to its end; the shortest one that fails is told if it was not."""

    def again(fewer: Sequence[Deed]) -> BaseException | None:
        try:
            Life(site, site.home / "disk", fine).run(fewer)
        except Broken as error:
            return error
        return None

    one = Life(site, site.home / "disk", fine)
    try:
        one.run(deeds(seed))
    except Broken as error:
        pytest.fail(f"life {seed}: {error}\nshortest: {shortened(seed, again)}")
    return one


def test_the_invariants_hold_after_every_call_of_random_lives(site: Site) -> None:
    outcomes: Counter[str] = Counter()
    pairs = copies = 0
    for seed in range(FIRST, FIRST + RUNS):
        one = lived(site, seed)
        copies += len(one.cloud.copies)
        outcomes.update(one.outcomes)
        pairs += one.watch.pairs
    commands = {name.split()[0] for name, count in outcomes.items() if name.endswith(" done")}
    assert commands == set(random_life.COMMANDS)
    ends = {name.split()[1] for name in outcomes}
    assert {"done", "killed", "interrupted", "Unreachable", "Incomplete", "Changed"} <= ends
    assert pairs > 50 * RUNS  # there was somebody who could have lost something
    assert copies > RUNS // 2
    assert "ImagecycleError" not in ends  # a copy with nonsense on it stops nobody


def test_a_life_is_the_same_whenever_it_is_lived(site: Site) -> None:
    for seed in range(30):
        first, second = lived(site, seed), lived(site, seed)
        assert first.outcomes == second.outcomes
        assert first.cloud.calls == second.cloud.calls
        assert first.cloud.images == second.cloud.images


def test_two_operators_at_any_moment_leave_no_family_without_a_current_release(
    site: Site,
) -> None:
    """Turns also change between reading an image again and changing it, which is asked of no
    cloud: then the invariants hold when both have ended."""
    for seed in range(FIRST, FIRST + RUNS // 3):
        lived(site, seed, fine=True)


Plant = Callable[[pytest.MonkeyPatch], None]


def old_goes_first(patch: pytest.MonkeyPatch) -> None:
    right = publish_rule.decide

    def wrong(*args: Any, **more: Any) -> Publication:
        publication = right(*args, **more)
        *first, last = publication.steps or (None,)
        if not getattr(last, "relies_on", None):
            return publication
        return dataclasses.replace(
            publication, steps=[dataclasses.replace(last, relies_on=None), *first]
        )

    patch.setattr("imagecycle.lifecycle.publish.decide", wrong)


def no_second_look(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(GuardedImages, "unchanged", lambda self, image_id: self.images.image(image_id))
    patch.setattr(GuardedImages, "require_current", lambda _self, _image_id: None)
    patch.setattr(Execution, "_keep_a_current", lambda _self, _family: False)
    patch.setattr(guarded_images, "_fields", lambda _image: {})
    patch.setattr(guarded_images, "_written", lambda _fields: {})


def a_user_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    right = sharing._let_in

    def wrong(users: Any, *more: Any) -> Any:
        return right(users[1:], *more)

    patch.setattr(sharing, "_let_in", wrong)
    patch.setattr(sharing, "_late", lambda users, *_: users)


def nobody_looks_for_late_comers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sharing, "_late", lambda users, *_: users)


def an_incomplete_listing_passes(patch: pytest.MonkeyPatch) -> None:
    right = Operator.usage

    def wrong(self: Operator, image_ids: Any) -> Usage:
        try:
            return right(self, image_ids)
        except memory_cloud.Incomplete:
            return Usage(memory_cloud.BEGINNING, {}, False)

    patch.setattr(Operator, "usage", wrong)


def the_grace_period_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(retire_rule, "_used", lambda _held: False)
    patch.setattr(Execution, "_delete_unused", Execution._delete)


def identity_is_written_anew(patch: pytest.MonkeyPatch) -> None:
    right = Operator.change

    def wrong(self: Operator, image_id: str, fields: Any) -> Any:
        return right(self, image_id, {**fields, "imagecycle_release": "20200101"})

    patch.setattr(Operator, "change", wrong)


def changes_are_not_written_down(patch: pytest.MonkeyPatch) -> None:
    right = sharing.share

    def wrong(step: Share, run: GuardedImages) -> sharing.Window:
        run.images.change(step.image_id, {"imagecycle_x": "1"})
        return right(step, run)

    patch.setattr(sharing, "share", wrong)


def an_outdated_plan_is_applied(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "compare", lambda *_: None)
    patch.setattr(transitions.planning, "compare", lambda *_: None)


def a_copy_is_taken_for_a_release(patch: pytest.MonkeyPatch) -> None:
    """As before releases named their ids."""
    patch.setattr(
        identity,
        "names_itself",
        lambda image: (
            identity.FAMILY in image.properties and image.properties.get("image_type") != "snapshot"
        ),
    )


def what_nobody_recorded_is_taken_for_a_release(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryContext, "records", lambda self: self.images.world.used_ids)


@pytest.mark.parametrize(
    ("plant", "invariant"),
    [
        (a_copy_is_taken_for_a_release, "14"),
        (what_nobody_recorded_is_taken_for_a_release, "14"),
        (old_goes_first, "1"),
        (no_second_look, "12"),
        (a_user_is_forgotten, "2"),
        (nobody_looks_for_late_comers, "2"),
        (the_grace_period_is_forgotten, "2"),
        (an_incomplete_listing_passes, "3"),
        (identity_is_written_anew, "4"),
        (changes_are_not_written_down, "5"),
        (an_outdated_plan_is_applied, "5"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_planted_defect_shows(
    site: Site, monkeypatch: pytest.MonkeyPatch, plant: Plant, invariant: str
) -> None:
    plant(monkeypatch)
    for seed in range(MANY):
        try:
            Life(site, site.home / "disk").run(deeds(seed))
        except Broken as error:
            assert str(error)[0] in invariant, error
            return
    pytest.fail(f"{MANY} lives did not show it")
