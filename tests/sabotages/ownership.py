"""Files that the build forgot."""

from sabotages.table import Sabotage, append, link, put

CHECK = "ownership.every_file_is_explained"
ALSO = (
    *("startup.no_scripts_are_left", "services.those_switched_on_are_declared"),
    *("settings.have_no_copies", "package_sources.can_be_read"),
)
FORGOTTEN = (
    ("mmdebstrap's settings", "/etc/apt/apt.conf.d/99mmdebstrap"),
    ("a backup of the accounts", "/etc/passwd-"),
    ("a backup of resolv.conf", "/etc/.resolv.conf.systemd-resolved.bak"),
    ("an editor's backup", "/etc/fstab~"),
    ("a script in usr local", "/usr/local/bin/provision"),
    ("a folder in opt", "/opt/builder/data/state.json"),
    ("a file in root's home", "/root/notes.txt"),
    ("a home without an account", "/home/packer/.profile"),
    ("a state file in var", "/var/lib/builder/state"),
    ("another boot file", "/boot/vmlinuz.old.bak"),
    ("dpkg's leftover of a removed package", "/var/lib/dpkg/info/builder.list"),
    ("a kernel module setting", "/etc/modprobe.d/builder.conf"),
    ("a profile script", "/etc/profile.d/builder.sh"),
)

SABOTAGES = (
    *(Sabotage(CHECK, what, put(path), path, also=ALSO) for what, path in FORGOTTEN),
    Sabotage(
        CHECK,
        "a link to a unit that no package brings",
        link("/etc/systemd/system/multi-user.target.wants/builder.service", "/srv/builder.service"),
        "/srv/builder.service, which no package brings",
        also=ALSO,
    ),
    Sabotage(
        CHECK,
        "an addition to root's bashrc",
        append("/root/.bashrc", "alias ll='ls -l'\n"),
        "/root/.bashrc: is not as /usr/share/base-files/dot.bashrc any more",
    ),
)
