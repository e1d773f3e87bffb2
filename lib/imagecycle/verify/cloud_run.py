"""One run in a cloud: a server that is ACTIVE is waited for, and the checks look at it."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imagecycle import log, systems
from imagecycle.artifacts import write_text
from imagecycle.cloud.server_network import SSH_PORT, Network, unreachable
from imagecycle.cloud.verification_server import Place, RunningServer
from imagecycle.errors import ImagecycleError, Unreachable
from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.hardware import CONFIG_DRIVE_SOURCE, METADATA_SERVICE
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import (
    account,
    budgets,
    cases,
    checking,
    console,
    declared,
    guest,
    pictures,
    stalls,
)
from imagecycle.verify.cases import Case
from imagecycle.verify.pictures import Picture
from imagecycle.verify.report import MachineReport, Span
from imagecycle.verify.run import CHECKS_LIMIT
from imagecycle.verify.session import NetworkFacts, Outcome, Session, Subject
from imagecycle.verify.verdict import CheckResult

POLL = 0.2
CONSOLE_INTERVAL = 5.0
STATUS_INTERVAL = 10.0
UNREACHABLE = 60.0
"""Seconds after its login prompt in which a server that can be reached has answered"""
_GIB = 2**30


@dataclass(frozen=True)
class CloudFindings:
    """What a run in a cloud has brought to light."""

    started_at: datetime.datetime
    ended_at: datetime.datetime
    results: Sequence[CheckResult]
    machine: MachineReport
    spans: Sequence[Span]
    total: float


@dataclass
class CloudRun:
    """What a run in a cloud works on."""

    family: Family
    site: Site
    disk: Path
    size: int
    """Of the release's disk, in bytes"""
    folder: Path
    cloud: str
    place: Place
    server: RunningServer
    told: InstanceData
    read_console: Callable[[], str] | None
    """None where the cloud does not tell it"""
    read_status: Callable[[], str]
    boot_seconds: float
    """What the site allows from ACTIVE to the login; 0: as the family's budget says"""
    kept_console: Path
    """Where the console's log will be kept"""
    console: str = ""
    _next_console: float = field(default=0.0, init=False)
    _next_status: float = field(default=0.0, init=False)
    _prompt: float | None = field(default=None, init=False)

    def carry_out(self) -> CloudFindings:
        """Wait for the login, let the checks look at the server, collect what there is to know.

        :raises Unreachable: when the server is up and its address cannot be reached.
        :raises ImagecycleError: when nothing can be said about the image.
        """
        started_at = datetime.datetime.now(datetime.UTC)
        begun = time.monotonic()
        case = self._case()
        subject = Subject(case, self.folder / cases.INSTANCE, self.told)
        subject.folder.mkdir()
        session = self._session(subject)
        with contextlib.ExitStack() as stack:
            checks = stack.enter_context(
                checking.running(self.folder, session.write(), self.site.checks)
            )
            name = cases.INSTANCE
            guest.write_config(
                self.folder,
                self.family.admin_user,
                name,
                SSH_PORT,
                address=self.server.address,
            )
            login = stack.enter_context(
                guest.login(name, self.folder, SSH_PORT, self.server.address)
            )
            outcome = self._await_login(login, subject)
            subject.announce(outcome)
            said: Mapping[str, str] = {}
            if outcome.ready:
                log.say(f"{self.cloud}: login after {outcome.seconds:.1f} s")
                said = self._ask(subject)
            else:
                log.warn(f"{self.cloud}: {outcome.reason}")
            subject.tell(said)
            self._await(checks, subject)
            ended = time.monotonic()
        return CloudFindings(
            started_at=started_at,
            ended_at=datetime.datetime.now(datetime.UTC),
            results=checks.results(),
            machine=self._report(case, outcome, said),
            spans=[
                Span("boot_server", 0.0, outcome.seconds),
                Span("checks", outcome.seconds, round(ended - begun - outcome.seconds, 2)),
            ],
            total=round(time.monotonic() - begun, 2),
        )

    def _await_login(self, login: guest.Login, subject: Subject) -> Outcome:
        while True:
            if login.poll():
                self._look(subject, now=True)
                return Outcome(True, self._seconds(), pace=self._seconds())
            self._look(subject)
            if why := self._hopeless(login):
                self._look(subject, now=True)
                picture, meaning = why
                reason = f"{picture}: {meaning} (in {self.cloud})"
                return Outcome(False, self._seconds(), reason, picture, pace=self._seconds())
            time.sleep(POLL)

    def _hopeless(self, login: guest.Login) -> tuple[Picture, str] | None:
        """Why it will not come up; None while it may.

        :raises Unreachable: when it is up, but not for us.
        """
        if sign := pictures.recognise(self.console):
            return sign.picture, sign.meaning
        if stalls.PROMPT.search(self.console):
            self._prompt = self._prompt or time.monotonic()
            if not login.reached and time.monotonic() - self._prompt > UNREACHABLE:
                raise self._unreachable(login)
        if time.monotonic() >= self._next_status:
            self._next_status = time.monotonic() + STATUS_INTERVAL
            if (status := self.read_status()) != "ACTIVE":
                return Picture.SWITCHED_OFF, f"Nova says that the server is {status}"
        if self._seconds() > self.site.boot_timeout:
            if not login.reached:  # which may be the image's fault or the network's
                raise self._unreachable(login)
            return Picture.LATE, f"{login.so_far()} {self._seconds():.0f} s after it was ACTIVE"
        return None

    def _unreachable(self, login: guest.Login) -> Unreachable:
        why = login.trouble or "no answer"
        if self.read_console is not None:
            write_text(self.kept_console, self.console)
            why += f"; what it says on its console is in {self.kept_console}"
        return unreachable(self.cloud, self.server.address, why)

    def _look(self, subject: Subject, *, now: bool = False) -> None:
        """Read the console anew, now and then."""
        if self.read_console is None or (not now and time.monotonic() < self._next_console):
            return
        self._next_console = time.monotonic() + CONSOLE_INTERVAL
        self.console = console.plain(self.read_console())[-console.KEPT_BYTES :]
        subject.console.write_text(self.console)

    def _ask(self, subject: Subject) -> Mapping[str, str]:
        words = account.script(systems.linux(self.family.distro), brief=False)
        limit = account.FINISH_LIMIT + self.site.boot_timeout
        with account.asking(self.folder, subject.role, words, limit) as asking:
            while (said := asking.answered()) is None:
                self._look(subject)
                time.sleep(POLL)
        return said

    def _await(self, checks: checking.Checks, subject: Subject) -> None:
        deadline = time.monotonic() + CHECKS_LIMIT
        while not checks.done():
            if time.monotonic() > deadline:
                raise ImagecycleError(
                    f"the checks have not ended after {CHECKS_LIMIT:.0f} s",
                    hint="run verify again with --keep and look at checks.log",
                )
            self._look(subject)
            time.sleep(POLL)

    def _case(self) -> Case:
        flavour = self.place.flavour
        return Case(
            cases.INSTANCE,
            self.family.firmware[0],
            dict(self.family.properties),
            processors=flavour.vcpus,
            source=CONFIG_DRIVE_SOURCE if self.server.has_config_drive else METADATA_SERVICE,
            growth=max(0, flavour.disk * _GIB - self.size),
        )

    def _session(self, subject: Subject) -> Session:
        found: Network = self.place.network
        return Session(
            folder=self.folder,
            family=self.family.slug,
            flavour=self.family.flavour,
            distro=self.family.distro,
            admin_user=self.family.admin_user,
            disk=self.disk,
            size=self.size,
            leave_out=self.family.leave_out_checks,
            added=declared.added(self.family),
            explained=declared.explained_here(self.family, self.site),
            budgets=budgets.of(self.family, boot_seconds=self.boot_seconds),
            boot_limit=self.site.boot_timeout + CHECKS_LIMIT,
            power_off_limit=0.0,
            subjects=(subject,),
            screen=self.family.screen,
            network=NetworkFacts(found.mtu, found.resolvers, self.server.has_ipv6),
            cloud=self.cloud,
            has_console=self.read_console is not None,
        )

    def _report(self, case: Case, outcome: Outcome, said: Mapping[str, str]) -> MachineReport:
        flavour, network = self.place.flavour, self.place.network
        title = f"{self.cloud}: flavour {flavour.name}, network {network.name}, {case.source}"
        return MachineReport(
            role=cases.INSTANCE,
            title=title,
            firmware=case.firmware,
            ready=outcome.ready,
            seconds=outcome.seconds,
            reason=outcome.reason,
            console=self.console,
            firmware_log="",
            screenshot_file=None,
            pace=outcome.pace,
            picture=outcome.picture,
            memory_mib=account.memory_in_use(said),
            disk_mib=account.disk_in_use(said),
            has_screen=False,
        )

    def _seconds(self) -> float:
        return round(time.monotonic() - self.server.active_at, 2)
