"""Real machines that will not come up are named, in little more time than a good one takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagecycle.verify.session import Outcome
from integration.boots import BuiltFamily, boot
from sabotages.stalls import STALLS, Stall

pytestmark = [pytest.mark.integration, pytest.mark.machines]

SHARE = 1.5
"""Of the time that a good image takes to its login, in which a bad one has its verdict"""


def leave_alone(_root: Path) -> None:
    pass


@pytest.fixture(scope="module")
def good(built_family: BuiltFamily) -> Outcome:
    """The same release unchanged, in a machine like theirs."""
    outcome = boot(built_family, leave_alone)
    assert outcome.ready, outcome.reason
    return outcome


LONG = [pytest.mark.long]


@pytest.mark.rotating(3, 2)
@pytest.mark.parametrize(
    "stall",
    [pytest.param(one, id=one.id, marks=LONG if one.long else []) for one in STALLS],
)
def test_sabotaged_image_is_named_early(
    built_family: BuiltFamily, good: Outcome, stall: Stall
) -> None:
    outcome = boot(built_family, stall.deed, stall.firmware)
    assert not outcome.ready
    assert outcome.picture == stall.picture, outcome.reason
    assert outcome.evidence
    assert outcome.pace < SHARE * good.pace, f"{outcome.pace} s, a good one {good.pace} s"
