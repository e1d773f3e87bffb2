"""Retirement, rollback and revocation, decided from plain values."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from imagecycle.cloud.image import Image
from imagecycle.lifecycle.policies import Policies
from imagecycle.lifecycle.releases import Holding
from imagecycle.lifecycle.rules import Decision, retire, revoke, rollback
from imagecycle.lifecycle.rules.retire import RetireOptions
from imagecycle.lifecycle.rules.revoke import CannotRevoke
from imagecycle.lifecycle.rules.rollback import CannotRollBack
from imagecycle.lifecycle.steps import Change, Delete, Share, SyncMembers, members_digest
from imagecycle.metadata import identity
from imagecycle.model import Release, State
from imagecycle.site_sections import Retirement

FAMILY = "debian-12-x86_64-server"
NOW = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
POLICY = Retirement.model_validate({})


def ago(days: float) -> str:
    return (NOW - datetime.timedelta(days=days)).isoformat()


def held(
    release: str,
    state: str,
    *,
    users: str = "",
    members: str | None = None,
    known: bool = True,
    visibility: str = "",
    protected: bool = False,
    **moments: str,
) -> Holding:
    """A release; ``users`` and ``members`` are one letter each; ``known`` members are written
    on the image."""
    visible = {"candidate": "private", "retired": "shared", "revoked": "shared"}
    properties = {f"imagecycle_{name}": value for name, value in moments.items()}
    properties |= {identity.IMAGE_ID: release, identity.FAMILY: FAMILY}
    if known and state in ("retired", "revoked"):
        digest = members_digest(users if members is None else members)
        properties[identity.SHARED_WITH] = digest
    image = Image(
        id=release,
        name="",
        status="active",
        visibility=visibility or visible.get(state, "public"),
        hidden=state == "superseded",
        owner="owner",
        size=1,
        min_disk=1,
        min_ram=1,
        hash_algo="sha512",
        hash_value="00",
        created_at="2026-01-01T00:00:00Z",
        properties=properties,
        protected=protected,
    )
    carried = identity.Identity(FAMILY, Release.parse(release), State(state))
    named = None if members is None else dict.fromkeys(members, "pending")
    return Holding(image, carried, named, frozenset(users) - {"o"}, "o" in users)


CURRENT = held("20261101", "current")


def retired(
    *releases: Holding, options: RetireOptions = retire.BY_POLICY, **policy: object
) -> Decision:
    changed = Retirement.model_validate({**POLICY.model_dump(), **policy})
    return retire.decide({FAMILY: [*releases]}, Policies(changed), now=NOW, options=options)


def done(decision: Decision) -> list[tuple[str, str]]:
    return [(type(step).__name__, step.image_id) for step in decision.steps]


def test_the_newest_superseded_release_is_kept_and_older_ones_are_retired() -> None:
    olds = [held(r, "superseded", superseded_at=ago(200)) for r in ("20260201", "20260501")]
    assert done(retired(*olds, CURRENT)) == [("Share", "20260201")]
    assert done(retired(*olds, CURRENT, keep=0)) == [("Share", "20260201"), ("Share", "20260501")]
    assert done(retired(*olds, CURRENT, keep=2)) == []


def test_a_release_rolled_back_takes_no_place_among_those_kept() -> None:
    old = held("20260201", "superseded", superseded_at=ago(200))
    bad = held("20261110", "superseded", superseded_at=ago(200))
    assert done(retired(old, CURRENT, bad)) == [("Share", "20261110")]


@pytest.mark.parametrize(("days", "steps"), [(89.9, 0), (90, 1)])
def test_retirement_comes_when_the_days_are_over(days: float, steps: int) -> None:
    old = held("20260201", "superseded", superseded_at=ago(days))
    assert len(retired(old, CURRENT, keep=0).steps) == steps


@pytest.mark.parametrize("moment", [{}, {"superseded_at": ago(-3)}, {"superseded_at": "soon"}])
def test_a_release_without_a_sensible_time_counts_from_now(moment: dict[str, str]) -> None:
    (step,) = retired(held("20260201", "superseded", **moment), CURRENT, keep=0).steps
    assert isinstance(step, Change)
    assert step.fields == {identity.SUPERSEDED_AT: "2026-11-22T12:00:00+00:00"}


def test_now_retires_whatever_the_age_and_the_hour() -> None:
    old = held("20260201", "superseded", superseded_at=ago(1))
    decision = retired(old, CURRENT, options=RetireOptions(now=True), quiet_hours="00:00-23:59")
    assert done(decision) == [("Share", "20260201")]


def test_sharing_names_the_users_and_leaves_out_the_owner() -> None:
    old = held("20260201", "superseded", users="abo", superseded_at=ago(200))
    (step,) = retired(old, CURRENT, keep=0).steps
    assert isinstance(step, Share)
    assert step.members == ("a", "b")
    assert identity.UNUSED_SINCE not in step.last


def test_a_family_without_a_current_release_loses_nothing_more() -> None:
    old = held("20260201", "superseded", superseded_at=ago(900))
    gone = held("20260101", "retired", unused_since=ago(900))
    decision = retired(gone, old)
    assert decision.steps == []
    assert "no current release" in decision.notes[0]


def test_members_follow_use_in_both_directions() -> None:
    one = held("20260201", "retired", users="ac", members="ab", known=False)
    first, second = retired(one, CURRENT).steps
    assert isinstance(first, SyncMembers)
    assert isinstance(second, SyncMembers)
    assert (first.add, first.remove) == (("c",), ())
    assert (second.add, second.remove) == ((), ("b",))


def test_members_that_are_known_to_be_right_are_not_asked_for() -> None:
    right = held("20260201", "retired", users="ab")
    changed = held("20260301", "retired", users="ab", members="a")
    broken_off = held("20260401", "retired", users="", known=False)
    found = {FAMILY: [right, changed, broken_off, CURRENT]}
    assert retire.unsure_of_members(found) == ["20260301", "20260401"]
    assert retire.unsure_of_members(found, all_=True) == ["20260201", "20260301", "20260401"]


def test_additions_wait_for_neither_quiet_hours_nor_the_limit() -> None:
    one = held("20260201", "retired", users="ac", members="ab", known=False)
    decision = retired(one, CURRENT, quiet_hours="10:00-14:00")
    (step,) = decision.steps
    assert isinstance(step, SyncMembers)
    assert step.add == ("c",)
    assert decision.notes == ["left until quiet hours end at 14:00 UTC: 1 of the changes"]
    assert len(retired(one, CURRENT, max_changes=0).steps) == 1


@pytest.mark.parametrize(
    ("hours", "zone", "quiet"),
    [
        ("08:00-18:00", "UTC", True),
        ("12:00-12:01", "UTC", True),
        ("08:00-12:00", "UTC", False),
        ("22:00-06:00", "UTC", False),
        ("22:00-13:00", "UTC", True),
        ("20:00-22:00", "Asia/Tokyo", True),
        ("", "UTC", False),
    ],
)
def test_quiet_hours_are_those_of_the_sites_time_zone(hours: str, zone: str, quiet: bool) -> None:
    old = held("20260201", "superseded", superseded_at=ago(200))
    steps = retired(old, CURRENT, keep=0, quiet_hours=hours, time_zone=zone).steps
    assert bool(steps) is not quiet


def test_no_more_changes_than_allowed_are_made_and_the_rest_is_told() -> None:
    olds = [held(f"202601{n:02}", "superseded", superseded_at=ago(200)) for n in range(1, 8)]
    decision = retired(*olds, CURRENT, keep=0, max_changes=3)
    assert len(decision.steps) == 3
    assert decision.notes == ["left for the next run, at most 3 a run: 4 of the changes"]
    assert len(retired(*olds, CURRENT, keep=0, options=RetireOptions(max_changes=7)).steps) == 7


def test_deletion_needs_the_whole_grace_period_without_users() -> None:
    assert done(retired(held("20260201", "retired", unused_since=ago(30)), CURRENT)) == [
        ("Delete", "20260201")
    ]
    assert done(retired(held("20260201", "retired", unused_since=ago(29)), CURRENT)) == []
    (mark,) = retired(held("20260201", "retired"), CURRENT).steps
    assert isinstance(mark, Change)
    assert identity.UNUSED_SINCE in mark.fields


@pytest.mark.parametrize("users", ["a", "o"])
def test_use_again_ends_the_grace_period(users: str) -> None:
    one = held("20260201", "retired", users=users, unused_since=ago(300), known=True)
    (step,) = retired(one, CURRENT).steps
    assert isinstance(step, Change)
    assert step.fields == {identity.UNUSED_SINCE: None}


def test_a_grace_period_that_begins_in_the_future_begins_now() -> None:
    (step,) = retired(held("20260201", "retired", unused_since=ago(-9)), CURRENT).steps
    assert isinstance(step, Change)
    assert step.fields == {identity.UNUSED_SINCE: "2026-11-22T12:00:00+00:00"}


@pytest.mark.parametrize("state", ["superseded", "retired", "revoked"])
@pytest.mark.parametrize("wrong", [{"protected": True}, {"visibility": "community"}])
def test_what_somebody_decided_by_hand_is_left_alone_and_told(
    state: str, wrong: dict[str, object]
) -> None:
    one = held("20260201", state, superseded_at=ago(999), unused_since=ago(999), **wrong)
    decision = retired(one, CURRENT, keep=0, options=RetireOptions(now=True))
    assert decision.steps == []
    assert "left alone" in decision.notes[0]


def test_a_deactivated_image_is_left_alone() -> None:
    one = held("20260201", "retired", unused_since=ago(999))
    one = dataclasses.replace(one, image=dataclasses.replace(one.image, status="deactivated"))
    decision = retired(one, CURRENT)
    assert decision.steps == []
    assert "deactivated" in decision.notes[0]


def test_of_two_current_releases_the_older_one_is_superseded() -> None:
    (step,) = retired(held("20260201", "current"), CURRENT).steps
    assert isinstance(step, Change)
    assert (step.image_id, step.relies_on) == ("20260201", "20261101")


def test_rollback_promotes_the_previous_release_first() -> None:
    old = held("20260801", "superseded")
    older = held("20260501", "superseded")
    promoted, demoted = rollback.decide([older, old, CURRENT], to=None, now=NOW).steps
    assert isinstance(promoted, Change)
    assert isinstance(demoted, Change)
    assert (promoted.image_id, promoted.fields["visibility"]) == ("20260801", "public")
    assert (demoted.image_id, demoted.relies_on) == ("20261101", "20260801")


def test_rollback_restores_a_retired_release() -> None:
    old = held("20260801", "retired", retired_at=ago(3), unused_since=ago(3))
    promoted, _ = rollback.decide([old, CURRENT], to=None, now=NOW).steps
    assert isinstance(promoted, Change)
    assert promoted.fields == {
        "visibility": "public",
        "os_hidden": False,
        identity.STATE: "current",
        identity.RETIRED_AT: None,
        identity.UNUSED_SINCE: None,
    }


def test_rollback_to_the_current_release_has_nothing_to_do() -> None:
    assert rollback.decide([CURRENT], to=CURRENT.release, now=NOW).steps == []


@pytest.mark.parametrize(
    ("family", "to", "words"),
    [
        ([CURRENT], None, "no release before 20261101"),
        ([held("20260801", "revoked"), CURRENT], None, "no release before"),
        ([held("20260801", "candidate"), CURRENT], None, "no release before"),
        ([held("20260801", "revoked"), CURRENT], "20260801", "is revoked"),
        ([held("20260801", "candidate"), CURRENT], "20260801", "is candidate"),
        ([CURRENT], "20260801", "there is no release 20260801"),
        ([held("20260801", "superseded")], None, "no current release"),
        ([held("20260801", "superseded", protected=True), CURRENT], None, "is protected"),
        ([held("20260801", "superseded"), held("20261101", "current", protected=True)], None,
         "is protected"),
    ],
)  # fmt: skip
def test_a_rollback_that_cannot_be_is_refused_with_its_cause(
    family: list[Holding], to: str | None, words: str
) -> None:
    release = Release.parse(to) if to else None
    with pytest.raises(CannotRollBack, match=words) as caught:
        rollback.decide(family, to=release, now=NOW)
    assert caught.value.hint


def revoked(*family: Holding, release: str = "20261101", **how: bool) -> Decision:
    return revoke.decide(
        family, release=Release.parse(release), reason="a key was left in it", now=NOW, **how
    )


def test_revoking_the_current_release_makes_its_predecessor_current_first() -> None:
    first, away = revoked(held("20260801", "superseded"), CURRENT).steps
    assert isinstance(first, Change)
    assert first.image_id == "20260801"
    assert isinstance(away, Share)
    assert away.back is None
    assert away.first["visibility"] == "shared"
    assert away.first[identity.SUCCESSOR] == "20260801"
    assert away.relies_on == "20260801"


def test_revoking_an_older_release_names_the_current_one_as_successor() -> None:
    (away,) = revoked(held("20260801", "superseded"), CURRENT, release="20260801").steps
    assert isinstance(away, Share)
    assert away.first[identity.SUCCESSOR] == "20261101"
    assert away.relies_on is None


def test_a_private_revocation_takes_it_from_its_users_too() -> None:
    _, away = revoked(held("20260801", "superseded"), CURRENT, private=True).steps
    assert isinstance(away, Change)
    assert away.fields["visibility"] == "private"


def test_revoking_the_only_release_needs_force() -> None:
    with pytest.raises(CannotRevoke, match="no release before it"):
        revoked(CURRENT)
    (away,) = revoked(CURRENT, force=True).steps
    assert isinstance(away, Share)
    assert identity.SUCCESSOR not in away.first


def test_revoking_twice_changes_nothing() -> None:
    assert revoked(held("20260801", "revoked"), CURRENT, release="20260801").steps == []


def test_a_revocation_that_broke_off_is_finished_by_the_next() -> None:
    (step,) = revoked(held("20260801", "revoked", known=False), CURRENT, release="20260801").steps
    assert isinstance(step, Share)
    assert step.first == {identity.SHARED_WITH: ""}


def test_revoking_what_is_not_there_or_protected_is_refused() -> None:
    with pytest.raises(CannotRevoke, match="there is no release 20200101"):
        revoked(CURRENT, release="20200101")
    with pytest.raises(CannotRevoke, match="is protected"):
        revoked(held("20261101", "current", protected=True))


def test_an_unused_revoked_release_is_deleted_after_the_grace_period() -> None:
    one = held("20260201", "revoked", unused_since=ago(30), visibility="private")
    (step,) = retired(one, CURRENT).steps
    assert isinstance(step, Delete)


def test_a_sharing_that_broke_off_is_undone_even_if_the_image_was_protected_since() -> None:
    left = held("20260201", "superseded", superseded_at=ago(1), visibility="shared", protected=True)
    (step,) = retired(left, CURRENT).steps
    assert isinstance(step, Change)
    assert step.fields == {"visibility": "public", "os_hidden": True}
