"""What a builder has cleaned away or bent, so that servers lack it."""

import shutil
from pathlib import Path

from sabotages.table import (
    ADDED,
    ALTERED,
    Deed,
    Sabotage,
    append,
    both,
    link,
    mode,
    put,
    remove,
    replace,
)

FOLDERS, PACKED = "tree.has_the_folders_of_a_system", "tree.has_what_packages_bring"
LEADS, NEEDED = "tree.leads_to_what_runs", "services.those_that_servers_need_are_on"
READ, KNOWN = "accounts.can_all_be_read", "accounts.that_services_need_are_there"
USED, RIGHTS = (
    "permissions.programs_can_be_used",
    "permissions.programs_have_the_rights_that_they_need",
)
JOURNAL = "logging.is_kept"
STRICT = "permissions.of_what_matters_most_are_strict"
_DPKG, _STATUS = "/var/lib/dpkg", "/var/lib/dpkg/status"
_SYSTEM = "/etc/systemd/system"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def away(path: str) -> Deed:
    """Take a folder away, with all that is in it."""

    def deed(root: Path) -> None:
        shutil.rmtree(root / path[1:])

    return deed


def emptied(path: str) -> Deed:
    """Take away what is in a folder."""

    def deed(root: Path) -> None:
        for place in (root / path[1:]).iterdir():
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()

    return deed


def folder(path: str) -> Deed:
    """Make a folder, in place of what is there."""

    def deed(root: Path) -> None:
        (root / path[1:]).unlink(missing_ok=True)
        (root / path[1:]).mkdir(parents=True)

    return deed


def without(path: str, start: str) -> Deed:
    """Take lines out of a file."""

    def deed(root: Path) -> None:
        place = root / path[1:]
        lines = place.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(start)]
        assert len(kept) < len(lines), f"{path} has no line that begins with {start}"
        place.write_text("".join(kept))

    return deed


def _state(package: str, state: str) -> Deed:
    before = f"Package: {package}\nStatus: install ok installed"
    return replace(_STATUS, before, f"Package: {package}\nStatus: {state}")


SABOTAGES = (
    Sabotage(FOLDERS, "no folder for temporary files", away("/tmp"), "/tmp: is missing", (PACKED,)),
    Sabotage(
        FOLDERS, "no folder for logs", away("/var/log"), "/var/log: is missing", (PACKED, JOURNAL)
    ),
    Sabotage(FOLDERS, "no folder for homes", away("/home"), "/home: is missing", (PACKED,)),
    Sabotage(
        PACKED,
        "folders for logs that were cleaned away",
        emptied("/var/log"),
        "/var/log/",
        (JOURNAL,),
    ),
    Sabotage(
        PACKED, "a program's link that is gone", remove("/usr/bin/python3"), "/usr/bin/python3"
    ),
    Sabotage(
        LEADS,
        "a folder in place of the link to run",
        both(remove("/var/run"), folder("/var/run")),
        "/var/run: does not lead to /run",
    ),
    Sabotage(
        LEADS,
        "a program that leads nowhere",
        remove("/etc/alternatives/awk"),
        "awk: leads to",
    ),
    Sabotage(
        LEADS,
        "another system's name",
        put("/etc/os-release", "NAME=Corp\nID=debian\nVERSION_CODENAME=bookworm\n"),
        "/etc/os-release: is not",
    ),
    Sabotage(
        "packages.none_is_half_done_in_the_image",
        "a package that was not configured",
        _state("curl", "install ok half-configured"),
        "curl: is half-configured",
        (*ADDED, PACKED, "integrity.files_are_as_they_were_packed"),
    ),
    Sabotage(
        "packages.start_their_services",
        "no service may start",
        put("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755),
        "/usr/sbin/policy-rc.d",
        ADDED,
    ),
    Sabotage(
        "packages.are_treated_as_they_want",
        "a program that is moved away",
        append(f"{_DPKG}/diversions", "/usr/sbin/a\n/usr/sbin/a.distrib\n:\n"),
        "moves /usr/sbin/a away",
    ),
    Sabotage(
        "packages.are_treated_as_they_want",
        "a rule for an account that is gone",
        append(f"{_DPKG}/statoverride", "builder root 0755 /usr/bin/a\n"),
        "names the user builder",
    ),
    Sabotage(
        "packages.are_treated_as_they_want",
        "an architecture of which nothing is there",
        append(f"{_DPKG}/arch", "i386\n"),
        "i386",
    ),
    Sabotage(
        READ,
        "a broken line among the accounts",
        append("/etc/passwd", "broken\n"),
        "/etc/passwd: has no account",
    ),
    Sabotage(
        READ, "accounts of a directory", append("/etc/passwd", "+::::::\n"), "/etc/passwd: has no"
    ),
    Sabotage(
        READ, "a broken line among the groups", append("/etc/group", "broken\n"), "/etc/group"
    ),
    Sabotage(
        KNOWN,
        "no account for the network's service",
        both(
            without("/etc/passwd", "systemd-network:"), without("/etc/shadow", "systemd-network:")
        ),
        "systemd-network: is missing",
        ("permissions.files_belong_to_accounts",),
    ),
    Sabotage(
        KNOWN,
        "no account for SSH",
        both(without("/etc/passwd", "sshd:"), without("/etc/shadow", "sshd:")),
        "sshd: is missing: SSH does not start",
    ),
    Sabotage(
        "accounts.have_shells_that_are_known",
        "a list of shells without the usual ones",
        put("/etc/shells", "/bin/zsh\n"),
        "/etc/shells: leaves out /bin/bash",
    ),
    Sabotage(
        NEEDED,
        "no network",
        remove(f"{_SYSTEM}/multi-user.target.wants/systemd-networkd.service"),
        "the network: is not switched on",
        ("services.those_switched_on_are_declared",),
    ),
    Sabotage(
        NEEDED,
        "no login on the console",
        remove(f"{_SYSTEM}/getty.target.wants/getty@tty1.service"),
        "the console's login",
    ),
    Sabotage(
        NEEDED,
        "no updates, and no record of it",
        both(
            remove(f"{_SYSTEM}/timers.target.wants/apt-daily.timer"),
            remove(
                "/var/lib/systemd/deb-systemd-helper-enabled/timers.target.wants/apt-daily.timer"
            ),
        ),
        "apt-daily.timer: is not switched on",
    ),
    Sabotage(
        "cloud_modules.is_there",
        "no contextualisation",
        remove("/usr/bin/cloud-init"),
        "cloud-init itself is missing",
        ALTERED,
    ),
    Sabotage(
        "certificates.of_the_vendor_are_there", "no bundle of authorities", remove(_BUNDLE), _BUNDLE
    ),
    Sabotage(
        "certificates.of_the_vendor_are_there",
        "an empty bundle of authorities",
        put(_BUNDLE, ""),
        "holds 0 of",
    ),
    Sabotage(
        "sudo.reads_the_rules_of_contextualisation",
        "sudo without the folder of its rules",
        replace("/etc/sudoers", "@includedir /etc/sudoers.d", ""),
        "/etc/sudoers",
        ALTERED,
    ),
    Sabotage(
        "pam.makes_sessions_of_the_system",
        "sessions that the system does not know of",
        without("/etc/pam.d/common-session", "session\toptional\tpam_systemd.so"),
        "leaves out pam_systemd.so",
    ),
    Sabotage(
        "machine_id.is_made_at_the_first_boot",
        "no file for the id",
        remove("/etc/machine-id"),
        "/etc/machine-id: is missing",
    ),
    Sabotage(
        "machine_id.is_made_at_the_first_boot",
        "a link in place of the id",
        link("/etc/machine-id", "/var/lib/dbus/machine-id"),
        "/etc/machine-id: is a link",
    ),
    Sabotage(
        USED, "a program that is not executable", mode("/usr/bin/curl", 0o644), "/usr/bin/curl"
    ),
    Sabotage(
        USED,
        "a library for root alone",
        mode("/usr/lib/x86_64-linux-gnu/libzstd.so.1.5.4", 0o600),
        "libzstd.so",
    ),
    Sabotage(
        RIGHTS,
        "no reading of the own password",
        mode("/usr/sbin/unix_chkpwd", 0o755),
        "unix_chkpwd",
    ),
    Sabotage(
        RIGHTS,
        "no starting of services by messages",
        mode("/usr/lib/dbus-1.0/dbus-daemon-launch-helper", 0o755),
        "dbus-daemon-launch-helper",
    ),
    Sabotage(STRICT, "logs for root alone", mode("/var/log", 0o700), "/var/log: has mode 0700"),
    Sabotage(
        STRICT, "libraries for root alone", mode("/usr/lib", 0o700), "/usr/lib: has mode 0700"
    ),
    Sabotage(
        STRICT, "hosts for root alone", mode("/etc/hosts", 0o600), "/etc/hosts: has mode 0600"
    ),
    Sabotage(
        "build_traces.no_empty_folders",
        "an empty home of the builder",
        folder("/home/packer"),
        "/home/packer: is an empty folder",
    ),
)
