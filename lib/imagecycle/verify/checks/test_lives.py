"""A server works not only once: after a reboot, a reset, a move to another host, as a snapshot."""

import pytest

from imagecycle.verify.cases import GROWTH, HARD_RESET, OTHER_HOST, REBOOT, SNAPSHOT
from imagecycle.verify.checks.test_root_file_system import is_used
from imagecycle.verify.course import MORE_DISK, MORE_MEMORY_MIB
from imagecycle.verify.fixtures import Lived
from imagecycle.verify.session import Session
from imagecycle.verify.verdict import NOT_RUN

SAME_INSTANCE = (REBOOT, HARD_RESET, OTHER_HOST)


@pytest.fixture
def again(life: Lived) -> Lived:
    """A life in which the machine came up."""
    if not life.life.account:
        pytest.skip(f"{NOT_RUN}: the machine did not come up")
    return life


def test_lets_the_key_in_again(life: Lived) -> None:
    """A server works until its first reboot, stop or move, and never again."""
    assert life.life.outcome.ready, life.life.outcome.reason


def test_is_another_boot(again: Lived) -> None:
    """A reboot does not restart the system, so updates of the kernel never take effect."""
    assert again.life.account["boot_id"] != again.before["boot_id"]


def test_keeps_name_and_identity(again: Lived) -> None:
    """After a reboot clients refuse the server's changed host keys, or it has another name."""
    if again.name not in SAME_INSTANCE:
        return
    kept = ("name", "machine_id", "host_keys")
    changed = [what for what in kept if again.life.account[what] != again.before[what]]
    assert changed == []


def test_does_not_repeat_user_data(again: Lived) -> None:
    """A script that a user meant for the first boot runs at every boot, and undoes his work."""
    if again.name in SAME_INSTANCE:
        assert again.life.account["marker"] == ""


def test_snapshot_is_a_new_instance(again: Lived) -> None:
    """A server made from a snapshot has the name and the host keys of its original."""
    if again.name == SNAPSHOT:
        name = again.life.account["name"].split(".")[0]
        assert name == again.life.name, f"it is called {name}, not {again.life.name}"
        ours = set(again.life.account["host_keys"].split())
        assert sorted(ours & set(again.before["host_keys"].split())) == []
        assert again.life.account["marker"], "user data was not executed anew"


def test_takes_what_a_resize_gives(again: Lived, session: Session) -> None:
    """A resize to a larger flavour brings neither disk nor memory."""
    if again.name != OTHER_HOST:
        return
    size = session.size + GROWTH + MORE_DISK
    assert is_used(again.life.account["root"], size), "the root file system did not grow"
    before, now = (_memory(said["memory"]) for said in (again.before, again.life.account))
    assert now - before > MORE_MEMORY_MIB * 2**10 / 2, f"memory was {before} KiB and is {now} KiB"


def test_has_no_failed_unit(again: Lived) -> None:
    """Something that worked at the first boot fails at every later one."""
    assert [line.split()[0] for line in again.life.account["failed"].splitlines()] == []


def _memory(shown: str) -> int:
    return int(shown.split("MemTotal:")[1].split()[0])
