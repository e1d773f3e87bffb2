"""A server works not only once: after a reboot, a reset, a move to another host, as a snapshot."""

from dataclasses import dataclass

import pytest

from imagecycle.verify.cases import GROWTH, HARD_RESET, OTHER_HOST, REBOOT, SNAPSHOT
from imagecycle.verify.course import MORE_DISK, MORE_MEMORY_MIB
from imagecycle.verify.fixtures import Lived
from imagecycle.verify.session import Session
from imagecycle.verify.verdict import NOT_RUN
from imagecycle.verify.windows_checks.test_at_rest import stopped
from imagecycle.verify.windows_checks.test_volumes import SLACK
from imagecycle.verify.windows_fixtures import Said
from imagecycle.verify.windows_way import unpacked

SAME_INSTANCE = (REBOOT, HARD_RESET, OTHER_HOST)


@dataclass(frozen=True)
class Again:
    """A life in which the machine came up: what it told, and what it had told before."""

    kind: str
    name: str
    """That the instance was given"""
    before: Said
    now: Said


@pytest.fixture
def again(life: Lived) -> Again:
    """A life that can be compared with the first."""
    if not life.life.account:
        pytest.skip(f"{NOT_RUN}: the machine did not come up")
    role = life.subject.role
    before, now = (Said(role, unpacked(one)) for one in (life.before, life.life.account))
    return Again(life.name, life.life.name, before, now)


def test_lets_the_user_in_again(life: Lived) -> None:
    """A server works until its first reboot, stop or move, and never again."""
    assert life.life.outcome.ready, life.life.outcome.reason


def test_is_another_boot(again: Again) -> None:
    """A reboot does not restart the system, so updates never take effect."""
    assert again.now["booted"] != again.before["booted"]


def test_keeps_name_and_identity(again: Again) -> None:
    """After a reboot the domain does not know the server any more, or clients refuse it."""
    if again.kind in SAME_INSTANCE:
        kept = ("name", "identity")
        assert [what for what in kept if again.now[what] != again.before[what]] == []
        one, other = (said["remote_desktop"]["certificate"] for said in (again.before, again.now))
        assert one == other, "remote desktop has another certificate"


def test_does_not_repeat_user_data(again: Again) -> None:
    """A script that a user meant for the first boot runs at every boot, and undoes his work."""
    if again.kind in SAME_INSTANCE:
        assert again.now["runs"] == again.before["runs"]


def test_snapshot_is_a_new_instance(again: Again) -> None:
    """A server made from a snapshot has the name of its original, and ignores its user data."""
    if again.kind == SNAPSHOT:
        name = again.now["name"].upper()
        assert name == again.name[:15].upper(), f"it is called {name}, not {again.name}"
        assert again.now["marker"] != again.before["marker"], "user data was not run anew"


def test_takes_what_a_resize_gives(again: Again, session: Session) -> None:
    """A resize to a larger flavour brings neither disk nor memory."""
    if again.kind != OTHER_HOST:
        return
    size, volumes = session.size + GROWTH + MORE_DISK, again.now["volumes"]
    assert volumes["disk"] == size, f"the disk has {volumes['disk']} bytes, and not {size}"
    assert volumes["disk"] - volumes["taken"] < SLACK, "the partition did not grow"
    before, now = (said["memory"]["total"] for said in (again.before, again.now))
    assert now - before > MORE_MEMORY_MIB * 2**10 / 2, f"memory was {before} KiB and is {now} KiB"


def test_services_that_should_run_do(again: Again) -> None:
    """Something that worked at the first boot fails at every later one."""
    assert list(stopped(again.now["services"], again.now["triggered"])) == []
