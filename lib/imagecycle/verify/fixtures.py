"""What the checks work with: machines booted from the release, and the release's own disk.

``told`` is what the first machine, the instance, said of itself when it had come to rest, one text
for each of the sections of :mod:`imagecycle.verify.account`; ``account`` goes through all machines,
and ``life`` through all that became of them after their first boot. ``host`` and ``root`` run
commands on the instance as the admin user and as root (see pytest-testinfra's documentation): where
a check asks for them, the instance is held until it is done. ``pristine`` is the disk as it was
before any boot: the checks that look at nothing else run first, while the machines boot. A check
that needs a machine which did not come up is not run, and says so.
"""

from __future__ import annotations

import difflib
import fnmatch
import json
import os
import signal
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest
from testinfra.host import Host

from imagecycle import systems
from imagecycle.errors import ImagecycleError
from imagecycle.machine import hardware
from imagecycle.systems.linux import Linux
from imagecycle.verify import pristine as pristine_disk
from imagecycle.verify import security_profile, shell, used_disk
from imagecycle.verify.account import SUDO
from imagecycle.verify.cases import INSTANCE, OTHER_HOST, TWIN
from imagecycle.verify.findings import Defects
from imagecycle.verify.pristine import Pristine
from imagecycle.verify.security_results import ProfileResult
from imagecycle.verify.session import Ended, Life, Session, Subject
from imagecycle.verify.verdict import LEFT_OUT, NOT_RUN, check_name

LIMIT = 120
"""Seconds that one check may take; they take less than one where the machine is not overloaded."""
OFFLINE = {"pristine", "sealed", "system", "session", "defects", "declared"}
"""The fixtures that need no machine: checks with a disk and no others of them run first."""
DISKS = {"pristine", "sealed"}
COMMANDS = {"host", "root", "windows"}
"""The fixtures for which the instance is held"""
NONE = ("", "")
OF_THIS_HOST = {"pristine", "profile", "accounts", "both", "used", "twin_used", "end", "lived"}
"""The fixtures of what a run in a cloud has not: checks with one of them are left to those here."""
LATE = (
    "told",
    "said",
    "released",
    "end",
    "used",
    "outcome",
    "accounts",
    "both",
    "account",
    "twin_used",
    "life",
)
"""Fixtures in the order in which their checks run, after those that need none of them: first what
the instance alone shows, whose disk is looked at while others may still be booting"""


@pytest.fixture(scope="session")
def session() -> Session:
    """What the stage said of this run."""
    return Session.read(Path(os.environ["IMAGECYCLE_VERIFY_SESSION"]))


@pytest.fixture(scope="session")
def system(session: Session) -> Linux:
    """What is particular to the release's kind of operating system."""
    return systems.linux(session.distro)


@pytest.fixture(scope="session")
def instance(session: Session) -> Subject:
    """The first machine; ``instance.instance_data`` is what its config drive says."""
    return _up(session, INSTANCE)


@pytest.fixture(scope="session")
def host(session: Session, instance: Subject) -> Iterator[Host]:
    """Commands on the instance as its admin user."""
    yield from _commands(session, instance)


@pytest.fixture(scope="session")
def root(session: Session, instance: Subject) -> Iterator[Host]:
    """Commands on the instance as root."""
    yield from _commands(session, instance, root=True)


@pytest.fixture(scope="session")
def told(session: Session) -> Mapping[str, str]:
    """What the instance said of itself."""
    return _account(session, INSTANCE)


@pytest.fixture(scope="session")
def released(session: Session) -> None:
    """No check looks into the instance any more: its next lives may begin."""
    session.subject(INSTANCE).release()


@pytest.fixture
def subject(session: Session, role: str) -> Subject:
    """Each of the machines; ``subject.case`` is what it is made of."""
    return session.subject(role)


@pytest.fixture
def account(session: Session, role: str, released: None) -> Mapping[str, str]:
    """What each machine said of itself; see :mod:`imagecycle.verify.account`."""
    return _account(session, role)


@pytest.fixture(scope="session")
def accounts(session: Session, released: None) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What the instance and its twin said of themselves."""
    return _account(session, INSTANCE), _account(session, TWIN)


@dataclass(frozen=True)
class Lived:
    """One life after the first boot, and what the machine had said before."""

    subject: Subject
    name: str
    life: Life
    before: Mapping[str, str]


@pytest.fixture
def life(session: Session, lived: tuple[str, str], released: None) -> Lived:
    """Each life of each machine after its first boot."""
    role, name = lived
    subject = session.subject(role)
    before = _account(session, role)
    return Lived(subject, name, subject.life(name, session.boot_limit), before)


@pytest.fixture
def end(session: Session, role: str, released: None) -> Ended:
    """How each machine ended by its power button."""
    found = session.subject(role).end(session.boot_limit)
    if found is None:
        pytest.skip(f"{NOT_RUN}: the {role} was not up any more")
    return found


@pytest.fixture(scope="session")
def pristine(session: Session, system: Linux) -> Iterator[Pristine]:
    """The root file system of the release as it was before any boot."""
    try:
        with pristine_disk.opened(session.disk, session.folder, system) as found:
            yield found
    except ImagecycleError as error:
        pytest.skip(f"{NOT_RUN}: {error.message}")


@pytest.fixture(scope="session")
def profile(session: Session) -> ProfileResult:
    """What the scan for the family's security profile has found."""
    words = json.loads((session.folder / security_profile.RESULT).read_text())
    return ProfileResult.of_record(words)


@pytest.fixture(scope="session")
def used(session: Session, system: Linux, released: None) -> Iterator[Pristine]:
    """The root file system of the instance after its last life in place."""
    subject = _up(session, INSTANCE)
    subject.end(session.boot_limit)
    yield from _used(session, subject, system)


@pytest.fixture(scope="session")
def twin_used(session: Session, system: Linux, released: None) -> Iterator[Pristine]:
    """The root file system of the twin after it has told of itself."""
    subject = _up(session, TWIN)
    subject.end(session.boot_limit)
    yield from _used(session, subject, system)


def _used(session: Session, subject: Subject, system: Linux) -> Iterator[Pristine]:
    folder = subject.folder
    if OTHER_HOST in subject.case.lives:
        subject.life(OTHER_HOST, session.boot_limit)
        moved = folder.with_name(f"{subject.role}-{OTHER_HOST}")
        folder = moved if moved.exists() else folder  # it has taken the disk with it
    try:
        scratch = session.folder / f"used-{subject.role}"
        with used_disk.opened(folder / hardware.DISK, scratch, system) as found:
            yield found
    except ImagecycleError as error:
        pytest.skip(f"{NOT_RUN}: {error.message}")


@pytest.fixture
def defects(session: Session, request: pytest.FixtureRequest) -> Defects:
    """Picks the defects from what a check has found; the rest is meant to be so."""
    return Defects(check_name(request.node.nodeid), frozenset(session.added), session.explained)


def _up(session: Session, role: str) -> Subject:
    subject = session.subject(role)
    if not subject.outcome(session.boot_limit).ready:
        pytest.skip(f"{NOT_RUN}: the {role} did not come up")
    return subject


def _account(session: Session, role: str) -> Mapping[str, str]:
    subject = _up(session, role)
    return _Told(role, subject.account(session.boot_limit))


class _Told(dict[str, str]):
    """An account; a check that misses something in it is not run."""

    def __init__(self, role: str, said: Mapping[str, str]) -> None:
        super().__init__(said)
        self._role = role

    def __missing__(self, name: str) -> str:
        complaint = self.get(SUDO, "")
        why = f": {complaint}" if complaint else ""
        pytest.skip(f"{NOT_RUN}: the {self._role} did not report its {name}{why}")


MARKERS = {
    "family": "family(*patterns): only for families of these names, such as debian-12-*",
    "system": "system(*names): only for these values of Glance's os_distro, such as debian",
    "flavour": "flavour(*names): only for these flavours, such as desktop",
    "screen": "screen(*kinds): only where servers show this, text or graphics",
}


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    for words in MARKERS.values():
        config.addinivalue_line("markers", words)


def _applies(item: pytest.Item, session: Session) -> bool:
    """Whether a check is for this family, by its markers."""
    ours = {
        "family": session.family,
        "system": session.distro,
        "flavour": session.flavour,
        "screen": session.screen,
    }
    return all(
        any(fnmatch.fnmatchcase(ours[marker.name], pattern) for pattern in marker.args)
        for marker in item.iter_markers()
        if marker.name in ours
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a check with ``role`` or ``life`` run for each machine, or for each of their lives."""
    session = Session.read(Path(os.environ["IMAGECYCLE_VERIFY_SESSION"]))
    names = metafunc.fixturenames
    if "end" in names:
        roles = [s.role for s in session.subjects if not s.case.brief]
        metafunc.parametrize("role", roles)
    elif "role" in names:
        roles = [s.role for s in session.subjects if "account" not in names or not s.case.brief]
        metafunc.parametrize("role", roles)
    if "lived" in names:
        lives = [(one.role, name) for one in session.subjects for name in one.case.lives]
        ids = [f"{role}-{name}" for role, name in lives]
        metafunc.parametrize("lived", lives or [NONE], ids=ids or ["none"])


def _commands(session: Session, subject: Subject, *, root: bool = False) -> Iterator[Host]:
    try:
        with shell.opened(session.folder, subject.role, root=root) as host:
            yield host
    except ImagecycleError as error:
        pytest.skip(f"{NOT_RUN}: {error.message}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what the catalog leaves out, and put the rest in the order of what it waits for."""
    session = Session.read(Path(os.environ["IMAGECYCLE_VERIFY_SESSION"]))
    items.sort(key=_turn)
    names = {check_name(item.nodeid) for item in items}
    reasons = {one.check: one.reason for one in session.leave_out}
    for named in (*reasons, *(one.check for one in session.explained)):
        if named not in names:
            near = difflib.get_close_matches(named, names, n=1, cutoff=0.0)
            raise pytest.UsageError(f"no check is called {named}; did you mean {near[0]}?")
    scanned = (session.folder / security_profile.RESULT).exists()
    items[:] = [
        item
        for item in items
        if not item.nodeid.endswith("[none]")
        and _applies(item, session)
        and (scanned or "profile" not in getattr(item, "fixturenames", ()))
        and not (session.cloud and OF_THIS_HOST & {*getattr(item, "fixturenames", ())})
    ]
    for item in items:
        item.user_properties.append(("suffers", _docstring(item)))
        if (name := check_name(item.nodeid)) in reasons:
            item.add_marker(pytest.mark.skip(reason=f"{LEFT_OUT}: {reasons[name]}"))
    if not any(COMMANDS & {*getattr(item, "fixturenames", ())} for item in items):
        session.subject(INSTANCE).release()


def _turn(item: pytest.Item) -> int:
    names = {*getattr(item, "fixturenames", ())}
    if is_offline(names - {"request"}):
        return -1
    return max((LATE.index(name) + 1 for name in names if name in LATE), default=0)


def is_offline(names: Set[str]) -> bool:
    """Whether a check with these fixtures looks at nothing but the disk."""
    return bool(DISKS & names) and names <= OFFLINE


def _docstring(item: pytest.Item) -> str:
    return " ".join((getattr(item.obj, "__doc__", "") or "").split())  # type: ignore[attr-defined]


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Show what a list that should be empty holds, one line each."""
    if op == "==" and right == [] and isinstance(left, list):
        return ["there should be none:", *(f"  {found}" for found in left)]
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """End a check at its time limit: a guest may stop answering at any moment."""
    previous = signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(LIMIT)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def _give_up(_number: int, _frame: FrameType | None) -> None:
    pytest.fail(f"gave up after {LIMIT} s", pytrace=False)
