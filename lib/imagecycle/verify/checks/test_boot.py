"""The image boots and lets its user in."""

import pytest
from testinfra.host import Host

from imagecycle.verify.session import Outcome, Session, Subject


@pytest.fixture
def outcome(session: Session, subject: Subject) -> Outcome:
    """Of the boot of each machine."""
    return subject.outcome(session.boot_limit)


def test_lets_the_injected_key_in(outcome: Outcome) -> None:
    """A server made from the image never becomes reachable, or not with the user's key."""
    assert outcome.ready, outcome.reason


def test_admin_user_has_a_shell(host: Host, session: Session) -> None:
    """The documented account is not the one that the key opens, or it has no usable shell."""
    assert host.check_output("id -un") == session.admin_user


def test_admin_user_may_use_sudo(host: Host) -> None:
    """The user of a new server cannot administrate it: sudo wants a password nobody has."""
    tried = host.run("sudo -n id -u")
    assert tried.stdout.strip() == "0", tried.stderr


def test_sudo_complains_of_nothing(host: Host) -> None:
    """Every sudo prints a complaint, or is slow, because the own name cannot be resolved."""
    assert host.run("sudo -n true").stderr == ""
