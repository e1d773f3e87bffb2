"""Rules that make somebody root."""

from sabotages.table import ADDED, ALTERED, Sabotage, append, put

CHECK = "sudo.gives_nobody_more_than_the_system_does"
RULES = (
    ("the builder without a password", "packer ALL=(ALL) NOPASSWD: ALL"),
    ("what contextualisation makes at first boot", "debian ALL=(ALL) NOPASSWD:ALL"),
    ("a service for one program", "www-data ALL=(root) NOPASSWD: /usr/bin/apt-get"),
    ("no passwords for anybody", "Defaults !authenticate"),
    ("libraries of the user", 'Defaults env_keep += "LD_PRELOAD"'),
    ("a group of the builder", "%builders ALL=(ALL:ALL) ALL"),
    ("everybody", "ALL ALL=(ALL) ALL"),
)

SABOTAGES = (
    *(
        Sabotage(CHECK, what, put("/etc/sudoers.d/builder", f"{rule}\n", 0o440), rule, also=ADDED)
        for what, rule in RULES
    ),
    Sabotage(
        CHECK,
        "a rule in sudoers itself",
        append("/etc/sudoers", "packer\tALL=(ALL:ALL) \\\n  NOPASSWD:ALL # for the build\n"),
        "packer ALL=(ALL:ALL) NOPASSWD:ALL",
        also=(*ALTERED, "credentials.none_is_in_any_file"),
    ),
    Sabotage(
        CHECK,
        "another folder of rules",
        append("/etc/sudoers", "@includedir /opt/sudoers\n"),
        "@includedir /opt/sudoers",
        also=ALTERED,
    ),
    Sabotage(
        "permissions.sudo_trusts_its_rules",
        "a rule that all may read and change",
        put("/etc/sudoers.d/50-site", "root ALL=(ALL) ALL\n", 0o666),
        "/etc/sudoers.d/50-site",
        also=(*ADDED, "permissions.what_all_may_change_is_sticky"),
    ),
)
