"""A server at rest costs no more than it may."""

from collections.abc import Mapping

import pytest

from imagecycle.verify import account as accounts
from imagecycle.verify.session import Session, Subject


def test_memory(told: Mapping[str, str], session: Session) -> None:
    """The smallest flavour that the image promises to run on has no memory left to work with."""
    used = accounts.memory_in_use(told)
    assert used is not None, "the memory in use is not known"
    assert used <= session.budgets.memory_mib, f"{used} MiB are in use at rest"


def test_disk(told: Mapping[str, str], session: Session) -> None:
    """Servers, their snapshots and every download of the image cost more than was planned."""
    used = accounts.disk_in_use(told)
    assert used is not None, "the disk space in use is not known"
    assert used <= session.budgets.disk_mib, f"{used} MiB are in use"


def test_boot(instance: Subject, session: Session) -> None:
    """Users wait for a new server; automatic scaling comes too late."""
    limit = session.budgets.boot_seconds
    if not limit:
        pytest.skip("left out: no budget is declared for the boot")
    pace = instance.outcome(session.boot_limit).pace
    assert pace <= limit, f"the login came after {pace:.0f} s of the machine's own pace"
