"""What a tired administrator, a copy or a script has bent: names, links, whole texts, packages."""

from pathlib import Path

from sabotages.table import (
    ADDED,
    ALTERED,
    Deed,
    Sabotage,
    append,
    both,
    link,
    purged,
    put,
    remove,
)

WAITS = "services.wait_for_the_network"
HIDES, PRESETS = (
    "overrides.hide_nothing_of_packages",
    "overrides.let_packages_start_their_services",
)
NEW, LEADS = "new_accounts.can_be_used", "tree.leads_to_what_runs"
READ, COPIES, WHOLE = "settings.are_read", "settings.have_no_copies", "settings.are_whole"
BEFORE, LEFT = (
    "environment.nothing_stands_before_the_systems_programs",
    "build_traces.nothing_is_left_of_what_was_removed",
)
SCRIPTS, PURGED = "startup.no_scripts_are_left", "packages.have_what_they_need"
_SYSTEM = "/etc/systemd/system"


def copied(path: str) -> Deed:
    """Put a copy of what a link leads to in its place, as ``cp -L`` does."""

    def deed(root: Path) -> None:
        place = root / path[1:]
        content = place.read_bytes()
        place.unlink()
        place.write_bytes(content)

    return deed


WINDOWS = "PAGER=less\r\nexport PAGER\r\n"
NAMED = (
    ("settings of contextualisation", "/etc/cloud/cloud.cfg.d/99-build.yaml", ()),
    ("settings of SSH", "/etc/ssh/sshd_config.d/10-harden", ()),
    ("package sources", "/etc/apt/sources.list.d/site.list.txt", ()),
    ("rules of sudo", "/etc/sudoers.d/10-site.rules", ("permissions.sudo_trusts_its_rules",)),
    ("a job", "/etc/cron.daily/tidy.sh", ("startup.no_jobs_are_left",)),
    ("settings of the kernel", "/etc/sysctl.d/99-site", (SCRIPTS,)),
)
DAMAGED = (
    ("line ends of Windows", put("/etc/profile.d/site.sh", WINDOWS), "/etc/profile.d/site.sh: has"),
    (
        "a mark of Windows at the beginning",
        put("/etc/ssh/sshd_config.d/10-x.conf", "\ufeffX11Forwarding no\n"),
        "(BOM)",
    ),
    (
        "two versions that were never merged",
        put("/etc/sysctl.d/99-x.conf", "<<<<<<< HEAD\nvm.swappiness=1\n"),
        "never merged",
    ),
    (
        "a template that was not filled in",
        put("/etc/cloud/cloud.cfg.d/99-x.cfg", 'locale: "{{ site_locale }}"\n'),
        "filled in",
    ),
    ("accounts' rules that were cut off", put("/etc/nsswitch.conf", ""), "/etc/nsswitch.conf"),
)
ACCOUNTS = (
    ("passwords that expire at once", "/etc/login.defs", "PASS_MAX_DAYS\t1", "PASS_MAX_DAYS 1"),
    ("other numbers for users", "/etc/login.defs", "UID_MIN 5000", "UID_MIN 5000"),
    ("a weak kind of hash", "/etc/login.defs", "ENCRYPT_METHOD MD5", "ENCRYPT_METHOD MD5"),
    ("users without a shell", "/etc/default/useradd", "SHELL=/bin/false", "SHELL=/bin/false"),
    ("users that expire", "/etc/default/useradd", "EXPIRE=2020-01-01", "EXPIRE=2020-01-01"),
    ("homes for everybody", "/etc/adduser.conf", "DIR_MODE=0777", "DIR_MODE=0777"),
)
_IN_PLACE = "/usr/local/lib/python3.11/dist-packages"

SABOTAGES = (
    Sabotage(
        "tree.runs_scripts_with_the_shell_of_the_system",
        "another shell for scripts",
        link("/usr/bin/sh", "bash"),
        "/bin/sh: leads to /usr/bin/bash",
    ),
    Sabotage(
        LEADS,
        "another version of Python",
        both(
            put("/usr/local/bin/python3.12", "#!/bin/sh\n", 0o755),
            link("/usr/bin/python3", "/usr/local/bin/python3.12"),
        ),
        "/usr/bin/python3: leads to /usr/local/bin/python3.12",
        ADDED,
    ),
    Sabotage(
        LEADS,
        "a copy in place of a link",
        copied("/usr/lib/x86_64-linux-gnu/libzstd.so.1"),
        "libzstd.so.1: is a file",
        ALTERED,
    ),
    Sabotage(
        "services.those_that_servers_need_are_on",
        "nothing that sets the clock",
        purged("systemd-timesyncd"),
        "the right time: is not switched on",
        (*ADDED, "services.those_of_packages_are_switched_on", PURGED),
    ),
    Sabotage(
        "cloud_modules.finds_the_programs_that_it_runs",
        "nothing by which a user becomes root",
        purged("sudo"),
        "the user cannot become root",
        (*ADDED, PURGED),
    ),
    Sabotage(
        WAITS,
        "nobody waits for the network",
        remove(f"{_SYSTEM}/network-online.target.wants/systemd-networkd-wait-online.service"),
        "systemd-networkd-wait-online.service: is not switched on",
    ),
    Sabotage(
        WAITS,
        "nobody may wait for the network",
        link(f"{_SYSTEM}/systemd-networkd-wait-online.service", "/dev/null"),
        "systemd-networkd-wait-online.service: is masked",
        (*ADDED, "services.none_is_masked"),
    ),
    Sabotage(
        HIDES,
        "no names of disks",
        link("/etc/udev/rules.d/60-persistent-storage.rules", "/dev/null"),
        "hides /usr/lib/udev/rules.d/60-persistent-storage.rules",
        ADDED,
    ),
    Sabotage(
        HIDES,
        "other names of cards",
        link("/etc/systemd/network/99-default.link", "/dev/null"),
        "hides /usr/lib/systemd/network/99-default.link",
        ADDED,
    ),
    Sabotage(
        HIDES,
        "another way to keep folders",
        put("/etc/tmpfiles.d/tmp.conf", "q /tmp 1777 root root 1d\n"),
        "replaces /usr/lib/tmpfiles.d/tmp.conf",
        (*ADDED, SCRIPTS),
    ),
    Sabotage(
        PRESETS,
        "services that are never started",
        put(f"{_SYSTEM}-preset/00-build.preset", "disable *\n"),
        "says disable *",
        ADDED,
    ),
    *(
        Sabotage(NEW, what, append(path, f"{line}\n"), f"{path}: says {names}", ALTERED)
        for what, path, line, names in ACCOUNTS
    ),
    *(
        Sabotage(
            READ,
            f"{what} that nobody reads",
            put(path, "x=1\n", 0o440 if "sudo" in path else 0o644),
            path,
            (*ADDED, *also),
        )
        for what, path, also in NAMED
    ),
    Sabotage(
        READ,
        "a job that cannot be run",
        put("/etc/cron.daily/tidy", "#!/bin/sh\n"),
        "/etc/cron.daily/tidy: is never run",
        (*ADDED, "startup.no_jobs_are_left"),
    ),
    Sabotage(
        COPIES,
        "the settings before",
        put("/etc/ssh/sshd_config.bak", "Port 22\n"),
        "/etc/ssh/sshd_config.bak: is a copy",
        ADDED,
    ),
    Sabotage(
        COPIES,
        "what an update has left",
        put("/etc/login.defs.dpkg-old", "UMASK 022\n"),
        "/etc/login.defs.dpkg-old: is a copy",
        ADDED,
    ),
    *(
        Sabotage(
            WHOLE,
            what,
            deed,
            names,
            (
                *(*ADDED, SCRIPTS, "sshd.understands_its_settings"),
                *("resolver.asks_where_the_system_does", "cloud_modules.understands_its_settings"),
            ),
        )
        for what, deed, names in DAMAGED
    ),
    Sabotage(
        BEFORE,
        "a program that hides the system's",
        put("/usr/local/bin/curl", "#!/bin/sh\n", 0o755),
        "is run in place of /usr/bin/curl",
        ADDED,
    ),
    Sabotage(
        BEFORE,
        "a library that hides the system's",
        put("/usr/local/lib/libssl.so.3", "x"),
        "/usr/local/lib/libssl.so.3: is loaded in place of",
        ADDED,
    ),
    Sabotage(
        BEFORE,
        "modules of Python that hide the system's",
        put(f"{_IN_PLACE}/requests/__init__.py", "x = 1\n"),
        f"{_IN_PLACE}/requests: is imported in place of",
        ADDED,
    ),
    Sabotage(
        LEFT,
        "what containers leave",
        put("/var/lib/docker/engine", "x\n"),
        "/var/lib/docker: is left",
        (*ADDED, "identity.is_not_in_the_image"),
    ),
    Sabotage(
        LEFT, "a folder of the builder", lambda root: (root / "vagrant").mkdir(), "/vagrant: is not"
    ),
    Sabotage(
        "cloud_modules.finds_the_programs_that_it_runs",
        "nothing that makes partitions grow",
        purged("cloud-guest-utils"),
        "growpart: is missing",
    ),
    Sabotage(
        PURGED,
        "nothing that asks for an address",
        purged("isc-dhcp-client"),
        "cloud-init: needs isc-dhcp-client",
        ADDED,
    ),
)
