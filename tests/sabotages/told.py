"""What a sabotaged machine tells of itself: one section changed, and the check that must see it.

The words are those of real machines. Those of one group do not disturb each other, and are told
together.
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """A section of a machine's account, as a sabotaged machine tells it."""

    section: str
    said: str
    what: str
    """Done to the machine, for people"""
    checks: tuple[str, ...]
    """All that reject it"""


def told(section: str, said: str, what: str, *checks: str) -> Told:
    """Shorter to write."""
    return Told(section, said, what, checks)


_SSHD = "passwordauthentication yes\nkbdinteractiveauthentication yes\npermitrootlogin yes"
_STATUS = {
    "datasource": "DataSourceNone",
    "init": {"errors": ["no users"], "recoverable_errors": {"DEPRECATED": ["x"]}},
}

FIRST = (
    told("display", "inactive", "no display manager", "screen.shows_the_desktop"),
    told("user", "builder", "another account", "boot.admin_user_has_a_shell"),
    told(
        "sudo",
        "sudo: unable to resolve host",
        "an own name that sudo cannot resolve",
        "boot.sudo_complains_of_nothing",
    ),
    told("zone", "CET", "the builder's time zone", "clock.is_in_utc"),
    told("clock", "1795000000", "a clock that is weeks off", "clock.is_right"),
    told("time_service", "inactive\nfailed", "no time service", "clock.is_kept_right"),
    told("locale", "locale: Cannot set LC_ALL", "a locale that was not made", "locale.is_there"),
    told("own_name", "", "an own name that nobody knows", "hostname.can_be_resolved"),
    told(
        "loopback",
        "10.1.2.3 STREAM localhost",
        "a localhost that is another machine",
        "hostname.localhost_is_the_machine_itself",
    ),
    told(
        "kernels",
        "6.1.0-56-cloud-amd64\n6.1.0-99-cloud-amd64",
        "a newer kernel that is not started",
        "kernel.the_running_one_is_the_newest",
    ),
    told("ram_disk", "", "no initial RAM disk", "kernel.has_its_modules_and_ram_disk"),
    told(
        "kernel_trouble",
        "BUG: unable to handle",
        "a kernel in trouble",
        "kernel.reports_nothing_critical",
    ),
    told(
        "audit",
        "The following packages are half installed",
        "a package that is half installed",
        "packages.all_are_installed_whole",
    ),
    told("agent", "nothing answered within 5 s", "no guest agent", "guest_agent.answers"),
    told(
        "trial",
        "apt knows no package source",
        "no package source on a server",
        "packages.can_be_installed_and_removed",
    ),
    told(
        "failed",
        "broken.service loaded failed failed",
        "a service that fails",
        "services.none_has_failed",
        "machines.have_no_failed_unit[instance]",
    ),
    told(
        "jobs",
        "12 endless.service start running",
        "a service that starts for ever",
        "at_rest.the_boot_comes_to_its_end",
    ),
    told("state", "degraded", "a system that is degraded", "at_rest.the_system_is_running"),
    told(
        "journal",
        "[9.1] app[1]: cannot open \x1b[2J\x07\x00<script>",
        "a service that logs errors",
        "at_rest.log_no_errors",
    ),
    told(
        "marker",
        "",
        "user data that is not run",
        "user_data.script_was_run",
        "machines.run_user_data[instance]",
    ),
    told(
        "vendor_marker",
        "",
        "vendor data that is not run",
        "user_data.script_of_the_operator_was_run",
    ),
    told(
        "attempts",
        "Calling 'http://169.254.169.254' failed",
        "a source that is asked in vain",
        "cloud_init.finds_its_source_without_waiting",
    ),
    told(
        "warnings",
        "[WARNING]: no such module",
        "settings that contextualisation warns of",
        "cloud_init.logs_no_warnings",
    ),
    told(
        "keys",
        "ssh-rsa AAAA builder",
        "a key of the builder for the user",
        "cloud_init.admits_the_users_key_alone",
    ),
    told(
        "finished",
        "",
        "contextualisation that does not end",
        "cloud_init.comes_to_its_end",
    ),
    told(
        "listening",
        "tcp LISTEN 0 5 0.0.0.0:23 0.0.0.0:*",
        "a service that listens",
        "listening.is_meant_to",
    ),
    told("lsm", "capability,yama", "no AppArmor in the kernel", "access_control.is_enforced"),
    told(
        "fstab",
        "/data\n   [E] unreachable on boot",
        "a disk that may be missing",
        "disk.fstab_is_in_order",
    ),
    told(
        "mounts",
        "/ /dev/vda1 ext4 ro,discard",
        "a root that is read-only",
        "disk.root_can_be_written",
    ),
    told(
        "trim",
        "fstrim: /: the discard operation is not supported",
        "a disk that gives nothing back",
        "disk.deleted_data_is_given_back",
    ),
    told(
        "swap",
        "/swapfile file 524284 0 -2",
        "a swap file",
        "disk.nothing_is_swapped_to_the_root_disk",
    ),
    told("routes", "10.0.2.0/24 dev ens5", "no default route", "network.has_a_default_route"),
    told(
        "resolvers",
        "nameserver 192.0.2.1",
        "a resolver of its own",
        "network.asks_the_resolver_that_it_was_given",
    ),
    told("passwords", "root:$", "a password of root", "passwords.none_on_a_server"),
    told(
        "sshd",
        _SSHD,
        "an SSH server that takes passwords",
        "passwords.ssh_takes_no_passwords",
        "passwords.ssh_asks_no_questions",
        "passwords.ssh_admits_root_with_keys_only",
    ),
    told(
        "memory",
        "MemTotal: 481028 kB\nMemAvailable: 100000 kB",
        "a service that takes all memory",
        "budgets.memory",
    ),
    told("used", "2900000", "a large forgotten file", "budgets.disk"),
    told(
        "root",
        "730000 4096",
        "a root file system that does not grow",
        "root_file_system.grew_to_the_disk[instance]",
    ),
    told(
        "processors",
        "1",
        "one processor of two",
        "machines.see_all_processors[instance]",
    ),
)
SECOND = (
    told(
        "status",
        json.dumps({"v1": _STATUS}),
        "no data source, and errors",
        "cloud_init.reads_the_config_drive",
        "cloud_init.ends_without_errors",
        "cloud_init.ends_without_recoverable_errors",
        "machines.read_the_source_that_they_have[instance]",
    ),
    told(
        "addresses",
        "1: lo    inet 127.0.0.1/8 scope host lo",
        "no addresses",
        "network.interface_has_an_address",
        "machines.have_an_address_on_every_card[instance]",
        "machines.have_an_ipv6_address[instance]",
    ),
    told("apparmor", "N", "AppArmor is off", "access_control.is_enforced"),
)
BESIDE = {
    "a card with the largest packets of other networks": (
        "network.interface_has_the_networks_mtu",
    ),
    "a boot of three minutes": ("budgets.boot",),
    "a desktop that stays a console": ("screen.shows_the_desktop",),
    "nothing to log in to on the console": ("console.shows_a_login_prompt",),
    "a service that fails, on the console": ("console.shows_no_trouble",),
    "host keys in the image": ("host_keys.differ_between_machines",),
    "an id in the image": ("machine_id.differs_between_machines",),
    "a power button that nobody hears": ("power_button.shuts_down_cleanly[instance]",),
    "a file system that is not unmounted": ("power_button.leaves_file_systems_clean[instance]",),
}
"""What is told together with the second group, by other ways than a section"""
NAMES = (
    "hostname.is_the_instances_name",
    "machines.have_the_instances_name[instance]",
    "lives.keeps_name_and_identity[instance-reboot]",
    "lives.keeps_name_and_identity[instance-other-host]",
)
"""Reject a machine that has the builder's name"""
NO_SUDO = "boot.admin_user_may_use_sudo"
ONCE = "lives.lets_the_key_in_again"
LATER = (
    "lives.keeps_name_and_identity",
    "lives.does_not_repeat_user_data",
    "lives.is_another_boot",
    "lives.has_no_failed_unit",
    "lives.takes_what_a_resize_gives",
    "lives.snapshot_is_a_new_instance",
)
"""Reject a machine whose later lives are its first one over again, but for its identity"""
LEFT = {
    "first_boot.makes_nothing_that_servers_share": "an id that both machines make alike",
    "first_boot.takes_nothing_away": "a first boot that removes what later boots need",
    "first_boot.changes_no_boot_files": "a first boot that changes the boot loader's menu",
    "first_boot.leaves_contextualisation_on": "a first boot that switches contextualisation off",
    "first_boot.keeps_its_host_keys": "host keys that are not kept",
}
"""What the first boot leaves on the disk, and the check that sees it"""


def rejected() -> dict[str, list[str]]:
    """What was done to machines of the same check, by its name."""
    found: dict[str, list[str]] = {}
    pairs = [(check, one.what) for one in (*FIRST, *SECOND) for check in one.checks]
    pairs += [(check, what) for what, checks in BESIDE.items() for check in checks]
    pairs += [(check, "the builder's name") for check in NAMES]
    pairs += [(NO_SUDO, "sudo that wants a password")]
    pairs += [(ONCE, "a server that works until its first reboot")]
    pairs += [(check, "a second life that is none") for check in LATER]
    pairs += LEFT.items()
    for check, what in pairs:
        whats = found.setdefault(check.partition("[")[0], [])
        if what not in whats:
            whats.append(what)
    return found
