"""A sharing that broke off locks users out: giving access back waits for nothing."""

from __future__ import annotations

import pytest

from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.lifecycle import transitions
from imagecycle.lifecycle.policies import Policies
from imagecycle.lifecycle.rules.retire import RetireOptions
from lifecycle import test_sharing as sharing
from lifecycle.memory_cloud import Cloud, Killed, MemoryContext
from lifecycle.test_sharing import FAMILY, at, context, put, state

cloud = sharing.cloud
STRICT = {
    "keep": 9,
    "after_days": 900,
    "grace_days": 900,
    "quiet_hours": "00:00-23:59",
    "max_changes": 0,
}
OPEN, MENDED = ("superseded", "shared"), ("superseded", "public")


@pytest.fixture
def broken_off(cloud: Cloud) -> Cloud:
    """Whose ``old`` was being shared, and alpha not yet a member, when the command was killed."""
    to, operator = context(cloud)
    at(operator, "add_member", lambda: operator.faults.update({operator.made + 1: "killed"}))
    with pytest.raises(Killed):
        transitions.retire_in(to, [FAMILY])
    assert state(cloud) == OPEN
    assert not cloud.may_use("alpha", "old")
    return cloud


@pytest.mark.parametrize("families", [(), (FAMILY,)], ids=["all", "one"])
def test_it_waits_for_no_age_no_hour_and_no_limit(
    broken_off: Cloud, families: tuple[str, ...]
) -> None:
    transitions.retire_in(
        context(broken_off, **STRICT)[0], families, options=RetireOptions(max_changes=0)
    )
    assert state(broken_off) == MENDED
    assert broken_off.may_use("alpha", "old")


def test_a_plan_for_later_has_it_first(broken_off: Cloud) -> None:
    mode = transitions.PlanMode(dry_run=True)
    plan = transitions.retire_in(context(broken_off, max_changes=0)[0], (), mode=mode).plan
    assert plan.steps[0].image_id == "old"
    assert "its sharing broke off" in str(plan.steps[0])
    assert state(broken_off) == OPEN
    transitions.apply_in(context(broken_off)[0], plan)
    assert state(broken_off) == MENDED


def test_it_comes_before_every_other_step_of_any_family(broken_off: Cloud) -> None:
    put(broken_off, "older", "20260301", "current")  # a second one: to be superseded
    plan = transitions.retire_in(context(broken_off, **STRICT)[0], ()).plan
    assert [step.image_id for step in plan.steps] == ["old", "older"]


def test_it_does_not_wait_until_it_is_known_who_uses_what(broken_off: Cloud) -> None:
    to, operator = context(broken_off, **STRICT)
    operator.incomplete = True
    with pytest.raises(ImagecycleError, match="a cell is down"):
        transitions.retire_in(to, ())
    assert state(broken_off) == MENDED


class WithoutCatalog(MemoryContext):
    """A cloud whose operator has a catalog with mistakes."""

    def policies(self) -> Policies:
        raise UsageError("retirement.keep: expected a number")


def test_it_does_not_wait_until_the_catalog_is_mended(broken_off: Cloud) -> None:
    made, operator = context(broken_off)
    to = WithoutCatalog("memory", operator, operator.usage, {}, made.site, made.clock)
    with pytest.raises(UsageError, match=r"retirement\.keep"):
        transitions.retire_in(to, ())
    assert state(broken_off) == MENDED
    assert set(broken_off.members.get("old", ())) == set()


def test_a_plan_that_cannot_be_made_changes_nothing(broken_off: Cloud) -> None:
    to, operator = context(broken_off)
    operator.incomplete = True
    with pytest.raises(ImagecycleError, match="a cell is down"):
        transitions.retire_in(to, (), mode=transitions.PlanMode(dry_run=True))
    assert state(broken_off) == OPEN


def test_should_mending_fail_too_the_first_cause_is_told(broken_off: Cloud) -> None:
    to, operator = context(broken_off)
    operator.incomplete = True
    at(operator, "change", lambda: operator.faults.update({operator.made + 1: "refused"}))
    with pytest.raises(ImagecycleError, match="a cell is down"):
        transitions.retire_in(to, ())
    assert state(broken_off) == OPEN
