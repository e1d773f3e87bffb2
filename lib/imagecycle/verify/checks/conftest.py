"""What the checks work with: two machines booted from the release, and the release's own disk.

``instance`` and ``twin`` are the machines; ``host`` and ``root`` run commands on the instance as
the admin user and as root (see pytest-testinfra's documentation), ``twin_root`` on the twin;
``pristine`` is the disk as it was before any boot: the checks that look at nothing else run first,
while the machines boot. A check that needs a machine which did not come up is not run, and says so.
"""

from __future__ import annotations

import difflib
import os
import signal
from collections.abc import Iterator, Set
from pathlib import Path
from types import FrameType

import pytest
from testinfra.host import Host

from imagecycle import systems
from imagecycle.errors import ImagecycleError
from imagecycle.systems.linux import Linux
from imagecycle.verify import power_off, shell
from imagecycle.verify import pristine as pristine_disk
from imagecycle.verify.findings import Defects
from imagecycle.verify.power_off import PowerOff
from imagecycle.verify.pristine import Pristine
from imagecycle.verify.session import INSTANCE, TWIN, Session, Subject
from imagecycle.verify.verdict import LEFT_OUT, NOT_RUN, check_name

LIMIT = 120
"""Seconds that one check may take; they take less than one where the machine is not overloaded."""
OFFLINE = {"pristine", "system", "session", "defects"}
"""The fixtures that need no machine: checks with the first of them, and no others, run first."""
LATE = ("finished", "twin", "twin_root", "twin_finished", "powered_off")
"""Fixtures in the order in which their checks run, after those that need none of them."""


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
def twin(session: Session) -> Subject:
    """A second machine from the same disk, under the other firmware where there are two."""
    return _up(session, TWIN)


@pytest.fixture(scope="session")
def host(session: Session, instance: Subject) -> Iterator[Host]:
    """Commands on the instance as its admin user."""
    yield from _commands(session, instance)


@pytest.fixture(scope="session")
def root(session: Session, instance: Subject) -> Iterator[Host]:
    """Commands on the instance as root."""
    yield from _commands(session, instance, root=True)


@pytest.fixture(scope="session")
def twin_root(session: Session, twin: Subject) -> Iterator[Host]:
    """Commands on the twin as root."""
    yield from _commands(session, twin, root=True)


@pytest.fixture(scope="session")
def finished(session: Session, host: Host) -> None:
    """Contextualisation has ended on the instance, well or not."""
    _wait_until_finished(session, host)


@pytest.fixture(scope="session")
def twin_finished(session: Session, twin_root: Host) -> None:
    """Contextualisation has ended on the twin, well or not."""
    _wait_until_finished(session, twin_root)


@pytest.fixture(scope="session")
def pristine(session: Session, system: Linux) -> Iterator[Pristine]:
    """The root file system of the release as it was before any boot."""
    try:
        with pristine_disk.opened(session.disk, session.folder, system) as found:
            yield found
    except ImagecycleError as error:
        pytest.skip(f"{NOT_RUN}: {error.message}")


@pytest.fixture
def defects(session: Session, request: pytest.FixtureRequest) -> Defects:
    """Picks the defects from what a check has found; the rest is meant to be so."""
    return Defects(check_name(request.node.nodeid), frozenset(session.added), session.explained)


@pytest.fixture(scope="session")
def powered_off(session: Session, request: pytest.FixtureRequest) -> dict[str, PowerOff]:
    """What came of the power buttons, by role. No command can follow.

    They are pressed when the machines have come to rest, because nobody listens before.
    """
    for role, rest in ((INSTANCE, "finished"), (TWIN, "twin_finished")):
        if session.subject(role).outcome(session.boot_limit).ready:
            request.getfixturevalue(rest)
    return power_off.press(session)


def _up(session: Session, role: str) -> Subject:
    subject = session.subject(role)
    if not subject.outcome(session.boot_limit).ready:
        pytest.skip(f"{NOT_RUN}: the {role} did not come up")
    return subject


def _wait_until_finished(session: Session, host: Host) -> None:
    tries = round(session.boot_limit * 5)
    wait = f"i=0; until [ -e /run/cloud-init/result.json ]; do [ $i -lt {tries} ] || exit 1; "
    if host.run(wait + "sleep 0.2; i=$((i+1)); done").rc != 0:
        pytest.fail(f"cloud-init has not finished {tries / 5:.0f} s after login", pytrace=False)


def _commands(session: Session, subject: Subject, *, root: bool = False) -> Iterator[Host]:
    try:
        with shell.opened(session.folder, subject.role, root=root) as host:
            yield host
    except ImagecycleError as error:
        pytest.skip(f"{NOT_RUN}: {error.message}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    session = Session.read(Path(os.environ["IMAGECYCLE_VERIFY_SESSION"]))
    items.sort(key=_turn)
    names = {check_name(item.nodeid) for item in items}
    for named in (*session.leave_out, *(one.check for one in session.explained)):
        if named not in names:
            near = difflib.get_close_matches(named, names, n=1, cutoff=0.0)
            raise pytest.UsageError(f"no check is called {named}; did you mean {near[0]}?")
    for item in items:
        item.user_properties.append(("suffers", _docstring(item)))
        if check_name(item.nodeid) in session.leave_out:
            item.add_marker(pytest.mark.skip(reason=f"{LEFT_OUT} by the catalog"))


def _turn(item: pytest.Item) -> int:
    names = {*getattr(item, "fixturenames", ())}
    if f"[{TWIN}]" in item.nodeid:
        names.add("twin")
    if is_offline(names - {"request"}):
        return -1
    return max((LATE.index(name) + 1 for name in names if name in LATE), default=0)


def is_offline(names: Set[str]) -> bool:
    """Whether a check with these fixtures looks at nothing but the disk."""
    return "pristine" in names and names <= OFFLINE


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
