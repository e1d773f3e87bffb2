import pytest

from imagecycle.offering import outlook
from imagecycle.offering.offered_release import of_image
from imagecycle.site_sections import Retirement
from offering.releases import image

SINCE = "2026-11-22T12:00:00+00:00"


def policy(**words: object) -> Retirement:
    return Retirement.model_validate(words)


def test_a_superseded_release_is_everyones_until_the_policy_retires_it() -> None:
    release = of_image(image(state="superseded", imagecycle_superseded_at=SINCE))
    found = outlook.of_release(release, policy(after_days=90, keep=0))
    assert (found.usable_by, found.until) == ("everyone", "2027-02-20")
    assert "at least until 2027-02-20. After that" in found.words


def test_a_kept_one_is_everyones_for_longer() -> None:
    release = of_image(image(state="superseded", imagecycle_superseded_at=SINCE))
    words = outlook.of_release(release, policy(keep=2)).words
    assert "as long as it is one of the newest 2 of the superseded releases" in words


@pytest.mark.parametrize("since", [None, "soon", "9999-12-31T00:00:00+00:00"])
def test_nothing_is_promised_where_nothing_tells(since: str | None) -> None:
    release = of_image(image(state="superseded", imagecycle_superseded_at=since))
    assert outlook.of_release(release, policy()).until == ""


@pytest.mark.parametrize(
    ("state", "usable_by"),
    [("current", "everyone"), ("retired", "its users"), ("revoked", "nobody")],
)
def test_each_state_says_who_can_use_it(state: str, usable_by: str) -> None:
    assert outlook.of_release(of_image(image(state=state)), policy()).usable_by == usable_by
