"""The moments in which somebody could be locked out, one by one."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError, Unreachable
from imagecycle.lifecycle import transitions
from imagecycle.lifecycle.rules.retire import RetireOptions
from imagecycle.metadata import identity
from imagecycle.model import Release
from imagecycle.site import Site
from imagecycle.site_sections import Retirement
from lifecycle.memory_cloud import BEGINNING, OWNER, Cloud, Killed, MemoryContext, Operator
from lifecycle.random_life import quietly

FAMILY = "debian-12-x86_64-server"
NOW = BEGINNING + datetime.timedelta(days=400)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """``old`` is superseded and used by alpha, ``new`` is current."""
    made = Cloud()
    put(made, "old", "20260101", "superseded", hidden=True)
    put(made, "new", "20260401", "current")
    made.boot("alpha", "old")
    with quietly():
        yield made


def put(cloud: Cloud, image_id: str, release: str, state: str, **fields: object) -> None:
    properties = {
        identity.IMAGE_ID: image_id,
        identity.FAMILY: FAMILY,
        identity.RELEASE: release,
        identity.STATE: state,
        identity.SUPERSEDED_AT: "2026-04-01T00:00:00+00:00",
    }
    values = {
        "id": image_id,
        "name": "",
        "status": "active",
        "visibility": "public",
        "hidden": False,
        "owner": OWNER,
        "size": 1,
        "min_disk": 1,
        "min_ram": 1,
        "hash_algo": "sha512",
        "hash_value": "00",
        "created_at": f"2026-01-01T00:00:0{len(cloud.images)}Z",
        "properties": properties,
    }
    cloud.images[image_id] = Image(**{**values, **fields})  # type: ignore[arg-type]


def context(cloud: Cloud, **policy: object) -> tuple[MemoryContext, Operator]:
    operator = Operator(cloud)
    retirement = Retirement.model_validate({"keep": 0, "grace_days": 1, **policy})
    site = Site(home=Path("/nonexistent"), retirement=retirement)
    return MemoryContext("memory", operator, operator.usage, {}, site, lambda: NOW), operator


def at(operator: Operator, kind: str, deed: Callable[[], object]) -> None:
    """Let ``deed`` happen right before the first call of a kind."""
    left = [deed]

    def before(call: str) -> None:
        if call == kind and left:
            left.pop()()

    operator.before_call = before


def state(cloud: Cloud, image_id: str = "old") -> tuple[str, str]:
    image = cloud.images[image_id]
    return image.properties[identity.STATE], image.visibility


def test_a_retired_release_is_shared_with_exactly_who_uses_it(cloud: Cloud) -> None:
    cloud.boot("beta", "new")
    done = transitions.retire_in(context(cloud)[0], [FAMILY])
    assert state(cloud) == ("retired", "shared")
    assert set(cloud.members["old"]) == {"alpha"}
    assert done.result is not None
    assert done.result.windows[0].members == {"alpha"}


def test_who_comes_between_the_listing_and_the_sharing_becomes_a_member(cloud: Cloud) -> None:
    to, operator = context(cloud)
    at(operator, "change", lambda: cloud.boot("beta", "old"))
    transitions.retire_in(to, [FAMILY])
    assert set(cloud.members["old"]) == {"alpha", "beta"}


def test_who_uses_it_again_while_its_membership_ends_stays_a_member(cloud: Cloud) -> None:
    transitions.retire_in(context(cloud)[0], [FAMILY])
    cloud.servers.clear()
    to, operator = context(cloud)
    at(operator, "remove_member", lambda: cloud.boot("alpha", "old"))
    transitions.retire_in(to, [FAMILY])
    assert set(cloud.members["old"]) == {"alpha"}


def test_a_removal_that_fails_is_taken_back(cloud: Cloud) -> None:
    cloud.boot("beta", "old")
    transitions.retire_in(context(cloud)[0], [FAMILY])
    cloud.servers.clear()
    to, operator = context(cloud)

    def fault() -> None:
        operator.faults[operator.made + 1] = "refused"

    left = [lambda: None, fault]

    def before(call: str) -> None:
        if call == "remove_member" and left:
            left.pop(0)()

    operator.before_call = before
    with pytest.raises(Unreachable):
        transitions.retire_in(to, [FAMILY])
    assert set(cloud.members["old"]) == {"alpha", "beta"}


@pytest.mark.parametrize("fault", ["refused", "lost", "interrupted"])
@pytest.mark.parametrize("kind", ["change", "add_member", "usage"])
def test_whatever_fails_in_the_window_the_image_is_public_again(
    cloud: Cloud, kind: str, fault: str
) -> None:
    to, operator = context(cloud)
    seen = 0

    def before(call: str) -> None:
        nonlocal seen
        shared = cloud.images["old"].visibility == "shared"
        if call == kind and (shared or kind == "change") and not seen:
            seen += 1
            operator.faults[operator.made + 1] = fault

    operator.before_call = before
    with pytest.raises((ImagecycleError, KeyboardInterrupt)):
        transitions.retire_in(to, [FAMILY])
    assert seen
    assert state(cloud) == ("superseded", "public")
    assert cloud.images["old"].hidden
    transitions.retire_in(context(cloud)[0], [FAMILY])
    assert state(cloud) == ("retired", "shared")


def shown(cloud: Cloud, operator: Operator) -> list[tuple[str, list[str]]]:
    """Visibility and members of ``old`` at each change and each membership, as they are made."""
    seen: list[tuple[str, list[str]]] = []

    def note() -> None:
        now = (cloud.images["old"].visibility, list(cloud.members.get("old", ())))
        if not seen or seen[-1] != now:
            seen.append(now)

    cloud.after_call = note
    return seen


def test_many_users_become_members_in_several_windows_those_with_most_servers_first(
    cloud: Cloud,
) -> None:
    for project in ("beta", "gamma", "gamma"):
        cloud.boot(project, "old")
    to, operator = context(cloud)
    operator.members_at_a_time = 1
    seen = shown(cloud, operator)
    done = transitions.retire_in(to, [FAMILY])
    assert seen == [
        ("public", []),
        ("shared", []),
        ("shared", ["gamma"]),
        ("public", ["gamma"]),
        ("shared", ["gamma"]),
        ("shared", ["gamma", "alpha"]),
        ("public", ["gamma", "alpha"]),
        ("shared", ["gamma", "alpha"]),
        ("shared", ["gamma", "alpha", "beta"]),
    ]
    assert done.result is not None
    assert len(done.result.windows[0].seconds) == 3
    window = dataclasses.replace(done.result.windows[0], seconds=(0.41, 0.734, 0.2))
    assert "could not use it 3 times, for 0.73 s at most and 1.3 s in all" in str(window)
    assert state(cloud) == ("retired", "shared")


def test_what_is_revoked_is_not_public_again_between_its_members(cloud: Cloud) -> None:
    cloud.boot("beta", "old")
    to, operator = context(cloud)
    operator.members_at_a_time = 1
    seen = shown(cloud, operator)
    transitions.revoke_in(to, FAMILY, Release.parse("20260101"), reason="bad")
    assert [visibility for visibility, _ in seen] == ["public", "shared", "shared", "shared"]
    assert set(cloud.members["old"]) == {"alpha", "beta"}


@pytest.mark.parametrize("fault", ["refused", "lost", "interrupted", "killed"])
@pytest.mark.parametrize("number", range(1, 8))
def test_what_breaks_off_between_windows_is_finished_by_the_next_run(
    cloud: Cloud, number: int, fault: str
) -> None:
    cloud.boot("beta", "old")
    to, operator = context(cloud)
    operator.members_at_a_time = 1
    seen = 0

    def before(_call: str) -> None:
        nonlocal seen
        if seen or cloud.images["old"].visibility == "shared":
            seen += 1
        if seen == number:
            operator.faults[operator.made + 1] = fault

    operator.before_call = before
    with pytest.raises((ImagecycleError, KeyboardInterrupt, Killed)):
        transitions.retire_in(to, [FAMILY])
    assert state(cloud)[0] == "superseded"
    assert fault == "killed" or cloud.images["old"].visibility == "public"
    transitions.retire_in(context(cloud)[0], [FAMILY])
    transitions.retire_in(context(cloud)[0], [FAMILY])
    assert state(cloud) == ("retired", "shared")
    assert set(cloud.members["old"]) == {"alpha", "beta"}


def test_a_release_made_current_between_two_windows_stays_current(cloud: Cloud) -> None:
    cloud.boot("beta", "old")
    to, operator = context(cloud)
    operator.members_at_a_time = 1
    other, _ = context(cloud)

    def restore() -> None:
        image = cloud.images["old"]
        if image.visibility == "public" and cloud.members.get("old"):
            cloud.after_call = lambda: None
            transitions.roll_back_in(other, FAMILY, to=Release.parse("20260101"))

    cloud.after_call = restore
    with pytest.raises(ImagecycleError, match="changed image old"):
        transitions.retire_in(to, [FAMILY])
    assert state(cloud) == ("current", "public")


def test_a_release_made_current_meanwhile_stays_public(cloud: Cloud) -> None:
    to, operator = context(cloud)
    other, _ = context(cloud)

    def restore() -> None:
        transitions.roll_back_in(other, FAMILY, to=Release.parse("20260101"))

    at(operator, "add_member", restore)
    with pytest.raises(ImagecycleError):
        transitions.retire_in(to, [FAMILY])
    assert state(cloud) == ("current", "public")


def test_nothing_is_taken_on_an_incomplete_listing(cloud: Cloud) -> None:
    to, operator = context(cloud)
    operator.incomplete = True
    before = dict(cloud.images)
    with pytest.raises(ImagecycleError, match="a cell is down"):
        transitions.retire_in(to, [FAMILY])
    assert cloud.images == before


def test_an_unused_release_is_deleted_after_the_grace_period_and_not_before(cloud: Cloud) -> None:
    cloud.servers.clear()
    transitions.retire_in(context(cloud, grace_days=30)[0], [FAMILY])
    transitions.retire_in(context(cloud, grace_days=30)[0], [FAMILY])
    assert "old" in cloud.images
    late, _ = context(cloud, grace_days=30)
    late = MemoryContext(
        "memory", late.images, late.usage, {}, late.site, lambda: NOW + datetime.timedelta(days=30)
    )
    transitions.retire_in(late, [FAMILY])
    assert "old" not in cloud.images


def test_a_release_used_again_in_the_very_moment_is_not_deleted(cloud: Cloud) -> None:
    cloud.servers.clear()
    transitions.retire_in(context(cloud, grace_days=0)[0], [FAMILY])
    to, operator = context(cloud, grace_days=0)
    left = [lambda: None, lambda: cloud.boot(OWNER, "old")]

    def before(call: str) -> None:
        if call == "usage" and left:
            left.pop(0)()

    operator.before_call = before
    transitions.retire_in(to, [FAMILY])
    assert "old" in cloud.images


def test_a_protected_release_is_never_touched(cloud: Cloud) -> None:
    put(cloud, "old", "20260101", "superseded", hidden=True, protected=True)
    done = transitions.retire_in(context(cloud)[0], [FAMILY], options=RetireOptions(now=True))
    assert done.plan.steps == ()
    assert "protected: left alone" in done.plan.notes[0]


def test_members_are_accepted_where_the_site_says_so(cloud: Cloud) -> None:
    transitions.retire_in(context(cloud, members="accepted")[0], [FAMILY])
    assert cloud.members["old"] == {"alpha": "accepted"}


def test_a_revoked_release_is_kept_by_its_users_alone(cloud: Cloud) -> None:
    cloud.boot("beta", "new")
    to, _ = context(cloud)
    transitions.revoke_in(to, FAMILY, Release.parse("20260401"), reason="a key was left in it")
    assert state(cloud, "new") == ("revoked", "shared")
    assert state(cloud, "old") == ("current", "public")
    assert set(cloud.members["new"]) == {"beta"}
    properties = cloud.images["new"].properties
    assert properties[identity.REVOKED_REASON] == "a key was left in it"
    assert properties[identity.SUCCESSOR] == "old"
    assert not cloud.boot("gamma", "new")


def test_a_revocation_does_not_wait_for_the_usage_listing(cloud: Cloud) -> None:
    to, operator = context(cloud)
    operator.incomplete = True
    with pytest.raises(ImagecycleError, match="a cell is down"):
        transitions.revoke_in(to, FAMILY, Release.parse("20260401"), reason="bad")
    assert state(cloud, "new") == ("revoked", "shared")


def test_members_changed_by_hand_are_put_right_on_request(cloud: Cloud) -> None:
    transitions.retire_in(context(cloud)[0], [FAMILY])
    cloud.members["old"] = {"stranger": "pending"}
    assert transitions.retire_in(context(cloud)[0], [FAMILY]).plan.steps == ()
    transitions.retire_in(context(cloud)[0], [FAMILY], check_members=True)
    assert set(cloud.members["old"]) == {"alpha"}


@pytest.mark.parametrize("private", [True, False])
def test_a_revocation_in_the_very_moment_of_another_change_stays(
    cloud: Cloud, private: bool
) -> None:
    to, operator = context(cloud)
    other, _ = context(cloud)

    def revoke() -> None:
        transitions.revoke_in(
            other, FAMILY, Release.parse("20260101"), reason="bad", private=private
        )

    at(operator, "change", revoke)
    with pytest.raises(ImagecycleError, match="just now"):
        transitions.roll_back_in(to, FAMILY)
    assert state(cloud)[0] == "revoked"
    assert not cloud.boot("gamma", "old")
    assert state(cloud, "new") == ("current", "public")
