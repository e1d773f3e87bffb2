"""Accounts that a builder has left."""

from sabotages.table import ADDED, Deed, Sabotage, append, both, put, replace

_HASH = "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLC"
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBuilder builder\n"


def _account(name: str, uid: int, shell: str = "/bin/bash", password: str = "*") -> Deed:
    return both(
        append("/etc/passwd", f"{name}:x:{uid}:65534::/nonexistent:{shell}\n"),
        append("/etc/shadow", f"{name}:{password}:20000:0:99999:7:::\n"),
    )


SABOTAGES = (
    Sabotage(
        "accounts.none_is_a_persons",
        "an account of the builder",
        _account("packer", 1000),
        "packer: has the user id 1000",
    ),
    Sabotage(
        "accounts.none_is_a_persons",
        "an account with a high number",
        _account("vagrant", 60001, "/usr/sbin/nologin"),
        "vagrant",
    ),
    Sabotage(
        "accounts.root_alone_is_root",
        "a second root",
        _account("toor", 0),
        "toor",
        also=("accounts.are_there_once", "accounts.of_services_have_no_shell"),
    ),
    Sabotage(
        "accounts.are_there_once",
        "two accounts with one number",
        _account("ghost", 33, "/usr/sbin/nologin"),
        "ghost: shares the user id 33",
    ),
    Sabotage(
        "accounts.of_services_have_no_shell",
        "a system account with a shell",
        _account("deploy", 900),
        "deploy: has the shell /bin/bash",
    ),
    Sabotage(
        "accounts.of_services_have_no_shell",
        "a shell for a service's account",
        replace("/etc/passwd", ":/var/www:/usr/sbin/nologin", ":/var/www:/bin/sh"),
        "www-data",
    ),
    Sabotage(
        "accounts.have_no_passwords_outside_of_shadow",
        "an account without a password",
        replace("/etc/passwd", "games:x:", "games::"),
        "games",
    ),
    Sabotage(
        "accounts.have_no_passwords_outside_of_shadow",
        "a password that everybody can read",
        replace("/etc/passwd", "games:x:", f"games:{_HASH}:"),
        "games",
    ),
    Sabotage(
        "accounts.groups_have_no_passwords",
        "a group with a password",
        replace("/etc/gshadow", "sudo:*:", f"sudo:{_HASH}:"),
        "sudo",
    ),
    Sabotage(
        "accounts.powerful_groups_have_no_members",
        "a service in the group sudo",
        replace("/etc/group", "sudo:x:27:", "sudo:x:27:www-data"),
        "www-data: is a member of sudo",
    ),
    Sabotage(
        "accounts.nobody_has_keys",
        "a key in a service's home",
        put("/var/www/.ssh/authorized_keys", _KEY),
        "/var/www/.ssh/authorized_keys",
        also=ADDED,
    ),
    Sabotage(
        "accounts.nobody_has_keys",
        "a key of root",
        put("/root/.ssh/authorized_keys2", _KEY),
        "/root/.ssh/authorized_keys2",
        also=(*ADDED, "build_traces.no_authorized_keys"),
    ),
    Sabotage(
        "build_traces.no_authorized_keys",
        "known hosts of the builder",
        put("/root/.ssh/known_hosts", "builder.example " + _KEY),
        "/root/.ssh/known_hosts",
        also=ADDED,
    ),
    Sabotage(
        "accounts.numbers_for_containers_are_of_accounts",
        "numbers of an account that is gone",
        append("/etc/subuid", "packer:100000:65536\n"),
        "packer",
    ),
    Sabotage(
        "accounts.root_is_as_the_system_makes_it",
        "another shell for root",
        replace("/etc/passwd", "/root:/bin/bash", "/root:/usr/bin/python3"),
        "/usr/bin/python3",
        also=("accounts.have_shells_that_are_known",),
    ),
    Sabotage(
        "passwords.none_in_the_image",
        "a password of root",
        replace("/etc/shadow", "root:*:", f"root:{_HASH}:"),
        "root",
    ),
    Sabotage(
        "passwords.none_in_the_image",
        "an empty password",
        replace("/etc/shadow", "games:*:", "games::"),
        "games",
    ),
    Sabotage(
        "accounts.have_not_expired",
        "root must change its password",
        replace("/etc/shadow", "root:*:2", "root:*:0:0:99999:7::20000:\n#:*:2"),
        "root: must change its password",
        also=("accounts.have_no_passwords_outside_of_shadow",),
    ),
)
