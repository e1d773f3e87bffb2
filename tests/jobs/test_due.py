import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagecycle.jobs.due import RHYTHMS, Answer, Made, Wanted, begin, decide
from imagecycle.model import Release

TODAY = datetime.date(2026, 11, 22)
FAMILY = "debian-12-x86_64-server"


def ask(*made: Made, every: str = "quarter", end: datetime.date | None = None) -> Answer:
    (answer,) = decide([Wanted(FAMILY, every, end)], {FAMILY: made}, TODAY)
    return answer


def release(text: str) -> Release:
    return Release.parse(text)


def made(text: str, *, published: bool = False, revoked: bool = False, verdict: str = "") -> Made:
    return Made(release(text), published, revoked, verdict)


@pytest.mark.parametrize(
    ("releases", "due", "since", "reason"),
    [
        ([], True, "20261001", "there is no release yet"),
        ([made("20260930", published=True)], True, "20261001", "the newest release is 20260930"),
        ([made("20261001", published=True)], False, "20261001", "20261001 is published"),
        ([made("20261115")], True, "20261001", "20261115 is built and not verified"),
        (
            [made("20261115", verdict="passed")],
            True,
            "20261001",
            "20261115 is verified and not published",
        ),
        (
            [made("20261115", verdict="failed")],
            False,
            "20261001",
            "20261115 has defects: mend it and build it",
        ),
        (
            [made("20261115", verdict="failed"), made("20261116")],
            True,
            "20261001",
            "20261116 is built and not verified",
        ),
        (
            [made("20261101", published=True), made("20261115")],
            False,
            "20261001",
            "20261101 is published",
        ),
        (
            [made("20261101", published=True, revoked=True)],
            True,
            "20261101.1",
            "there is no release yet",
        ),
        (
            [made("20261101", revoked=True), made("20261101.1", published=True)],
            False,
            "20261101.1",
            "20261101.1 is published",
        ),
        (
            [made("20260801", revoked=True), made("20260701", published=True)],
            True,
            "20261001",
            "the newest release is 20260801",
        ),
    ],
)
def test_a_family_is_due_until_a_release_of_the_period_is_published(
    releases: list[Made], due: bool, since: str, reason: str
) -> None:
    assert ask(*releases) == Answer(FAMILY, due, release(since), reason)


def test_a_family_that_the_vendor_no_longer_supports_is_not_due() -> None:
    answer = ask(end=datetime.date(2026, 11, 21))
    assert (answer.due, answer.reason) == (False, "out of support since 2026-11-21")
    assert ask(end=TODAY).due


@pytest.mark.parametrize(
    ("every", "first"),
    [
        ("week", datetime.date(2026, 11, 16)),
        ("month", datetime.date(2026, 11, 1)),
        ("quarter", datetime.date(2026, 10, 1)),
        ("year", datetime.date(2026, 1, 1)),
    ],
)
def test_a_period_begins_on_its_first_day(every: str, first: datetime.date) -> None:
    assert begin(every, TODAY) == first
    assert begin(every, first) == first
    assert begin(every, first - datetime.timedelta(days=1)) < first


@given(
    st.sampled_from(RHYTHMS),
    st.dates(datetime.date(2020, 1, 1), datetime.date(2039, 12, 31)),
    st.lists(
        st.builds(
            Made,
            st.builds(
                Release,
                st.dates(datetime.date(2020, 1, 1), datetime.date(2039, 12, 31)),
                st.integers(0, 3),
            ),
            st.booleans(),
            st.booleans(),
            st.sampled_from(["", "passed", "failed"]),
        ),
        unique_by=lambda entry: entry.release,
    ),
)
def test_a_new_published_release_ends_it_whatever_was_before(
    every: str, today: datetime.date, before: list[Made]
) -> None:
    before = [entry for entry in before if entry.release.date <= today]
    (answer,) = decide([Wanted(FAMILY, every)], {FAMILY: before}, today)
    if not answer.due:
        return
    newest = max((entry.release for entry in before), default=Release(begin(every, today)))
    new = Made(Release(today, newest.serial + 1), published=True)
    (again,) = decide([Wanted(FAMILY, every)], {FAMILY: [*before, new]}, today)
    assert not again.due
    assert new.release >= answer.since


def test_what_cannot_be_built_here_is_left_out_with_the_reason() -> None:
    wanted = Wanted(FAMILY, "quarter", left_out="its install media are not configured")
    (answer,) = decide([wanted], {}, TODAY)
    assert not answer.due
    assert answer.reason == "left out: its install media are not configured"
