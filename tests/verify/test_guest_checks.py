"""Checks of a running machine, on what a good one has told of itself and on what is wrong with it.

The account was recorded from a good Debian 12. Each sabotage changes one of its sections into what
a sabotaged machine tells, as ``tests/integration/test_sabotaged_machines.py`` shows with real ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.guest_agent import ANSWERS, PROPERTY
from imagecycle.machine.hardware import METADATA_SERVICE
from imagecycle.model import Budgets
from imagecycle.verify import checking
from imagecycle.verify.cases import INSTANCE, OTHER_HOST, REBOOT, SNAPSHOT, TWIN, Case
from imagecycle.verify.screen import Screen
from imagecycle.verify.session import Ended, Life, NetworkFacts, Outcome, Session, Subject
from imagecycle.verify.verdict import FAILED, NOT_RUN, CheckResult
from sabotages import told

HERE = Path(__file__).parent
LIMIT = 120.0
UNREADABLE = ("disk.qcow2", "Could not open backing image")
"""Why the checks of disks, of which there are none, are not run"""
GIB = 2**30
LIVES = (REBOOT, OTHER_HOST, SNAPSHOT)


def good_account() -> dict[str, str]:
    said: dict[str, str] = json.loads((HERE / "accounts" / "good.json").read_text())
    return said


class Recorded:
    """A run whose machines are no more: all that they told is there."""

    def __init__(self, folder: Path) -> None:
        said = {**good_account(), "agent": ANSWERS}
        self.folder = folder
        self.account = said
        self.twin = {**said, "machine_id": "f" * 32, "host_keys": "AAAAother\nAAAAanother"}
        mac = said["links"].split("link/ether ")[1].split()[0]
        self.told = InstanceData(
            name=said["name"], public_key=said["keys"], mac=mac, marker=said["marker"]
        )
        self.console = (HERE / "consoles" / "good-bios.txt").read_text()
        self.console = self.console.replace("verify-instance-6fd8d4", said["name"])
        self.pace = 40.0
        self.screen = Screen(1280, 800, 900)
        again = {**said, "boot_id": "another", "marker": ""}
        larger = {**again, "root": "1532491 4096", "memory": "MemTotal: 739000 kB"}
        new = {**larger, "name": "verify-new", "host_keys": "AAAAnew", "marker": "x"}
        self.lives: dict[str, Life] = {
            REBOOT: self._life(again, said["name"]),
            OTHER_HOST: self._life(larger, said["name"]),
            SNAPSHOT: self._life(new, "verify-new"),
        }
        self.end = Ended(3.0, "guest-shutdown")

    @staticmethod
    def _life(account: Mapping[str, str], name: str) -> Life:
        return Life(Ended(2.0, "guest-reset"), Outcome(True, 20.0), account, name)

    def outcomes(self) -> dict[str, str]:
        """The messages of the checks that did not pass, by name."""
        subjects = (
            Subject(
                Case(INSTANCE, "bios", {PROPERTY: "yes"}, processors=2, lives=LIVES),
                self.folder / INSTANCE,
                self.told,
            ),
            Subject(Case(TWIN, "uefi", brief=True), self.folder / TWIN, self.told),
        )
        for subject, account in zip(subjects, (self.account, self.twin), strict=True):
            subject.folder.mkdir()
            subject.console.write_text(self.console)
            subject.announce(Outcome(True, 40.0, pace=self.pace))
            subject.tell(account)
            subject.finish(self.end)
            subject.show(self.screen)
        for name, life in self.lives.items():
            subjects[0].record(name, life)
        return {
            result.id: result.message
            for result in self._check(subjects)
            if result.outcome in (FAILED, NOT_RUN)
            and not any(words in result.message for words in UNREADABLE)
        }

    def in_cloud(self) -> dict[str, tuple[str, str]]:
        """Outcome and message of every check, where the instance runs in a cloud."""
        said = {
            **self.account,
            "status": self.account["status"].replace("ConfigDrive", "OpenStack"),
        }
        case = Case(INSTANCE, "bios", processors=2, source=METADATA_SERVICE)
        subject = Subject(case, self.folder / INSTANCE, self.told)
        subject.folder.mkdir()
        subject.console.write_text(self.console)
        subject.announce(Outcome(True, 40.0, pace=self.pace))
        subject.tell(said)
        network = NetworkFacts(mtu=1450, resolvers=(), has_ipv6=False)
        found = self._check((subject,), cloud="production", network=network)
        return {result.id: (result.outcome, result.message) for result in found}

    def _check(self, subjects: tuple[Subject, ...], **more: Any) -> list[CheckResult]:
        session = Session(
            folder=self.folder,
            family="debian-12-x86_64-server",
            flavour="server",
            distro="debian",
            admin_user="debian",
            disk=self.folder / "disk.qcow2",
            size=3 * GIB,
            leave_out=(),
            added=(),
            explained=(),
            budgets=Budgets(180.0, 307, 2457),
            boot_limit=5,
            power_off_limit=60,
            subjects=subjects,
            screen="graphics",
            **more,
        )
        deadline = time.monotonic() + LIMIT
        with checking.running(self.folder, session.write()) as checks:
            while not checks.done():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            return checks.results()


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


def test_good_machine_has_no_defect(recorded: Recorded) -> None:
    assert recorded.outcomes() == {}


def test_each_defect_is_seen_by_its_check_alone(recorded: Recorded) -> None:
    assert all(one.section in recorded.account for one in told.FIRST)
    recorded.account |= {one.section: one.said for one in told.FIRST}
    rejected = recorded.outcomes()
    assert rejected.keys() == {check for one in told.FIRST for check in one.checks}
    assert "<script>" in rejected["at_rest.log_no_errors"]
    assert not any(mark in said for said in rejected.values() for mark in "\x1b\x07\x00")


def test_second_group_of_defects_is_seen(recorded: Recorded) -> None:
    recorded.account |= {one.section: one.said for one in told.SECOND}
    recorded.account["links"] = recorded.account["links"].replace("mtu 1450", "mtu 1500")
    recorded.pace = 181.0
    recorded.screen = Screen(1280, 800, 9)
    recorded.console = "[  OK  ] Started ssh.\n[FAILED] Failed to start app.service.\n"
    recorded.end = Ended(60.0, None, ("partition 1",))
    recorded.twin = dict(recorded.account)
    assert set(recorded.outcomes()) == {
        *(check for one in told.SECOND for check in one.checks),
        *(check for checks in told.BESIDE.values() for check in checks),
    }


def test_names_of_the_builder_are_seen(recorded: Recorded) -> None:
    recorded.account["name"] = "builder"
    assert set(recorded.outcomes()) == set(told.NAMES)


def test_user_without_sudo_is_seen_and_the_rest_is_not_run(recorded: Recorded) -> None:
    recorded.account = {"user": "debian", "locale": "", "sudo": "a password is required"}
    found = recorded.outcomes()
    assert found[told.NO_SUDO] == "a password is required"
    assert "did not report its zone: a password is required" in found["clock.is_in_utc"]


def test_server_that_works_only_once_is_seen(recorded: Recorded) -> None:
    dead = Life(Ended(2.0, "guest-reset"), Outcome(False, 30.0, "no network"))
    recorded.lives = dict.fromkeys(LIVES, dead)
    failed = {name for name, said in recorded.outcomes().items() if said == "no network"}
    assert failed == {f"{told.ONCE}[instance-{name}]" for name in LIVES}


def test_later_lives_are_compared_with_the_first(recorded: Recorded) -> None:
    said = {**good_account(), "machine_id": "0" * 32, "failed": "x.service loaded failed failed"}
    for name, life in recorded.lives.items():
        named = life.name
        recorded.lives[name] = Life(life.ended, life.outcome, said, named)
    found = set(recorded.outcomes())
    same = (REBOOT, OTHER_HOST)
    lives = (same, same, LIVES, LIVES, (OTHER_HOST,), (SNAPSHOT,))
    assert found == {
        f"{check}[instance-{name}]"
        for check, names in zip(told.LATER, lives, strict=True)
        for name in names
    }
