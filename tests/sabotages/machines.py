"""What only a running machine shows: sabotages whose images are booted, many in one boot.

Those of one boot do not disturb each other. The checks of the disk see most of them as well, before
any boot; that is shown elsewhere.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sabotages.table import Deed, append, both, link, put, replace

GRUB = "/boot/grub/grub.cfg"
CLOUD = "/etc/cloud/cloud.cfg.d"
NETWORK = "/etc/systemd/network/10-own.network"
UNITS = "/etc/systemd/system"


@dataclass(frozen=True)
class MachineSabotage:
    """A change of a good image that one check of its running machine rejects."""

    check: str
    what: str
    deed: Deed
    boot: str
    """Those with the same name share a boot"""
    also: tuple[str, ...] = ()
    """Other checks of running machines that see the same"""


def unit(name: str, command: str, lines: str = "Type=simple", before: str = "") -> Deed:
    """A service that runs a command at every boot."""
    order = f"Before={before}\n" if before else ""
    words = f"[Unit]\nDescription={name}\n{order}[Service]\n{lines}\nExecStart={command}\n"
    return both(
        put(f"{UNITS}/{name}.service", words),
        link(f"{UNITS}/multi-user.target.wants/{name}.service", f"{UNITS}/{name}.service"),
    )


def settings(name: str, words: str) -> Deed:
    """Settings of contextualisation."""
    return put(f"{CLOUD}/95-{name}.cfg", f"#cloud-config\n{words}\n")


def kernel_argument(word: str) -> Deed:
    """An argument that every kernel gets."""
    return replace(GRUB, " ro console=", f" ro {word} console=")


def swap_file(root: Path) -> None:
    """A swap file that is switched on."""
    place = root / "swapfile"
    place.write_bytes(bytes(16 * 2**20))
    place.chmod(0o600)
    subprocess.run(["mkswap", "-q", place], check=True, timeout=60)
    append("/etc/fstab", "/swapfile none swap sw 0 0\n")(root)


def without_discard(root: Path) -> None:
    """A root file system that gives nothing back."""
    place = root / "etc/fstab"
    place.write_text(place.read_text().replace("discard,", ""))
    (root / f"{UNITS[1:]}/timers.target.wants/fstrim.timer").unlink()


def newer_kernel(root: Path) -> None:
    """A kernel that the boot loader does not know."""
    (kernel,) = (path for path in (root / "boot").glob("vmlinuz-*") if not path.is_symlink())
    (root / "boot/vmlinuz-9.9.9-cloud-amd64").write_bytes(kernel.read_bytes())


def half_installed(root: Path) -> None:
    """A package whose installation has stopped."""
    place = root / "var/lib/dpkg/status"
    text = place.read_text()
    changed = text.replace("Status: install ok installed", "Status: install ok half-configured", 1)
    assert changed != text
    place.write_text(changed)


def host_key(root: Path) -> None:
    """A host key that stays."""
    key = root / "etc/ssh/ssh_host_ed25519_key"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "root@builder", "-f", key]
    subprocess.run(argv, check=True, timeout=60)
    settings("keys", "ssh_deletekeys: false\nssh_genkeytypes: []")(root)


def name_of_the_builder(root: Path) -> None:
    """Names are looked up in files alone, which know another name."""
    place = root / "etc/nsswitch.conf"
    place.write_text(re.sub(r"^hosts:.*$", "hosts: files", place.read_text(), flags=re.MULTILINE))
    put("/etc/hosts", "10.1.2.3 localhost\n127.0.1.1 elsewhere\n")(root)


def fill_the_disk(root: Path) -> None:
    """A forgotten file that leaves little room."""
    argv = ["fallocate", "-l", str(2000 * 2**20), root / "var/forgotten.img"]
    subprocess.run(argv, check=True, timeout=120)


SETTINGS, SYSTEM, NAMES, SUDO, TWICE = ("settings", "system", "names", "sudo", "twice")
_NETWORK = """\
[Match]
Type=ether
[Link]
MTUBytes=1400
[Network]
DHCP=ipv4
DNS=192.0.2.1
IPv6AcceptRA=no
[DHCPv4]
UseDNS=no
UseGateway=no
UseMTU=no
"""
_OF_SSH = "PasswordAuthentication yes\nKbdInteractiveAuthentication yes\nPermitRootLogin yes\n"

SABOTAGES = (
    # contextualisation and network
    MachineSabotage(
        "user_data.script_was_run",
        "user data that is not run",
        settings("final", "cloud_final_modules: [final-message]"),
        SETTINGS,
        ("machines.run_user_data[instance]", "user_data.script_of_the_operator_was_run"),
    ),
    MachineSabotage(
        "cloud_init.admits_the_users_key_alone",
        "a key of the builder for the user",
        settings("key", "ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEuH builder]"),
        SETTINGS,
    ),
    MachineSabotage(
        "passwords.none_on_a_server",
        "a password that the first boot sets",
        settings("password", "password: secret\nchpasswd: {expire: false}"),
        SETTINGS,
    ),
    MachineSabotage(
        "root_file_system.grew_to_the_disk[instance]",
        "a root file system that does not grow",
        settings("growth", "growpart: {mode: 'off'}\nresize_rootfs: false"),
        SETTINGS,
    ),
    MachineSabotage(
        "network.interface_has_the_networks_mtu",
        "network settings of its own",
        both(settings("network", "network: {config: disabled}"), put(NETWORK, _NETWORK)),
        SETTINGS,
    ),
    MachineSabotage(
        "network.asks_the_resolver_that_it_was_given",
        "a resolver of its own",
        put(NETWORK, _NETWORK),
        SETTINGS,
    ),
    MachineSabotage(
        "network.has_a_default_route", "no default route", put(NETWORK, _NETWORK), SETTINGS
    ),
    MachineSabotage(
        "machines.have_an_ipv6_address[instance]",
        "no IPv6 by advertisement",
        put(NETWORK, _NETWORK),
        SETTINGS,
    ),
    MachineSabotage(
        "passwords.ssh_takes_no_passwords",
        "an SSH server that takes passwords",
        put("/etc/ssh/sshd_config.d/00-own.conf", _OF_SSH),
        SETTINGS,
        ("passwords.ssh_asks_no_questions", "passwords.ssh_admits_root_with_keys_only"),
    ),
    # the system
    MachineSabotage(
        "clock.is_in_utc",
        "the builder's time zone",
        link("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin"),
        SYSTEM,
    ),
    MachineSabotage(
        "clock.is_kept_right",
        "no time service",
        link(f"{UNITS}/systemd-timesyncd.service", "/dev/null"),
        SYSTEM,
    ),
    MachineSabotage(
        "locale.is_there",
        "a locale that was not made",
        put("/etc/environment", "LC_ALL=de_DE.UTF-8\n"),
        SYSTEM,
    ),
    MachineSabotage(
        "listening.is_meant_to",
        "a server of files",
        unit("files", "/usr/bin/python3 -m http.server 8000"),
        SYSTEM,
    ),
    MachineSabotage("disk.nothing_is_swapped_to_the_root_disk", "a swap file", swap_file, SYSTEM),
    MachineSabotage(
        "disk.deleted_data_is_given_back",
        "a disk that gives nothing back",
        without_discard,
        SYSTEM,
    ),
    MachineSabotage(
        "disk.fstab_is_in_order",
        "a disk that may be missing",
        append("/etc/fstab", "UUID=1111-2222 /srv ext4 nofail,x-systemd.device-timeout=1 0 2\n"),
        SYSTEM,
        ("console.shows_no_trouble",),
    ),
    MachineSabotage(
        "at_rest.log_no_errors",
        "a service that logs errors",
        unit("complainer", "/usr/bin/logger -p daemon.err cannot-open", "Type=oneshot"),
        SYSTEM,
    ),
    MachineSabotage(
        "at_rest.the_boot_comes_to_its_end",
        "a service that starts for ever",
        unit("endless", "/bin/sleep infinity", "Type=oneshot\nTimeoutStartSec=infinity"),
        SYSTEM,
        (
            "at_rest.the_system_is_running",
            # the last part of contextualisation waits for all services
            "cloud_init.comes_to_its_end",
            "user_data.script_was_run",
            "user_data.script_of_the_operator_was_run",
            "machines.run_user_data[instance]",
        ),
    ),
    MachineSabotage(
        "services.none_has_failed",
        "a service that fails",
        unit("broken", "/bin/false", "Type=oneshot"),
        SYSTEM,
        (
            "machines.have_no_failed_unit[instance]",
            "at_rest.the_system_is_running",
            "console.shows_no_trouble",
        ),
    ),
    MachineSabotage(
        "kernel.reports_nothing_critical",
        "something critical in the kernel's log",
        unit("critical", "/bin/sh -c 'echo \"<2>fan has failed\" >/dev/kmsg'", "Type=oneshot"),
        SYSTEM,
        ("at_rest.log_no_errors",),
    ),
    MachineSabotage(
        "kernel.the_running_one_is_the_newest",
        "a newer kernel that is not started",
        newer_kernel,
        SYSTEM,
    ),
    MachineSabotage(
        "packages.all_are_installed_whole",
        "a package that is half installed",
        half_installed,
        SYSTEM,
    ),
    MachineSabotage(
        "access_control.is_enforced",
        "AppArmor is off",
        kernel_argument("apparmor=0"),
        SYSTEM,
    ),
    MachineSabotage(
        "budgets.memory",
        "a service that takes all memory",
        unit(
            "hungry", "/usr/bin/python3 -c 'x = b\"x\" * 290000000; input()'", "StandardInput=tty"
        ),
        SYSTEM,
    ),
    MachineSabotage("budgets.disk", "a large forgotten file", fill_the_disk, SYSTEM),
    MachineSabotage(
        "console.shows_a_login_prompt",
        "nothing to log in to on the console",
        link(f"{UNITS}/serial-getty@ttyS0.service", "/dev/null"),
        SYSTEM,
    ),
    # names and identities
    MachineSabotage(
        "hostname.is_the_instances_name",
        "the builder's name",
        both(settings("name", "preserve_hostname: true"), put("/etc/hostname", "builder\n")),
        NAMES,
        ("machines.have_the_instances_name[instance]",),
    ),
    MachineSabotage(
        "hostname.can_be_resolved",
        "a name that only the builder has",
        name_of_the_builder,
        NAMES,
        (
            "hostname.localhost_is_the_machine_itself",
            "boot.sudo_complains_of_nothing",
            "at_rest.log_no_errors",  # sudo's complaint
        ),
    ),
    MachineSabotage(
        "host_keys.differ_between_machines",
        "a host key that stays",
        host_key,
        NAMES,
        ("cloud_init.logs_no_warnings",),  # it knows no empty list of keys
    ),
    MachineSabotage(
        "machine_id.differs_between_machines",
        "an id that stays",
        put("/etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
        NAMES,
    ),
    MachineSabotage(
        "console.shows_a_login_prompt",
        "a prompt of somebody else",
        put("/etc/hostname", "builder\n"),
        NAMES,
    ),
    # these end a machine, or hide what else there is
    MachineSabotage(
        "boot.admin_user_may_use_sudo",
        "sudo that wants a password",
        settings("sudo", 'system_info: {default_user: {name: debian, sudo: "ALL=(ALL) ALL"}}'),
        SUDO,
    ),
    MachineSabotage(
        "power_button.shuts_down_cleanly[instance]",
        "a power button that nobody hears",
        put("/etc/systemd/logind.conf.d/own.conf", "[Login]\nHandlePowerKey=ignore\n"),
        SUDO,
    ),
    MachineSabotage(
        "lives.lets_the_key_in_again[instance-reboot]",
        "a network that is there but once",
        unit(
            "once",
            "/bin/sh -c 'sleep 5; rm -f /etc/netplan/* /run/systemd/network/* "
            "/etc/systemd/network/*; touch /etc/cloud/cloud-init.disabled'",
        ),
        TWICE,
    ),
)
BOOTS = tuple(dict.fromkeys(sabotage.boot for sabotage in SABOTAGES))
"""The boots that all of them need"""


def done(boot: str) -> Deed:
    """All deeds of a boot, one after the other."""
    deeds = dict.fromkeys(sabotage.deed for sabotage in SABOTAGES if sabotage.boot == boot)
    return both(*deeds)


def expected(boot: str) -> frozenset[str]:
    """The checks that must reject a boot's machine."""
    return frozenset(sabotage.check for sabotage in SABOTAGES if sabotage.boot == boot)


def allowed(boot: str) -> frozenset[str]:
    """The checks that may."""
    also = (name for one in SABOTAGES if one.boot == boot for name in one.also)
    return expected(boot) | frozenset(also)
