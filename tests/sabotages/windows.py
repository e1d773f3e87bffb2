"""What goes wrong with images of Windows, as a sabotaged instance tells it, and what sees it.

The first fifteen rows are the failures that users of such builders report most, in that order as
far as a check of an instance can meet them.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagecycle.verify import windows_checks
from imagecycle.verify.cases import HARD_RESET, OTHER_HOST, REBOOT, SECOND_DISK, SNAPSHOT
from imagecycle.verify.verdict import check_name

Account = dict[str, Any]
MARKER, BOOTED = "ba5eba11" * 4, 134_000_000_000_000_000
"""What the instance told in its first life"""
WITHOUT = "without"
"""Names what a section has not"""


@dataclass(frozen=True)
class Sabotage:
    """One thing that is wrong, and the check that rejects it."""

    what: str
    """Done to the image or the instance, for people"""
    check: str
    section: str
    says: Any
    """The section as a sabotaged machine tells it; a mapping changes some of its values"""
    of_both: bool = False
    """Whether the twin tells the same"""
    life: str = ""
    """In which life it shows; empty for the first"""
    declared: Mapping[str, Any] = field(default_factory=dict)
    """What the catalog promises besides"""

    def apply(self, account: Account) -> None:
        """Let a machine tell of it."""
        known = account[self.section]
        if isinstance(self.says, Mapping) and isinstance(known, dict):
            changed = {**known, **self.says}
            changed.pop(changed.pop(WITHOUT, None), None)
            account[self.section] = changed
        else:
            account[self.section] = self.says


def row(what: str, check: str, section: str, says: Any, **more: Any) -> Sabotage:
    """Shorter to write."""
    return Sabotage(what, check, section, says, **more)


_ADMINISTRATOR = {
    "name": "Administrator",
    "sid": "S-1-5-21-1-2-3-500",
    "disabled": False,
    "expired": False,
    "password_required": True,
}
_BUILDER = {**_ADMINISTRATOR, "name": "imagecycle", "sid": "S-1-5-21-1-2-3-1001"}
_CERTIFICATE = {"subject": "CN=WIN-1", "thumbprint": "AB" * 20, "from": 0}

SABOTAGES = (
    row(
        "a virtio driver that is missing",
        "drivers.no_device_is_unknown",
        "devices",
        ["PCI Simple Communications Controller (PCI\\VEN_1AF4&DEV_1003): code 28"],
    ),
    row(
        "a storage driver that does not start at boot",
        "drivers.storage_driver_starts_at_boot",
        "drivers",
        {"viostor": 3},
    ),
    row(
        "a key of another edition",
        "activation.is_activated",
        "activation",
        {"status": 5, "reason": 0xC004F069, "grace_minutes": 0},
    ),
    row(
        "another edition than the declared one",
        "identity.edition_is_the_declared_one",
        "release",
        {"edition": "ServerDatacenter"},
    ),
    row(
        "another disk layout: recovery behind the drive",
        "volumes.nothing_lies_behind_the_drive",
        "volumes",
        {"is_last": False},
    ),
    row(
        "a setup that has not ended",
        "identity.setup_has_ended",
        "setup",
        {"image_state": "IMAGE_STATE_UNDEPLOYABLE", "in_progress": 1},
    ),
    row("no sysprep", "identity.was_generalised", "setup", {"clone_tag": ""}),
    row(
        "automatic encryption",
        "volumes.drive_is_not_encrypted",
        "encryption",
        ["C:"],
    ),
    row("no Secure Boot", "firmware.secure_boot_is_on", "firmware", {"secure_boot": 0}),
    row("no TPM", "firmware.tpm_is_there", "firmware", {"tpm": ""}),
    row("a restart that waits", "leftovers.no_restart_waits", "pending", ["servicing"]),
    row(
        "a contextualisation that restarts again and again",
        "contextualisation.restarts_are_no_more_than_needed",
        "restarts",
        9,
    ),
    row(
        "a password that must be changed",
        "accounts.password_need_not_be_changed",
        "accounts",
        [{**_ADMINISTRATOR, "expired": True}],
    ),
    row(
        "WinRM without a listener",
        "remote_access.winrm_listens_over_https_alone",
        "winrm",
        {"listeners": []},
    ),
    row(
        "a drive that has not grown",
        "volumes.partition_ends_with_the_disk",
        "volumes",
        {"taken": 38 * 2**30},
    ),
    row(
        "a KMS host that does not answer",
        "activation.is_activated",
        "activation",
        {"status": 2, "reason": 0xC004F074, "grace_minutes": 1440 * 30},
    ),
    row(
        "an answer file with a password",
        "leftovers.no_answer_file_holds_a_secret",
        "answer_files",
        ["C:\\Windows\\Panther\\unattend.xml"],
    ),
    row(
        "clones with one SID",
        "identity.machine_sids_differ",
        "identity",
        {"sid": "S-1-5-21-1-2-3"},
        of_both=True,
    ),
    row(
        "a clock in universal time",
        "at_rest.clock_of_the_machine_is_in_local_time",
        "clock",
        {"universal": 1},
    ),
    row(
        "a file system that has not grown",
        "volumes.drive_is_as_large_as_the_disk",
        "volumes",
        {"size": 30 * 2**30},
    ),
    row("a host that was not named", "contextualisation.instance_has_its_name", "name", "WIN-7Q2X"),
    row("user data that was not run", "contextualisation.user_data_was_run", "marker", None),
    row(
        "keys that were not injected",
        "contextualisation.key_of_the_user_is_there",
        "keys",
        ["ssh-ed25519 AAAAother builder"],
    ),
    row(
        "a metadata service that is asked first",
        "contextualisation.source_is_the_one_that_is_there",
        "context",
        {"source": "HttpService"},
    ),
    row(
        "a plugin that fails",
        "contextualisation.log_has_no_errors",
        "context",
        {"errors": ["ERROR cloudbaseinit.init plugin 'UserDataPlugin' failed with error"]},
    ),
    row(
        "a contextualisation that never ends",
        "contextualisation.service_has_ended",
        "services",
        {"cloudbase-init": "Auto Running 0"},
    ),
    row(
        "a task that fails",
        "contextualisation.tasks_of_the_flavour_have_ended_well",
        "tasks",
        {"10-join.ps1": "1"},
        declared={"tasks": ("10-join.ps1",)},
    ),
    row(
        "a disabled administrator",
        "accounts.user_is_enabled",
        "accounts",
        [{**_ADMINISTRATOR, "disabled": True}],
    ),
    row(
        "a user without rights",
        "accounts.user_is_an_administrator",
        "administrators",
        [],
    ),
    row(
        "an account of the builder",
        "accounts.nobody_else_is_there",
        "accounts",
        [_ADMINISTRATOR, _BUILDER],
    ),
    row(
        "an administrator of the builder",
        "accounts.nobody_else_is_an_administrator",
        "administrators",
        ["Administrator", "imagecycle"],
    ),
    row(
        "an account without a password",
        "accounts.all_need_a_password",
        "accounts",
        [{**_ADMINISTRATOR, "password_required": False}],
    ),
    row(
        "a logon by itself",
        "leftovers.nobody_is_logged_on_by_itself",
        "winlogon",
        {"auto": "1"},
    ),
    row(
        "a password in the registry",
        "leftovers.no_password_is_in_the_registry",
        "winlogon",
        {"password": True},
    ),
    row(
        "the build's firewall rule",
        "leftovers.ways_in_of_the_build_are_closed",
        "leftovers",
        ["the firewall rule imagecycle-build"],
    ),
    row(
        "no driver for the network card",
        "drivers.network_driver_is_there",
        "drivers",
        {WITHOUT: "netkvm"},
    ),
    row(
        "no driver for random numbers",
        "drivers.balloon_and_random_numbers_have_drivers",
        "drivers",
        {WITHOUT: "viorng"},
    ),
    row(
        "no guest agent",
        "drivers.guest_agent_runs",
        "services",
        {"QEMU-GA": "Auto Stopped 1053"},
    ),
    row("a damaged file system", "volumes.file_system_is_sound", "volumes", {"health": "Warning"}),
    row(
        "a key of another channel",
        "activation.key_is_of_the_declared_kind",
        "activation",
        {"description": "Windows(R) Operating System, RETAIL channel"},
    ),
    row(
        "somebody else's KMS host",
        "activation.host_is_the_declared_one",
        "activation",
        {"kms_host": "kms.other.example"},
        declared={"kms_host": "kms.example:1688"},
    ),
    row(
        "remote desktop that is closed",
        "remote_access.remote_desktop_is_as_declared",
        "remote_desktop",
        {"denied": 1, "listening": False},
    ),
    row(
        "remote desktop without authentication before the session",
        "remote_access.remote_desktop_asks_before_it_opens_a_session",
        "remote_desktop",
        {"network_level": 0},
    ),
    row(
        "WinRM without TLS",
        "remote_access.winrm_listens_over_https_alone",
        "winrm",
        {"listeners": ["Address=* Transport=HTTP", "Address=* Transport=HTTPS"]},
    ),
    row(
        "WinRM with plain passwords",
        "remote_access.winrm_takes_no_plain_passwords",
        "winrm",
        {"basic": "true"},
    ),
    row(
        "a certificate that all servers share",
        "remote_access.certificates_are_the_instances_own",
        "certificates",
        [_CERTIFICATE],
        of_both=True,
    ),
    row(
        "a certificate of remote desktop that all servers share",
        "remote_access.remote_desktop_certificates_differ",
        "remote_desktop",
        {"certificate": "AB" * 20},
        of_both=True,
    ),
    row(
        "a firewall that is off",
        "remote_access.firewall_is_on",
        "firewall",
        {"Public": "False"},
    ),
    row(
        "one machine GUID for all",
        "identity.machine_guids_differ",
        "identity",
        {"guid": "6f1c"},
        of_both=True,
    ),
    row(
        "one client of the update server for all",
        "identity.clients_of_the_update_server_differ",
        "identity",
        {"updates": "6f1c"},
        of_both=True,
    ),
    row("one name for all", "identity.names_differ", "name", "SERVER", of_both=True),
    row(
        "an error at every boot",
        "at_rest.log_has_no_errors",
        "events",
        ["Disk 7: The device, \\Device\\Harddisk0\\DR0, has a bad block."],
    ),
    row(
        "a service that does not run",
        "at_rest.services_that_should_run_do",
        "services",
        {"Dnscache": "Auto Stopped 1067"},
    ),
    row(
        "no time service",
        "at_rest.time_service_runs",
        "clock",
        {"service": "Stopped", "source": "NoSync"},
    ),
    row("a clock that is off", "at_rest.clock_is_right", "clock", {"now": 133_000_000_000_000_000}),
    row(
        "the builder's fixed address",
        "at_rest.network_is_configured_by_dhcp",
        "network",
        [{"mac": "52:54:00:00:00:01", "dhcp": False, "address": ["192.168.122.7"]}],
    ),
    row("one processor of two", "at_rest.sees_all_processors", "processors", 1),
    row("hibernation", "at_rest.does_not_sleep", "power", {"hibernation": 1}),
    row(
        "a plan that saves power",
        "at_rest.power_plan_is_fit_for_servers",
        "power",
        {"plan": "Microsoft:PowerPlan\\{a1841308-3541-4fab-bc81-f71556f20b4a}"},
    ),
    row(
        "a second disk that stays offline",
        "volumes.second_disk_is_there_and_online",
        "disks",
        [{"size": SECOND_DISK, "offline": True, "read_only": False}],
    ),
    row("a second disk that nobody sees", "volumes.second_disk_is_there_and_online", "disks", []),
    row("a restart that is none", "lives.is_another_boot", "booted", BOOTED, life=REBOOT),
    row(
        "a name that is forgotten",
        "lives.keeps_name_and_identity",
        "name",
        "WIN-ANOTHER",
        life=HARD_RESET,
    ),
    row(
        "user data that is run at every start",
        "lives.does_not_repeat_user_data",
        "runs",
        2,
        life=REBOOT,
    ),
    row(
        "an instance that takes a snapshot's data for its own",
        "lives.snapshot_is_a_new_instance",
        "marker",
        MARKER,
        life=SNAPSHOT,
    ),
    row(
        "volumes that grow only once",
        "lives.takes_what_a_resize_gives",
        "volumes",
        {"taken": 0},
        life=OTHER_HOST,
    ),
    row(
        "a service that starts only once",
        "lives.services_that_should_run_do",
        "services",
        {"Dnscache": "Auto Stopped 1066"},
        life=HARD_RESET,
    ),
    row("a page file of fixed size", "at_rest.page_file_is_managed", "page_file", False),
    row("memory that is taken", "at_rest.memory", "memory", {"free": 1000}),
    row("a disk that is full", "at_rest.disk", "volumes", {"free": 0}),
    row("another locale", "region.locale_is_the_declared_one", "region", {"locale": "de-DE"}),
    row(
        "another time zone",
        "region.time_zone_is_the_declared_one",
        "clock",
        {"zone": "W. Europe Standard Time"},
    ),
)


def checks() -> Mapping[str, Callable[..., None]]:
    """All checks of Windows by their names."""
    found = {}
    for module in pkgutil.iter_modules(windows_checks.__path__, f"{windows_checks.__name__}."):
        subject = module.name.rpartition(".")[2]
        for name, function in vars(importlib.import_module(module.name)).items():
            if name.startswith("test_") and inspect.isfunction(function):
                found[check_name(f"{subject}.py::{name}")] = function
    return found
