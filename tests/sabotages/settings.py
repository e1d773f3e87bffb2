"""Settings of a builder that hinder servers or those who use them."""

from sabotages.table import ADDED, ALTERED, Sabotage, append, link, put, replace

SITE, OWN = "/etc/cloud/cloud.cfg.d/90-site.cfg", "/etc/cloud/cloud.cfg.d/99-build.cfg"
MODULES = "cloud_modules.runs_every_module_that_servers_need"
TOLD = "cloud_modules.is_told_to_do_what_servers_need"
UNDERSTOOD = "cloud_modules.understands_its_settings"
MOUNTS, MENU = "fstab.mounts_what_is_there_as_it_is", "boot_loader.starts_what_is_there_by_default"
RESUMES = "boot_loader.waits_for_no_disk_to_resume_from"
DIVERTED = "kernel_arguments.start_the_system_as_it_is"
SERIAL = "kernel_arguments.show_the_boot_on_the_serial_console"
WEAK, OTHERWISE = "kernel_settings.weaken_nothing", "kernel_settings.fit_every_server"
INSTALLED = "packages.are_installed_as_the_system_does"
FIREWALL, KEPT_OUT = "firewall.lets_in_what_the_cloud_lets_in", "pam.keeps_nobody_out"
PROGRAMS, ZONE = "environment.lets_programs_work", "clock.zone_is_utc_in_the_image"
SCRIPTS, KEYBOARD = "startup.no_scripts_are_left", "locale.keyboard_is_that_of_the_console"
RELEASE = "package_sources.are_of_this_release"
_GRUB, _DEFAULTS = "/boot/grub/grub.cfg", "/etc/default/grub"
_LIST, _DISK = "/etc/apt/sources.list", "UUID=11111111-2222-3333-4444-555555555555"
_VENDOR = "http://mirror.debian.org/debian"
_NO_SOURCES = "apt: {preserve_sources_list: true}\n"
CLOUD = (
    (MODULES, "no modules of the first stage", "cloud_init_modules: []\n", "growpart"),
    (MODULES, "no scripts of users", "cloud_final_modules: [final-message]\n", "scripts_user"),
    (TOLD, "a root file system that may not grow", "growpart: {mode: 'off'}\n", "grow"),
    (TOLD, "another disk that grows", "growpart: {devices: [/data]}\n", "grow"),
    (TOLD, "no host keys", "ssh_genkeytypes: []\n", "makes no host keys"),
    (TOLD, "no data of the operator", "vendor_data: {enabled: false}\n", "operator"),
    (TOLD, "a user without sudo", "system_info: {default_user: {sudo: null}}\n", "no sudo"),
    (
        TOLD,
        "another way to set up networks",
        "system_info: {network: {renderers: [eni]}}\n",
        "network",
    ),
    (TOLD, "no key of users", "allow_public_ssh_keys: false\n", "lets no key in"),
    (UNDERSTOOD, "a value of the wrong kind", "growpart: [auto]\n", "growpart"),
    (UNDERSTOOD, "a word for yes or no", "ssh_deletekeys: sometimes\n", "ssh_deletekeys"),
    (UNDERSTOOD, "a misspelt setting", "ssh_pwauht: false\nssh_deletekeyz: true\n", "misspells"),
)
ARGUMENTS = (
    (
        DIVERTED,
        "a driver that is kept out by an argument",
        "modprobe.blacklist=virtio_net",
        "says modprobe.blacklist",
    ),
    (DIVERTED, "a minute before the root is looked for", "rootdelay=60", "says rootdelay=60"),
    (
        DIVERTED,
        "memory that is kept for the builder's program",
        "hugepages=512",
        "says hugepages=512",
    ),
    (RESUMES, "a suspended system of the builder", f"resume={_DISK}", f"resumes from {_DISK}"),
)
MOUNTED = (
    ("a root that no line names", lambda: put("/etc/fstab", "# nothing\n"), "/: is not named"),
    ("a root of another kind", lambda: replace("/etc/fstab", " / ext4 ", " / xfs "), "as xfs on /"),
    ("no barriers", lambda: replace("/etc/fstab", "rw,", "rw,barrier=0,"), "barrier=0"),
    ("a root without programs", lambda: replace("/etc/fstab", "rw,", "rw,noexec,"), "noexec"),
    ("a broken line", lambda: append("/etc/fstab", "tmpfs\n"), "tmpfs: has neither"),
)
SYSCTL = (
    (WEAK, "addresses that can be guessed", "kernel.randomize_va_space = 0"),
    (WEAK, "dumps of privileged programs", "fs.suid_dumpable=1"),
    (OTHERWISE, "no IPv6 by a setting", "net.ipv6.conf.all.disable_ipv6 = 1"),
    (OTHERWISE, "servers as routers", "net.ipv4.ip_forward=1"),
    (OTHERWISE, "memory for huge pages", "vm.nr_hugepages=1024"),
)
APT = (
    ("nothing that is recommended", "/etc/apt/apt.conf.d/99x", 'APT::Install-Recommends "false";'),
    ("another release", "/etc/apt/apt.conf.d/99x", 'APT::Default-Release "bullseye";'),
    ("no unattended updates", "/etc/apt/apt.conf.d/20x", 'APT::Periodic::Unattended-Upgrade "0";'),
    ("no manuals", "/etc/dpkg/dpkg.cfg.d/nodoc", "path-exclude=/usr/share/doc/*"),
    ("unsafe unpacking", "/etc/dpkg/dpkg.cfg.d/unsafe", "force-unsafe-io"),
)
ENVIRONMENT = (
    ("packages that ask nothing", "DEBIAN_FRONTEND=noninteractive"),
    ("no programs of administrators", "PATH=/usr/bin"),
    ("another language for everything", "LC_ALL=C"),
)

SABOTAGES = (
    *(
        Sabotage(check, what, put(OWN, said), names, (*ADDED, UNDERSTOOD))
        for check, what, said, names in CLOUD
    ),
    Sabotage(
        TOLD,
        "a switch that keeps the root small",
        put("/etc/growroot-disabled", ""),
        "/etc/growroot-disabled",
        ADDED,
    ),
    *(
        Sabotage(check, what, replace(_GRUB, "ro console=tty0", f"ro {said} console=tty0"), names)
        for check, what, said, names in ARGUMENTS
    ),
    Sabotage(
        RESUMES,
        "a suspended system in the initial RAM disk",
        put("/etc/initramfs-tools/conf.d/resume", f"RESUME={_DISK}\n"),
        f"resumes from {_DISK}",
    ),
    Sabotage(
        SERIAL,
        "another serial port",
        replace(_GRUB, "console=ttyS0", "console=ttyS1"),
        _GRUB,
    ),
    Sabotage(
        SERIAL,
        "no serial console from the next kernel on",
        replace(_DEFAULTS, " console=ttyS0,115200", ""),
        f"{_DEFAULTS}: has no serial console for the next kernel",
    ),
    Sabotage(
        MENU, "an entry that is not there", replace(_GRUB, 'default="0"', 'default="5"'), "entry 5"
    ),
    Sabotage(
        MENU,
        "another system by its name",
        replace(_DEFAULTS, "GRUB_DEFAULT=0", "GRUB_DEFAULT='Windows'"),
        "starts Windows",
    ),
    Sabotage(
        MENU,
        "settings that cannot be read",
        append(_DEFAULTS, 'GRUB_CMDLINE_LINUX_DEFAULT="quiet\n'),
        f"{_DEFAULTS}: cannot be read",
    ),
    *(
        Sabotage(MOUNTS, what, deed(), names, ("fstab.names_nothing_that_servers_lack",))
        for what, deed, names in MOUNTED
    ),
    Sabotage(
        "fstab.swaps_to_no_file",
        "a swap file",
        append("/etc/fstab", "/swapfile none swap sw 0 0\n"),
        "/swapfile: is for swapping",
        ("fstab.names_nothing_that_servers_lack",),
    ),
    *(
        Sabotage(
            check, what, put("/etc/sysctl.d/99-build.conf", f"{said}\n"), said, (*ADDED, SCRIPTS)
        )
        for check, what, said in SYSCTL
    ),
    Sabotage(
        OTHERWISE,
        "no IPv6 by the main file",
        append("/etc/sysctl.conf", "net.ipv6.conf.default.disable_ipv6=1\n"),
        "/etc/sysctl.conf",
        ALTERED,
    ),
    Sabotage(
        "modules.drive_virtual_hardware",
        "no network cards of virtio",
        put("/etc/modprobe.d/build.conf", "blacklist virtio-net\n"),
        "keeps virtio_net out",
        (*ADDED, SCRIPTS),
    ),
    Sabotage(
        "modules.drive_virtual_hardware",
        "no config drive",
        put("/etc/modprobe.d/build.conf", "install isofs /bin/true\n"),
        "keeps isofs out",
        (*ADDED, SCRIPTS),
    ),
    Sabotage(
        "modules.to_be_loaded_are_there",
        "a module of the builder's machine",
        append("/etc/modules", "vboxguest\n"),
        "loads vboxguest",
    ),
    Sabotage(
        "modules.of_later_ram_disks_drive_every_bus",
        "a RAM disk for one machine",
        replace("/etc/initramfs-tools/initramfs.conf", "MODULES=most", "MODULES=dep"),
        "says MODULES=dep",
        (*ALTERED, SCRIPTS),
    ),
    *(Sabotage(INSTALLED, what, put(path, f"{said}\n"), path, ADDED) for what, path, said in APT),
    Sabotage(
        "package_sources.packages_are_not_held_back",
        "a kernel that apt is to leave alone",
        put(
            "/etc/apt/preferences.d/build",
            "Package: linux-image*\nPin: release *\nPin-Priority: -1\n",
        ),
        "/etc/apt/preferences.d/build",
        (*ADDED, INSTALLED),
    ),
    Sabotage(
        "package_sources.are_there",
        "no place to fetch packages from",
        append(SITE, _NO_SOURCES),
        "package sources: are missing",
    ),
    Sabotage(
        RELEASE,
        "packages of an older release",
        put(_LIST, f"deb {_VENDOR} bullseye main\n"),
        "fetches bullseye",
    ),
    Sabotage(
        RELEASE,
        "a release that changes",
        put(_LIST, f"deb {_VENDOR} stable main\n"),
        "fetches stable, and this is bookworm",
    ),
    Sabotage(
        "package_sources.have_security_updates",
        "no security updates",
        put(_LIST, f"deb {_VENDOR} bookworm main\n"),
        "leaves out bookworm-security",
    ),
    Sabotage(FIREWALL, "nobody may connect", append("/etc/hosts.deny", "ALL: ALL\n"), "ALL: ALL"),
    Sabotage(
        FIREWALL,
        "rules for packets",
        put("/etc/iptables/rules.v4", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"),
        "/etc/iptables/rules.v4",
        ADDED,
    ),
    Sabotage(
        "logging.is_kept",
        "a journal that keeps nothing",
        append("/etc/systemd/journald.conf", "Storage=none\n"),
        "Storage=none",
        ALTERED,
    ),
    Sabotage(
        "logging.goes_to_nobody_else",
        "logs for a machine of the builder",
        put("/etc/rsyslog.d/50-build.conf", "*.* @@log.example:514\n"),
        "@@log.example",
        ADDED,
    ),
    Sabotage(
        "power_button.is_heard",
        "a power button that does nothing",
        append("/etc/systemd/logind.conf", "HandlePowerKey=ignore\n"),
        "HandlePowerKey=ignore",
        ALTERED,
    ),
    Sabotage(
        ZONE,
        "the builder's time zone",
        link("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin"),
        "/etc/localtime: is CET",
    ),
    Sabotage(ZONE, "another name of the zone", put("/etc/timezone", "Europe/Berlin\n"), "Berlin"),
    Sabotage(
        "clock.is_set_by_what_servers_can_reach",
        "a time server of the builder",
        append("/etc/systemd/timesyncd.conf", "NTP=ntp.example\n"),
        "NTP=ntp.example",
        ALTERED,
    ),
    Sabotage(KEPT_OUT, "no logins", put("/etc/nologin", "closed\n"), "/etc/nologin", ADDED),
    Sabotage(
        KEPT_OUT,
        "few programs for everybody",
        put("/etc/security/limits.d/build.conf", "* hard nproc 20\n"),
        "nproc 20",
        ADDED,
    ),
    Sabotage(
        KEPT_OUT,
        "accounts that are all refused",
        append("/etc/pam.d/common-account", "account requisite pam_deny.so\n"),
        "/etc/pam.d/common-account",
    ),
    *(
        Sabotage(PROGRAMS, what, put("/etc/environment", f"{said}\n"), said)
        for what, said in ENVIRONMENT
    ),
    Sabotage(
        "hostname.is_none_of_the_builders",
        "a name of the builder",
        put("/etc/hostname", "builder01.corp.example\n"),
        "builder01.corp.example",
        ("resolver.knows_no_hosts_of_the_builder",),
    ),
    Sabotage(
        KEYBOARD,
        "a German keyboard",
        put("/etc/default/keyboard", 'XKBLAYOUT="de"\n'),
        'says XKBLAYOUT="de"',
    ),
)
