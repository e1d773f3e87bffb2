"""The policy of retirement by family: from the catalog to what is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.test_loading import Folder
from families import artifact, family
from imagecycle import catalog
from imagecycle.catalog import family_table
from imagecycle.errors import InvalidFile, UsageError
from imagecycle.lifecycle import policies, transitions
from imagecycle.lifecycle.policies import Policies
from imagecycle.lifecycle.publish import target_of
from imagecycle.lifecycle.releases import Holding
from imagecycle.lifecycle.rules import Decision, retire
from imagecycle.lifecycle.rules.retire import RetireOptions
from imagecycle.lifecycle.steps import Share
from imagecycle.model import FamilyRetirement, Release
from imagecycle.site import Site
from imagecycle.site_sections import Retirement
from lifecycle import test_sharing as sharing
from lifecycle.memory_cloud import MemoryContext
from lifecycle.test_rules import CURRENT, NOW, ago, done, held

FAMILY, OTHER = "debian-12-x86_64-server", "debian-12-x86_64-base"
SITE = Retirement.model_validate({"quiet_hours": "08:00-18:00", "time_zone": "Europe/Berlin"})

cloud = sharing.cloud


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def decide(
    own: FamilyRetirement, *, options: RetireOptions = retire.BY_POLICY, **policy: object
) -> Decision:
    """For two families with the same releases, of which one has its own policy."""
    site = Retirement.model_validate({"keep": 0, **policy})
    families = {FAMILY: releases("1"), OTHER: releases("2")}
    return retire.decide(families, Policies(site, {OTHER: site.of(own)}), now=NOW, options=options)


def releases(day: str) -> list[Holding]:
    return [
        held(f"2026010{day}", "retired", unused_since=ago(40)),
        held(f"2026020{day}", "superseded", superseded_at=ago(100)),
        CURRENT,
    ]


BOTH_OF_THE_FIRST = [("Share", "20260201"), ("Delete", "20260101")]


@pytest.mark.parametrize(
    ("own", "steps"),
    [
        (FamilyRetirement(keep=1), {"20260102"}),
        (FamilyRetirement(after_days=101), {"20260102"}),
        (FamilyRetirement(grace_days=41), {"20260202"}),
        (FamilyRetirement(quiet_hours="10:00-13:00"), set()),
        (FamilyRetirement(), {"20260102", "20260202"}),
    ],
)
def test_what_a_family_says_counts_for_it_and_no_other(
    own: FamilyRetirement, steps: set[str]
) -> None:
    made = {step.image_id for step in decide(own).steps}
    assert made == {"20260101", "20260201", *steps}


def test_a_family_may_lift_the_quiet_hours_of_the_site() -> None:
    decision = decide(FamilyRetirement(quiet_hours=""), quiet_hours="10:00-14:00")
    assert {step.image_id for step in decision.steps} == {"20260102", "20260202"}
    assert decision.notes == ["left until quiet hours end at 14:00 UTC: 2 of the changes"]


def test_families_with_other_quiet_hours_are_told_apart() -> None:
    decision = decide(FamilyRetirement(quiet_hours="11:00-13:00"), quiet_hours="10:00-14:00")
    assert decision.steps == []
    assert [note.split(": ")[0] for note in decision.notes] == [
        "left until quiet hours end at 14:00 UTC",
        "left until quiet hours end at 13:00 UTC",
    ]
    assert (
        len(
            decide(
                FamilyRetirement(quiet_hours="11:00-13:00"), options=RetireOptions(now=True)
            ).steps
        )
        == 4
    )


def test_the_limit_is_one_for_all_families_of_a_run() -> None:
    decision = decide(FamilyRetirement(keep=0), max_changes=3)
    assert len(decision.steps) == 3
    assert decision.notes == ["left for the next run, at most 3 a run: 1 of the changes"]


def test_a_family_decides_whether_its_users_find_a_retired_release_in_their_lists() -> None:
    steps = decide(FamilyRetirement(members="accepted")).steps
    accepted = {step.image_id: step.accept for step in steps if isinstance(step, Share)}
    assert accepted == {"20260201": False, "20260202": True}


def test_a_family_that_left_the_catalog_has_the_policy_of_the_site(folder: Folder) -> None:
    folder.spoil("disk: 3\n", "disk: 3\nretirement: {keep: 3}\n")
    found = policies.read(Site(catalog=folder.path))
    assert found.of(FAMILY).keep == 3
    assert found.of("debian-11-x86_64-server") == found.site


def test_what_a_file_says_is_overridden_by_its_flavours_key_by_key(folder: Folder) -> None:
    folder.spoil(
        "disk: 3\n",
        'disk: 3\nretirement: {keep: 3, after_days: 30, quiet_hours: "", members: accepted}\n',
    )
    folder.spoil("accepts logins\n", "accepts logins\n    retirement: {keep: 2, grace_days: 0.5}\n")
    folder.spoil("extends: base\n", "extends: base\n    retirement: {after_days: 7}\n")
    base, server = (catalog.find(folder.path, slug) for slug in (OTHER, FAMILY))
    assert base.retirement == FamilyRetirement(2, 30, 0.5, "", None, "accepted")
    assert server.retirement == FamilyRetirement(2, 7, 0.5, "", None, "accepted")
    assert SITE.of(server.retirement) == SITE.model_copy(
        update={
            "keep": 2,
            "after_days": 7,
            "grace_days": 0.5,
            "quiet_hours": "",
            "members": "accepted",
        }
    )


def test_without_a_word_a_family_has_the_policy_of_the_site(folder: Folder) -> None:
    assert SITE.of(catalog.find(folder.path, FAMILY).retirement) == SITE


def test_the_list_for_programs_tells_what_a_family_says(folder: Folder) -> None:
    folder.spoil("disk: 3\n", "disk: 3\nretirement: {keep: 3}\n")
    first, *_ = json.loads(family_table.as_json(catalog.load(folder.path)))
    assert first["retirement"]["keep"] == 3
    assert first["retirement"]["after_days"] is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{kep: 1}", "unknown key retirement.kep; did you mean keep?"),
        (
            "{max_changes: 3}",
            "unknown key retirement.max_changes; the keys here are keep, after_days, grace_days, "
            "quiet_hours, time_zone, members",
        ),
        (
            "{keep: -1}",
            "retirement.keep: expected superseded releases that stay usable, a whole number such "
            "as 1, found -1 (a number; in quotes it is text)",
        ),
        (
            "{keep: }",
            "retirement.keep: expected superseded releases that stay usable, a whole number such "
            "as 1, found nothing",
        ),
        (
            "{after_days: .inf}",
            "retirement.after_days: expected days such as 90, at most 36500, "
            "found .inf (a number; in quotes it is text)",
        ),
        (
            "{grace_days: 36501}",
            "retirement.grace_days: expected days such as 30, at most 36500, "
            "found 36501 (a number; in quotes it is text)",
        ),
        (
            "{quiet_hours: 8-18}",
            'retirement.quiet_hours: expected hours such as 08:00-18:00, or "" for none, '
            "found 8-18",
        ),
        (
            "{time_zone: Europe/Berlim}",
            "retirement.time_zone: expected a time zone such as Europe/Berlin, found Europe/Berlim",
        ),
        (
            "{members: acepted}",
            "retirement.members: expected pending or accepted, found acepted; "
            "did you mean accepted?",
        ),
        ("", "retirement: expected a section with keys such as keep and after_days, found nothing"),
    ],
)
def test_a_wrong_policy_is_named(folder: Folder, line: str, message: str) -> None:
    folder.spoil("disk: 3\n", f"disk: 3\nretirement: {line}\n")
    assert folder.mistakes() == [f"debian.yaml:11: {message}"]


def test_a_wrong_policy_of_a_flavour_is_named_where_it_stands(folder: Folder) -> None:
    folder.spoil("accepts logins\n", "accepts logins\n    retirement:\n      keep: one\n")
    (mistake,) = folder.mistakes()
    assert mistake.startswith("debian.yaml:22: flavours.base.retirement.keep: expected superseded")


def test_days_without_end_are_refused_in_the_settings_of_a_site(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="after_days"):
        Retirement.model_validate({"after_days": float("inf")})


def test_how_long_an_id_is_valid_follows_from_the_policy_of_the_family(tmp_path: Path) -> None:
    made = artifact(tmp_path, "20261122", size=2**17)
    site = Site.model_validate({"retirement": {"keep": 2}})
    for keep, promised in ((None, "last-2"), (3, "last-3"), (0, "none")):
        one = family(retirement=FamilyRetirement(keep=keep))
        assert target_of(one, made, site).properties["uuid_validity"] == promised


def test_nothing_is_taken_from_anyone_while_the_catalog_has_mistakes(folder: Folder) -> None:
    folder.spoil("disk: 3\n", "disk: 3\nretirement: {keep: many}\n")
    with pytest.raises(InvalidFile, match=r"retirement\.keep"):
        policies.read(Site(catalog=folder.path))
    with pytest.raises(UsageError, match="no catalog"):
        policies.read(Site(catalog=folder.path / "nothing"))


class WithoutCatalog(MemoryContext):
    """A cloud whose operator has a catalog with mistakes."""

    def policies(self) -> Policies:
        raise UsageError("retirement.keep: expected a number")


def test_a_revocation_does_not_wait_until_the_catalog_is_mended(
    cloud: sharing.Cloud,
) -> None:
    made, operator = sharing.context(cloud, members="accepted")
    broken = WithoutCatalog("memory", operator, operator.usage, {}, made.site, made.clock)
    transitions.revoke_in(broken, FAMILY, Release.parse("20260101"), reason="bad")
    assert cloud.members["old"] == {"alpha": "accepted"}


@pytest.mark.parametrize("members", ["pending", "accepted"])
def test_a_family_decides_whether_users_find_a_revoked_release_in_their_lists(
    cloud: sharing.Cloud, members: str
) -> None:
    made, operator = sharing.context(cloud)
    own = {FAMILY: made.site.retirement.of(FamilyRetirement(members=members))}
    context = MemoryContext("memory", operator, operator.usage, {}, made.site, made.clock, own)
    transitions.revoke_in(context, FAMILY, Release.parse("20260101"), reason="bad")
    assert cloud.members["old"] == {"alpha": members}


def test_both_of_the_first_family_are_done_whatever_the_other_says() -> None:
    assert done(decide(FamilyRetirement(keep=9, grace_days=900))) == BOTH_OF_THE_FIRST
