"""Checks of a running machine, on what a good one has told of itself and on what is wrong with it.

The account was recorded from a good Debian 12. Each sabotage changes one of its sections into what
a sabotaged machine tells, as ``tests/integration/test_sabotaged_machines.py`` shows with real ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from imagecycle.machine.config_drive import InstanceData
from imagecycle.model import Budgets
from imagecycle.verify import checking
from imagecycle.verify.cases import INSTANCE, OTHER_HOST, REBOOT, SNAPSHOT, TWIN, Case
from imagecycle.verify.session import Ended, Life, Outcome, Session, Subject
from imagecycle.verify.verdict import FAILED, NOT_RUN

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
        said = good_account()
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
                Case(INSTANCE, "bios", processors=2, lives=LIVES), self.folder / INSTANCE, self.told
            ),
            Subject(Case(TWIN, "uefi", brief=True), self.folder / TWIN, self.told),
        )
        for subject, account in zip(subjects, (self.account, self.twin), strict=True):
            subject.folder.mkdir()
            subject.console.write_text(self.console)
            subject.announce(Outcome(True, 40.0, pace=self.pace))
            subject.tell(account)
            subject.finish(self.end)
        for name, life in self.lives.items():
            subjects[0].record(name, life)
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
        )
        deadline = time.monotonic() + LIMIT
        with checking.running(self.folder, session.write()) as checks:
            while not checks.done():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            found = checks.results()
        return {
            result.id: result.message
            for result in found
            if result.outcome in (FAILED, NOT_RUN)
            and not any(words in result.message for words in UNREADABLE)
        }


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


def test_good_machine_has_no_defect(recorded: Recorded) -> None:
    assert recorded.outcomes() == {}


# Sections, what a sabotaged machine tells in them, and the check that must see it. Those of one
# group do not disturb each other.
FIRST = {
    "user": ("builder", "boot.admin_user_has_a_shell"),
    "sudo": ("sudo: unable to resolve host", "boot.sudo_complains_of_nothing"),
    "zone": ("CET", "clock.is_in_utc"),
    "clock": ("1795000000", "clock.is_right"),
    "time_service": ("inactive\nfailed", "clock.is_kept_right"),
    "locale": ("locale: Cannot set LC_ALL", "locale.is_there"),
    "own_name": ("", "hostname.can_be_resolved"),
    "loopback": ("10.1.2.3 STREAM localhost", "hostname.localhost_is_the_machine_itself"),
    "kernels": (
        "6.1.0-56-cloud-amd64\n6.1.0-99-cloud-amd64",
        "kernel.the_running_one_is_the_newest",
    ),
    "ram_disk": ("", "kernel.has_its_modules_and_ram_disk"),
    "kernel_trouble": ("BUG: unable to handle", "kernel.reports_nothing_critical"),
    "audit": ("The following packages are half installed", "packages.all_are_installed_whole"),
    "failed": ("broken.service loaded failed failed", "services.none_has_failed"),
    "jobs": ("12 endless.service start running", "at_rest.the_boot_comes_to_its_end"),
    "state": ("degraded", "at_rest.the_system_is_running"),
    "journal": ("[9.1] app[1]: cannot open", "at_rest.log_no_errors"),
    "marker": ("", "user_data.script_was_run"),
    "vendor_marker": ("", "user_data.script_of_the_operator_was_run"),
    "attempts": (
        "Calling 'http://169.254.169.254' failed",
        "cloud_init.finds_its_source_without_waiting",
    ),
    "warnings": ("[WARNING]: no such module", "cloud_init.logs_no_warnings"),
    "keys": ("ssh-rsa AAAA builder", "cloud_init.admits_the_users_key_alone"),
    "finished": ("", "cloud_init.comes_to_its_end"),
    "listening": ("tcp LISTEN 0 5 0.0.0.0:23 0.0.0.0:*", "listening.is_meant_to"),
    "lsm": ("capability,yama", "access_control.is_enforced"),
    "fstab": ("/data\n   [E] unreachable on boot", "disk.fstab_is_in_order"),
    "mounts": ("/ /dev/vda1 ext4 ro,discard", "disk.root_can_be_written"),
    "trim": (
        "fstrim: /: the discard operation is not supported",
        "disk.deleted_data_is_given_back",
    ),
    "swap": ("/swapfile file 524284 0 -2", "disk.nothing_is_swapped_to_the_root_disk"),
    "routes": ("10.0.2.0/24 dev ens5", "network.has_a_default_route"),
    "resolvers": ("nameserver 192.0.2.1", "network.asks_the_resolver_that_it_was_given"),
    "passwords": ("root:$", "passwords.none_on_a_server"),
    "sshd": (
        "passwordauthentication yes\nkbdinteractiveauthentication yes\npermitrootlogin yes",
        "passwords.ssh_takes_no_passwords",
    ),
    "memory": ("MemTotal: 481028 kB\nMemAvailable: 100000 kB", "budgets.memory"),
    "used": ("2900000", "budgets.disk"),
    "root": ("730000 4096", "root_file_system.grew_to_the_disk[instance]"),
    "processors": ("1", "machines.see_all_processors[instance]"),
}
BESIDE = {
    "failed": ("machines.have_no_failed_unit[instance]",),
    "marker": ("machines.run_user_data[instance]",),
    "sshd": ("passwords.ssh_asks_no_questions", "passwords.ssh_admits_root_with_keys_only"),
}
"""Checks that see the same"""


def test_each_defect_is_seen_by_its_check_alone(recorded: Recorded) -> None:
    assert all(section in recorded.account for section in FIRST)
    recorded.account |= {section: said for section, (said, _) in FIRST.items()}
    rejected = recorded.outcomes()
    expected = {check for _, check in FIRST.values()}
    assert rejected.keys() == expected | {check for checks in BESIDE.values() for check in checks}


STATUS = {
    "datasource": "DataSourceNone",
    "init": {"errors": ["no users"], "recoverable_errors": {"DEPRECATED": ["x"]}},
}
SECOND: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "status": (
        json.dumps({"v1": STATUS}),
        (
            "cloud_init.reads_the_config_drive",
            "cloud_init.ends_without_errors",
            "cloud_init.ends_without_recoverable_errors",
            "machines.read_the_source_that_they_have[instance]",
        ),
    ),
    "addresses": (
        "1: lo    inet 127.0.0.1/8 scope host lo",
        (
            "network.interface_has_an_address",
            "machines.have_an_address_on_every_card[instance]",
            "machines.have_an_ipv6_address[instance]",
        ),
    ),
}


def test_second_group_of_defects_is_seen(recorded: Recorded) -> None:
    recorded.account |= {section: said for section, (said, _) in SECOND.items()}
    recorded.account["links"] = recorded.account["links"].replace("mtu 1450", "mtu 1500")
    recorded.account["apparmor"] = "N"
    recorded.pace = 181.0
    recorded.console = "[  OK  ] Started ssh.\n[FAILED] Failed to start app.service.\n"
    recorded.end = Ended(60.0, None, ("partition 1",))
    recorded.twin = dict(recorded.account)
    assert set(recorded.outcomes()) == {
        *(check for _, checks in SECOND.values() for check in checks),
        "network.interface_has_the_networks_mtu",
        "access_control.is_enforced",
        "budgets.boot",
        "console.shows_a_login_prompt",
        "console.shows_no_trouble",
        "host_keys.differ_between_machines",
        "machine_id.differs_between_machines",
        "power_button.shuts_down_cleanly[instance]",
        "power_button.leaves_file_systems_clean[instance]",
    }


def test_names_of_the_builder_are_seen(recorded: Recorded) -> None:
    recorded.account["name"] = "builder"
    assert set(recorded.outcomes()) == {
        "hostname.is_the_instances_name",
        "machines.have_the_instances_name[instance]",
        "lives.keeps_name_and_identity[instance-reboot]",
        "lives.keeps_name_and_identity[instance-other-host]",
    }


def test_user_without_sudo_is_seen_and_the_rest_is_not_run(recorded: Recorded) -> None:
    recorded.account = {"user": "debian", "locale": "", "sudo": "a password is required"}
    found = recorded.outcomes()
    assert found["boot.admin_user_may_use_sudo"] == "a password is required"
    assert "did not tell its zone: a password is required" in found["clock.is_in_utc"]


def test_server_that_works_only_once_is_seen(recorded: Recorded) -> None:
    dead = Life(Ended(2.0, "guest-reset"), Outcome(False, 30.0, "no network"))
    recorded.lives = dict.fromkeys(LIVES, dead)
    failed = {name for name, said in recorded.outcomes().items() if said == "no network"}
    assert failed == {f"lives.lets_the_key_in_again[instance-{name}]" for name in LIVES}


def test_later_lives_are_compared_with_the_first(recorded: Recorded) -> None:
    said = {**good_account(), "machine_id": "0" * 32, "failed": "x.service loaded failed failed"}
    for name, life in recorded.lives.items():
        named = life.name
        recorded.lives[name] = Life(life.ended, life.outcome, said, named)
    found = set(recorded.outcomes())
    same = (f"instance-{name}" for name in (REBOOT, OTHER_HOST))
    expected = {
        f"lives.{check}[{one}]"
        for one in same
        for check in ("keeps_name_and_identity", "does_not_repeat_user_data")
    }
    every = {
        f"lives.{check}[instance-{name}]"
        for name in LIVES
        for check in ("is_another_boot", "has_no_failed_unit")
    }
    assert found == expected | every | {
        "lives.takes_what_a_resize_gives[instance-other-host]",
        "lives.snapshot_is_a_new_instance[instance-snapshot]",
    }
