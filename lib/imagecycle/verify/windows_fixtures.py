"""What the checks of Windows work with, besides :mod:`imagecycle.verify.fixtures`.

``said`` is what the first machine told of itself when it had come to rest, ``both`` that and what
its twin told; see ``account.ps1``. ``declared`` is what the catalog promises. ``windows`` runs
commands and PowerShell scripts on the first machine, as ``host`` does on Linux: where a check asks
for it, the machine is held until it is done. ``sealed`` is the disk before any boot: its files and
registry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.machine.winrm_guest import WindowsGuest
from imagecycle.verify import windows_disk
from imagecycle.verify.cases import INSTANCE, TWIN
from imagecycle.verify.session import Session, Subject
from imagecycle.verify.verdict import NOT_RUN
from imagecycle.verify.windows_declared import Declared
from imagecycle.verify.windows_disk import WindowsDisk
from imagecycle.verify.windows_way import COMPLAINT, Address, unpacked

__all__ = ["Both", "Declared", "Said"]


class Said(dict[str, Any]):
    """An account of Windows; a check that misses something in it is not run."""

    def __init__(self, role: str, said: Mapping[str, Any]) -> None:
        super().__init__(said)
        self._role = role

    def __missing__(self, name: str) -> Any:
        why = self.get(f"{name} failed") or self.get(COMPLAINT) or ""
        more = f": {why}" if why else ""
        pytest.skip(f"{NOT_RUN}: the {self._role} did not report its {name}{more}")


Both = tuple[Said, Said]


@pytest.fixture(scope="session")
def said(session: Session, told: Mapping[str, str]) -> Said:
    """What the instance said of itself."""
    return Said(INSTANCE, unpacked(told))


@pytest.fixture(scope="session")
def both(session: Session, accounts: tuple[Mapping[str, str], Mapping[str, str]]) -> Both:
    """What the instance and its twin said of themselves."""
    one, other = accounts
    return Said(INSTANCE, unpacked(one)), Said(TWIN, unpacked(other))


@pytest.fixture(scope="session")
def declared(session: Session) -> Declared:
    """What the catalog promises."""
    assert session.windows is not None
    return session.windows


@pytest.fixture(scope="session")
def sealed(session: Session) -> Iterator[WindowsDisk]:
    """Drive C of the release as it was before any boot."""
    try:
        with windows_disk.opened(session.disk, session.folder) as found:
            yield found
    except ImagecycleError as error:
        pytest.skip(f"{NOT_RUN}: {error.message}")


@pytest.fixture(scope="session")
def windows(session: Session, instance: Subject) -> Iterator[WindowsGuest]:
    """Commands and scripts on the instance, as its administrator."""
    try:
        with Address.read(session.folder, instance.role).guest() as guest:
            yield guest
    except ImagecycleError as error:
        pytest.skip(f"{NOT_RUN}: {error.message}")
