"""The image boots and lets its user in."""

from collections.abc import Mapping

import pytest

from imagecycle.verify.account import SUDO
from imagecycle.verify.session import Outcome, Session, Subject


@pytest.fixture
def outcome(session: Session, subject: Subject) -> Outcome:
    """Of the boot of each machine."""
    return subject.outcome(session.boot_limit)


def test_lets_the_injected_key_in(outcome: Outcome) -> None:
    """A server made from the image never becomes reachable, or not with the user's key."""
    assert outcome.ready, outcome.reason


def test_admin_user_has_a_shell(told: Mapping[str, str], session: Session) -> None:
    """The documented account is not the one that the key opens, or it has no usable shell."""
    assert told["user"] == session.admin_user


def test_admin_user_may_use_sudo(told: Mapping[str, str]) -> None:
    """The user of a new server cannot administrate it: sudo wants a password nobody has."""
    told["user"]
    assert "boot_id" in told, told.get(SUDO, "sudo did nothing")


def test_sudo_complains_of_nothing(told: Mapping[str, str]) -> None:
    """Every sudo prints a complaint, or is slow, because the own name cannot be resolved."""
    assert told[SUDO] == ""
