"""What a build or a first boot leaves."""

from sabotages.table import ADDED, Sabotage, put

_ID = "0123456789abcdef0123456789abcdef\n"
ALSO = (*ADDED, "startup.no_scripts_are_left")
ADDED_FILES = (
    ("build_traces.no_leases", "a lease", "/var/lib/dhcp/dhclient.eth0.leases"),
    ("build_traces.no_package_caches", "package lists", "/var/lib/apt/lists/mirror_InRelease"),
    ("build_traces.no_package_caches", "a package", "/var/cache/apt/archives/a_1_all.deb"),
    ("build_traces.no_histories", "what root typed", "/root/.bash_history"),
    ("build_traces.no_histories", "what a database was asked", "/root/.psql_history"),
    ("build_traces.no_histories", "where somebody searched", "/root/.viminfo"),
    ("build_traces.no_histories", "what a service's account typed", "/var/www/.bash_history"),
    ("build_traces.no_crash_data", "a core dump", "/var/lib/systemd/coredump/core.apt.zst"),
    ("build_traces.no_mail", "a letter", "/var/mail/root"),
    ("build_traces.no_temporary_files", "a temporary file", "/var/tmp/build.tar"),
    (
        "build_traces.no_contextualisation_state",
        "an instance",
        "/var/lib/cloud/instances/i-1/boot-finished",
    ),
    ("build_traces.no_installer_leftovers", "an unattended file", "/root/preseed.cfg"),
    (
        "build_traces.no_network_card_names",
        "names of cards",
        "/etc/udev/rules.d/70-persistent-net.rules",
    ),
    ("host_keys.are_not_in_the_image", "a host key", "/etc/ssh/ssh_host_ed25519_key"),
    ("random_seed.is_not_in_the_image", "a random seed", "/var/lib/systemd/random-seed"),
)

SABOTAGES = (
    *(Sabotage(check, what, put(path), path, also=ALSO) for check, what, path in ADDED_FILES),
    Sabotage("build_traces.no_logs", "a log", put("/var/log/wtmp", "x"), "/var/log/wtmp"),
    Sabotage(
        "machine_id.is_not_in_the_image", "an id", put("/etc/machine-id", _ID), "/etc/machine-id"
    ),
    Sabotage(
        "build_traces.no_files_where_something_is_mounted",
        "a device that became a file",
        put("/dev/null.log"),
        "/dev/null.log",
    ),
)
