"""The checks of Windows: on a good instance, with each sabotage, and over WinRM as a whole."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import windows_families
from certificates import self_signed
from imagecycle.machine.config_drive import InstanceData
from imagecycle.model import Budgets
from imagecycle.systems import windows_script
from imagecycle.verify import checking, windows_declared, windows_way
from imagecycle.verify.cases import INSTANCE, LIVES, OTHER_HOST, SNAPSHOT, TWIN, Case
from imagecycle.verify.course import MORE_DISK, MORE_MEMORY_MIB
from imagecycle.verify.session import Ended, Outcome, Session, Subject
from imagecycle.verify.verdict import FAILED, NOT_RUN
from imagecycle.verify.windows_checks.test_lives import Again
from imagecycle.verify.windows_fixtures import Said
from imagecycle.verify.windows_way import Address, WindowsAsking
from sabotages import windows as sabotages
from sabotages import windows_document
from standin.windows import account
from standin.windows.guest import Guest, said
from standin.windows.winrm_server import WinRM

MAC, KEY = "fa:16:3e:00:00:01", "ssh-ed25519 AAAAours imagecycle-verify"
OF_LINUX = {
    "at_rest.boot",
    "power_button.shuts_down_cleanly",
    "power_button.leaves_file_systems_clean",
    "lives.lets_the_user_in_again",
}
"""Checks that are Linux' as well, and tested there"""
PROPERTIES = {
    "hw_disk_bus": "virtio",
    "hw_vif_model": "virtio",
    "os_secure_boot": "required",
    "hw_tpm_version": "2.0",
}


class Rig:
    """A run whose two machines have told of themselves."""

    def __init__(self, folder: Path) -> None:
        told = InstanceData(
            name="v-instan-6fd8d4", public_key=KEY, mac=MAC, marker=sabotages.MARKER
        )
        twin = dataclasses.replace(told, name="v-twin-0a1b2c")
        self.told = [self._good(one) for one in (told, twin)]
        cases = (
            Case(INSTANCE, "uefi", PROPERTIES, 2, second_disk=True),
            Case(TWIN, "uefi", PROPERTIES, brief=True),
        )
        self.told[0]["booted"] = sabotages.BOOTED
        self.lives = {name: copy.deepcopy(self.told[0]) for name in LIVES}
        for number, account_of in enumerate(self.lives.values(), start=1):
            account_of["booted"] += number
        self.lives[SNAPSHOT] |= {"name": "V-INSTAN-0A1B2C", "marker": "another"}
        moved = self.lives[OTHER_HOST]
        moved["memory"]["total"] += MORE_MEMORY_MIB * 2**10
        for size in ("disk", "taken", "partition", "size"):
            moved["volumes"][size] += MORE_DISK
        subjects = tuple(
            Subject(case, folder / case.name, data)
            for case, data in zip(cases, (told, twin), strict=True)
        )
        self.session = Session(
            folder=folder,
            family="windows-2022-x86_64-server",
            flavour="server",
            distro="windows",
            admin_user="Administrator",
            disk=folder / "disk.qcow2",
            size=40 * account.GIB,
            leave_out=(),
            added=(),
            explained=(),
            budgets=Budgets(600.0, 1228, 32768),
            boot_limit=5,
            power_off_limit=60,
            subjects=subjects,
            windows=windows_declared.of(windows_families.family(), ""),
        )

    @staticmethod
    def _good(told: InstanceData) -> dict[str, Any]:
        return account.good(told.name, marker=told.marker, key=told.public_key, mac=told.mac)

    def rejected(self) -> dict[str, str]:
        """What each check says that does not pass, all in this process."""
        heard = {"heard": str(time.time())}
        one, other = (Said(role, self.told[at]) for at, role in enumerate((INSTANCE, TWIN)))
        instance = self.session.subject(INSTANCE)
        known = {
            "said": one,
            "both": (one, other),
            "declared": self.session.windows,
            "instance": instance,
            "session": self.session,
            "told": heard,
        }
        found = {}
        for name, check in sabotages.checks().items():
            if name in OF_LINUX or name.startswith("sealed_disk."):
                continue
            words = inspect.signature(check).parameters
            for again in self._again(one) if "again" in words else [None]:
                known["again"] = again
                try:
                    check(**{word: known[word] for word in words})
                except AssertionError as error:
                    found[name] = str(error)
        return found

    def _again(self, before: Said) -> Iterator[Again]:
        for name, account_of in self.lives.items():
            yield Again(name, account_of["name"], before, Said(INSTANCE, account_of))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_a_good_instance_is_rejected_by_no_check(rig: Rig) -> None:
    assert rig.rejected() == {}


@pytest.mark.parametrize("row", sabotages.SABOTAGES, ids=lambda row: row.what.replace(" ", "-"))
def test_a_sabotage_is_rejected_by_its_check(rig: Rig, row: sabotages.Sabotage) -> None:
    assert rig.session.windows is not None
    declared = dataclasses.replace(rig.session.windows, **row.declared)
    rig.session = dataclasses.replace(rig.session, windows=declared)
    first = rig.told if row.of_both else rig.told[:1]
    for told in [rig.lives[row.life]] if row.life else first:
        row.apply(told)
    assert row.check in rig.rejected()


def test_every_check_has_a_sabotage() -> None:
    without = set(sabotages.checks()) - {row.check for row in sabotages.SABOTAGES}
    assert {name for name in without if not name.startswith("sealed_disk.")} == OF_LINUX
    assert len(sabotages.SABOTAGES) >= 60
    assert len({row.what for row in sabotages.SABOTAGES}) == len(sabotages.SABOTAGES)


def test_activation_says_why_and_what_to_do(rig: Rig) -> None:
    row = next(one for one in sabotages.SABOTAGES if "does not answer" in one.what)
    row.apply(rig.told[0])
    message = rig.rejected()["activation.is_activated"]
    assert "0xC004F074, no KMS host answered; open TCP port 1688" in message
    assert "30 days left" in message


def test_what_a_machine_did_not_tell_is_not_checked(rig: Rig) -> None:
    rig.told[0].pop("devices")
    rig.told[0]["devices failed"] = "Invalid class"
    with pytest.raises(pytest.skip.Exception, match="did not report its devices: Invalid class"):
        rig.rejected()


@pytest.fixture
def service(rig: Rig, tmp_path: Path) -> Iterator[WinRM]:
    guest = Guest(hostname=rig.told[0]["name"])
    guest.scripts[windows_script.text("account.ps1")] = lambda _: said(
        "noise\r\n" + json.dumps(rig.told[0]) + "\r\n"
    )
    with WinRM(guest, self_signed(tmp_path / "tls"), password="Aa1-of instance") as running:
        yield running
    assert guest.complaints == []


def ask(service: WinRM, folder: Path) -> Mapping[str, str]:
    address = Address("Administrator", "Aa1-of instance", service.fingerprint, service.port)
    address.write(folder, INSTANCE)
    asking = WindowsAsking(Address.read(folder, INSTANCE), 30)
    deadline = time.monotonic() + 30
    while (told := asking.answered()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return told


def test_a_machine_is_asked_over_winrm_and_its_account_checked(
    rig: Rig, service: WinRM, tmp_path: Path
) -> None:
    """The process of the checks, as verify starts it, with a check of the site's own."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "test_ours.py").write_text(
        "def test_is_itself(windows, said):\n"
        "    assert windows.cmd('hostname', limit=20).stdout.strip() == said['name']\n"
    )
    rig.told[0]["pending"] = ["servicing"]
    told = ask(service, tmp_path)
    twin = windows_way.parse(json.dumps(rig.told[1]))
    for subject, account_of in zip(rig.session.subjects, (told, twin), strict=True):
        subject.folder.mkdir()
        subject.announce(Outcome(True, 300.0, pace=300.0))
        subject.tell(account_of)
        subject.finish(Ended(9.0, "guest-shutdown"))
    with checking.running(tmp_path, rig.session.write(), own, "windows") as checks:
        deadline = time.monotonic() + 60
        while not checks.done():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        found = checks.results()
    wrong = {
        one.id: one.outcome
        for one in found
        if one.outcome in (FAILED, NOT_RUN) and not one.id.startswith("sealed_disk.")
    }
    assert wrong == {"leftovers.no_restart_waits": FAILED}
    names = {one.id for one in found}
    assert {"ours.is_itself", "power_button.shuts_down_cleanly[instance]"} <= names
    assert [one.id for one in found if not one.suffers] == ["ours.is_itself"]
    assert "Aa1-of" not in (tmp_path / "checks.log").read_text()


def test_a_script_that_fails_leaves_its_complaint(tmp_path: Path) -> None:
    assert windows_way.parse("", "Access is denied") == {"complaint": "Access is denied"}
    assert windows_way.unpacked({"complaint": "Access"}) == {"complaint": "Access"}
    assert windows_way.unpacked({"agent": "is silent"}) == {"agent": "is silent"}


def test_the_documentation_shows_them() -> None:
    wanted = windows_document.text()
    assert windows_document.DOCUMENT.read_text() == wanted, "run python -m windows_document"
