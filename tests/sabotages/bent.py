"""What a tired administrator, a copy or a script has bent: rights, names, whole texts, settings."""

import os
import struct
import subprocess
from pathlib import Path

from sabotages.table import (
    ADDED,
    ALTERED,
    Deed,
    Sabotage,
    append,
    both,
    bytes_at,
    link,
    mode,
    owner,
    put,
    remove,
    replace,
)

LOCKED, KEPT = (
    "permissions.files_can_be_changed_by_root",
    "permissions.state_belongs_to_who_keeps_it",
)
RIGHTS = "permissions.programs_have_the_rights_that_they_need"
OPEN, ROOTS = (
    "permissions.of_what_everybody_needs_are_open",
    "permissions.nobody_but_root_changes_the_system",
)
MOUNTS, ROOM = "fstab.mounts_what_is_there_as_it_is", "fstab.gives_temporary_files_room"
COVERS, WAITS = "fstab.covers_nothing_of_the_system", "services.wait_for_the_network"
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
SCRIPTS, UNITS = "startup.no_scripts_are_left", "startup.no_units_are_left"
STARTS, UPDATED = "boot_loader.has_what_it_starts", "boot_loader.can_be_updated"
PURGED = "packages.have_what_they_need"
ROOT_DEVICE = "boot_loader.finds_the_root_by_what_it_is"
_SYSTEM, _FSTAB, _DEFAULTS = "/etc/systemd/system", "/etc/fstab", "/etc/default/grub"
_INFO, _STATUS = "/var/lib/dpkg/info", "/var/lib/dpkg/status"


def locked(path: str, content: str | None = None) -> Deed:
    """Make a file immutable, as ``chattr +i`` does."""

    def deed(root: Path) -> None:
        place = root / path[1:]
        if content is not None:
            put(path, content)(root)
        subprocess.run(["chattr", "+i", place], check=True, timeout=10)

    return deed


def cut(path: str, size: int) -> Deed:
    """Cut a file off."""

    def deed(root: Path) -> None:
        with next(root.glob(path[1:])).open("r+b") as stream:
            stream.truncate(size)

    return deed


def lines_out(path: str, word: str) -> Deed:
    """Take the lines with a word out of a file."""

    def deed(root: Path) -> None:
        place = root / path[1:]
        lines = place.read_text().splitlines(keepends=True)
        place.write_text("".join(line for line in lines if word not in line))

    return deed


def copied(path: str) -> Deed:
    """Put a copy of what a link leads to in its place, as ``cp -L`` does."""

    def deed(root: Path) -> None:
        place = root / path[1:]
        content = place.read_bytes()
        place.unlink()
        place.write_bytes(content)

    return deed


def purged(package: str) -> Deed:
    """Take a package away, as its manager does, whatever needs it."""

    def deed(root: Path) -> None:
        lists = root / _INFO[1:]
        listed = next(p for p in lists.glob(f"{package}*.list") if p.stem.split(":")[0] == package)
        for line in listed.read_text().splitlines():
            place = root / line[1:]
            is_merged = line.count("/") == 1  # /bin and the like, which lead into /usr
            if not is_merged and (place.is_symlink() or place.is_file()):
                place.unlink()
        for part in lists.glob(f"{listed.stem}.*"):
            part.unlink()
        status = root / _STATUS[1:]
        known = status.read_text().split("\n\n")
        kept = [one for one in known if not one.startswith(f"Package: {package}\n")]
        status.write_text("\n\n".join(kept))

    return deed


def shared(path: str, uid: int) -> Deed:
    """Let another account read a file, as ``setfacl -m u:NUMBER:r`` does."""

    def deed(root: Path) -> None:
        entries = ((1, 6, -1), (2, 4, uid), (4, 4, -1), (16, 4, -1), (32, 0, -1))
        words = b"".join(struct.pack("<HHi", *entry) for entry in entries)
        os.setxattr(root / path[1:], "system.posix_acl_access", struct.pack("<I", 2) + words)

    return deed


WINDOWS = "PAGER=less\r\nexport PAGER\r\n"
MOUNT_ROWS = (
    ("an option that nobody knows", replace(_FSTAB, "discard", "discard,noatim"), "with noatim"),
    ("a root without sudo", replace(_FSTAB, "rw,", "rw,nosuid,"), "with nosuid on /"),
    (
        "a place that is mounted twice",
        append(_FSTAB, "LABEL=data / ext4 defaults 0 2\n"),
        "is mounted on /",
    ),
    (
        "processes that nobody sees",
        append(_FSTAB, "proc /proc proc defaults,hidepid=2 0 0\n"),
        "hidepid=2",
    ),
)
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
    *(
        Sabotage(LOCKED, what, deed, names, also)
        for what, deed, names, also in (
            ("a name that stays", locked("/etc/hostname"), "/etc/hostname: cannot be", ()),
            (
                "name servers that stay",
                locked("/etc/resolv.conf", ""),
                "/etc/resolv.conf: cannot be",
                (),
            ),
        )
    ),
    *(
        Sabotage(KEPT, what, owner(path, uid, gid), f"{path}: belongs to")
        for what, path, uid, gid in (
            ("a list of packages of a web server", "/var/lib/dpkg", 33, 33),
            ("downloads of a web server", "/var/cache/apt/archives/partial", 33, 33),
            ("logs of apt that are the manuals'", "/var/log/apt", 6, 12),
            ("programs of a web server", "/opt", 33, 33),
            ("a post office of root's group", "/var/mail", 0, 0),
        )
    ),
    Sabotage(
        ROOTS,
        "settings of a service's account",
        owner("/etc/ssh", 33, 0),
        "/etc/ssh: belongs",
        ("permissions.of_what_matters_most_are_strict",),
    ),
    *(
        Sabotage(RIGHTS, what, mode(path, 0o755), f"{path}: has lost")
        for what, path in (
            ("no change of shell", "/usr/bin/chsh"),
            ("an agent whose keys can be read", "/usr/bin/ssh-agent"),
            ("no logins by the host's key", "/usr/lib/openssh/ssh-keysign"),
        )
    ),
    *(
        Sabotage(OPEN, what, mode(path, permissions), f"{path}: has mode", also)
        for what, path, permissions, also in (
            ("package sources for root alone", "/etc/apt/sources.list", 0o600, ()),
            (
                "authorities for root alone",
                "/etc/ssl/certs/ca-certificates.crt",
                0o600,
                (),
            ),
            ("zones for root alone", "/usr/share/zoneinfo", 0o700, ()),
            ("modules of Python for root alone", "/usr/lib/python3", 0o750, ()),
        )
    ),
    Sabotage(
        "permissions.nobody_else_is_let_in",
        "passwords that a web server reads",
        shared("/etc/shadow", 33),
        "/etc/shadow: has an access list",
    ),
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
    *(
        Sabotage(MOUNTS, what, deed, names, ("fstab.names_nothing_that_servers_lack",))
        for what, deed, names in MOUNT_ROWS
    ),
    Sabotage(
        ROOM,
        "few megabytes for temporary files",
        append(_FSTAB, "tmpfs /tmp tmpfs mode=1777,size=16M 0 0\n"),
        "/etc/fstab: gives /tmp size=16M",
    ),
    Sabotage(
        ROOM,
        "few megabytes by a unit",
        put(f"{_SYSTEM}/tmp.mount.d/size.conf", "[Mount]\nOptions=mode=1777,size=2%\n"),
        "gives /tmp size=2%",
        (*ADDED, UNITS),
    ),
    Sabotage(
        COVERS,
        "logs in memory",
        append(_FSTAB, "tmpfs /var/log tmpfs defaults 0 0\n"),
        "is mounted over /var/log",
    ),
    Sabotage(
        COVERS,
        "temporary files that are to last",
        append(_FSTAB, "tmpfs /var/tmp tmpfs defaults 0 0\n"),
        "is mounted on /var/tmp",
    ),
    Sabotage(
        MOUNTS,
        "a word for a number",
        replace(_FSTAB, " 0 1\n", " 0 yes\n"),
        "has yes where a number",
    ),
    Sabotage(
        MOUNTS,
        "a root at whose errors servers stop",
        replace(_FSTAB, "errors=remount-ro", "errors=panic"),
        "errors=panic",
    ),
    Sabotage(
        "fstab.names_nothing_that_servers_lack",
        "a device that is none",
        append(_FSTAB, "label=data /srv ext4 defaults,nofail 0 2\n"),
        "label=data: is no device",
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
        "packages.have_what_they_need",
        "nothing that asks for an address",
        purged("isc-dhcp-client"),
        "cloud-init: needs isc-dhcp-client",
        ADDED,
    ),
    Sabotage(
        "kernel.is_updated",
        "a kernel for ever",
        purged("linux-image-cloud-amd64"),
        "is never updated",
    ),
    Sabotage(
        STARTS, "a kernel that was cut off", cut("/boot/vmlinuz-*", 4096), "is cut off", ALTERED
    ),
    Sabotage(
        STARTS,
        "an initial RAM disk that was cut off",
        cut("/boot/initrd.img-*", 0),
        "is cut off",
        ("kernel.ram_disk_drives_every_bus",),
    ),
    Sabotage(
        "kernel.ram_disk_drives_every_bus",
        "an initial RAM disk of which half is there",
        cut("/boot/initrd.img-*", 5_000_000),
        "cannot be unpacked",
    ),
    Sabotage(
        STARTS,
        "a menu without the initial RAM disk",
        lines_out("/boot/grub/grub.cfg", "initrd"),
        "without its initial RAM disk",
    ),
    Sabotage(
        ROOT_DEVICE,
        "another kind for the root",
        replace("/boot/grub/grub.cfg", "ro console=tty0", "ro rootfstype=xfs console=tty0"),
        "says rootfstype=xfs, and the root is ext4",
    ),
    Sabotage(
        "boot_loader.starts_what_is_there_by_default",
        "a kernel that is started for ever",
        append(_DEFAULTS, "GRUB_DEFAULT=saved\nGRUB_SAVEDEFAULT=true\n"),
        "says GRUB_SAVEDEFAULT",
    ),
    Sabotage(
        ROOT_DEVICE,
        "a root by its place from the next menu on",
        append(_DEFAULTS, "GRUB_DISABLE_LINUX_UUID=true\n"),
        "GRUB_DISABLE_LINUX_UUID",
    ),
    Sabotage(
        UPDATED,
        "the builder's disk for the boot loader",
        append(
            "/var/cache/debconf/config.dat",
            "\nName: grub-pc/install_devices\nTemplate: grub-pc/install_devices\n"
            "Value: /dev/sda\nOwners: grub-pc\n",
        ),
        "install_devices is /dev/sda",
    ),
    Sabotage(
        UPDATED,
        "a map of the builder's disks",
        put("/boot/grub/device.map", "(hd0) /dev/sda\n"),
        "/boot/grub/device.map",
        ADDED,
    ),
    Sabotage(
        "boot_loader.is_where_firmware_looks",
        "no boot loader for BIOS",
        bytes_at(0, b"\0" * 440),
        "first sector: holds no boot loader",
        on_disk=True,
    ),
)
