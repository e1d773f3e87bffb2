"""What runs on a server and is not the system's."""

from sabotages.table import ADDED, ALTERED, Sabotage, append, link, put, remove

JOBS, UNITS = "startup.no_jobs_are_left", "startup.no_units_are_left"
READ = "settings.are_read"
SCRIPTS = "startup.no_scripts_are_left"
_LIBRARY = "environment.loads_nothing_of_the_builders"
_SYSTEM = "/etc/systemd/system"
_UNIT = "[Service]\nExecStart=/bin/true\n"
ADDED_JOBS = (
    ("a job in cron.d", "/etc/cron.d/build"),
    ("a job of root", "/var/spool/cron/crontabs/root"),
    ("a daily job", "/etc/cron.daily/build"),
    ("a job of at", "/var/spool/cron/atjobs/a00001019f2b60"),
    ("a table of cron", "/etc/crontab"),
)
ADDED_UNITS = (
    ("a service", f"{_SYSTEM}/build.service"),
    ("a timer", "/usr/lib/systemd/system/build.timer"),
    ("a change of a service", f"{_SYSTEM}/ssh.service.d/override.conf"),
    ("a service in usr local", "/usr/local/lib/systemd/system/build.service"),
    ("a generator", "/etc/systemd/system-generators/build"),
    ("a service of every user", "/etc/systemd/user/build.service"),
)
ADDED_SCRIPTS = (
    ("rc.local", "/etc/rc.local"),
    ("a script at login", "/etc/profile.d/build.sh"),
    ("a hook of DHCP", "/etc/dhcp/dhclient-exit-hooks.d/build"),
    ("a rule of udev", "/etc/udev/rules.d/99-build.rules"),
    ("a library in every program", "/etc/ld.so.preload"),
    ("a script of contextualisation", "/var/lib/cloud/scripts/per-boot/build.sh"),
    ("settings of the kernel", "/etc/sysctl.d/99-build.conf"),
    ("a module that is kept out", "/etc/modprobe.d/blacklist-build.conf"),
    ("a script of root's login", "/root/.bash_login"),
)

SABOTAGES = (
    *(Sabotage(JOBS, what, put(path), path, also=(*ADDED, READ)) for what, path in ADDED_JOBS),
    *(Sabotage(UNITS, what, put(path, _UNIT), path, also=ADDED) for what, path in ADDED_UNITS),
    *(
        Sabotage(
            SCRIPTS,
            what,
            put(path),
            path,
            also=(
                *(*ADDED, READ, _LIBRARY),
                "cloud_configuration.brings_nothing_of_another_machine",
            ),
        )
        for what, path in ADDED_SCRIPTS
    ),
    Sabotage(
        JOBS,
        "a line in a job of a package",
        append("/etc/cron.d/e2scrub_all", "* * * * * root /bin/true\n"),
        "/etc/cron.d/e2scrub_all",
        also=ALTERED,
    ),
    Sabotage(
        "startup.package_manager_runs_nothing_else",
        "a hook of apt",
        put("/etc/apt/apt.conf.d/80build", 'DPkg::Post-Invoke { "/opt/build"; };\n'),
        "/etc/apt/apt.conf.d/80build",
        also=ADDED,
    ),
    Sabotage(
        "services.those_switched_on_are_declared",
        "a service that is on",
        link(
            f"{_SYSTEM}/multi-user.target.wants/rsync.service", "/lib/systemd/system/rsync.service"
        ),
        "rsync.service: is switched on",
    ),
    Sabotage(
        "services.those_of_packages_are_switched_on",
        "SSH is off",
        remove(f"{_SYSTEM}/multi-user.target.wants/ssh.service"),
        "ssh.service: was switched off",
    ),
    Sabotage(
        "services.none_is_masked",
        "a service that is off for good",
        link(f"{_SYSTEM}/apparmor.service", "/dev/null"),
        "apparmor.service: is masked",
        also=ADDED,
    ),
    Sabotage(
        "services.none_is_masked",
        "automatic updates are off for good",
        link(f"{_SYSTEM}/apt-daily.timer", "/dev/null"),
        "apt-daily.timer: is masked",
        also=ADDED,
    ),
    Sabotage(
        "services.servers_start_into_normal_operation",
        "a rescue shell",
        link(f"{_SYSTEM}/default.target", "/lib/systemd/system/rescue.target"),
        "rescue.target",
    ),
)
