"""The controller that the client is tested against: a stand-in, or the one of JENKINS_URL.

A build in Jenkins has JENKINS_URL set anyway, so that a real controller is only used when there are
JENKINS_USER and JENKINS_TOKEN too. All happens in a folder that is removed at the end.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from imagecycle.jenkins.account import Account
from imagecycle.jenkins.controller import Controller, job_path
from imagecycle.jenkins.sync import listing
from standin.controller import StandIn
from standin.items import FOLDER_XML

_REAL = ("JENKINS_URL", "JENKINS_USER", "JENKINS_TOKEN")
USED = "stand-in"


@dataclass
class Place:
    """A folder at a controller, whichever that is."""

    controller: Controller
    sent: list[str] = field(default_factory=list)
    """The changes that were sent, by address"""

    @property
    def folder(self) -> str:
        return self.controller.account.folder

    def make(self, name: str, description: str = "") -> None:
        """A job of somebody else's."""
        xml = f"<project><description>{description}</description><builders/></project>"
        Controller.post(self.controller, f"{job_path('', self.folder)}/createItem", xml, name=name)

    def descriptions(self) -> dict[str, str]:
        return {f"{one.kind} {one.name}": one.description for one in self.there()}

    def there(self) -> list:
        return [one for one in listing(self.controller) if one.name not in ("all", "All")]

    def names(self) -> set[str]:
        return set(self.descriptions())


class Recording(Controller):
    """A controller's client that notes the changes it sends."""

    sent: list[str]

    def post(self, path: str, body: str | None = None, **query: str) -> None:
        self.sent.append(f"{path.rsplit('/', 1)[-1]} {query.get('name', '')}".strip())
        super().post(path, body, **query)


@pytest.fixture(scope="session")
def real() -> Account | None:
    url, user, token = (os.environ.get(name, "") for name in _REAL)
    ca_file = os.environ.get("JENKINS_CA_FILE", "")
    return Account(url.rstrip("/"), user, token, ca_file=ca_file) if url and token else None


@pytest.fixture(scope="session", autouse=True)
def _said(real: Account | None, record_testsuite_property: object) -> None:
    global USED
    USED = f"the controller {real.url}" if real else "a stand-in"
    record_testsuite_property("jenkins", USED)  # type: ignore[operator]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"The Jenkins client was tested against {USED}.")


@pytest.fixture(autouse=True)
def _no_account(real: Account | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says about a controller is for the fixture above only."""
    for name in (*_REAL, "JENKINS_FILE", "JENKINS_FOLDER", "JENKINS_CA_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def client(stand_in: StandIn) -> Controller:
    """A client of the stand-in, for tests with faults."""
    return Controller(account_of(stand_in), patience=5)


def account_of(stand_in: StandIn, **more: object) -> Account:
    return Account(stand_in.url, stand_in.user, stand_in.token, **more)  # type: ignore[arg-type]


@pytest.fixture
def place(real: Account | None) -> Iterator[Place]:
    """An empty folder at the stand-in, or at the controller of the environment."""
    name = f"imagecycle-test-{secrets.token_hex(4)}"
    if real is None:
        with StandIn(prefix="/ci") as running:
            yield from _folder(account_of(running), name)
    else:
        yield from _folder(real, name)


def _folder(account: Account, name: str) -> Iterator[Place]:
    Controller(account).post("createItem", FOLDER_XML, name=name)
    inside = Account(account.url, account.user, account.token, folder=name, ca_file=account.ca_file)
    recording = Recording(inside)
    recording.sent = []
    try:
        yield Place(recording, recording.sent)
    finally:
        Controller(account).post(f"job/{name}/doDelete")
