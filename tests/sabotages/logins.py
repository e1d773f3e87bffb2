"""How people get in, and what contextualisation makes of a server."""

from sabotages.table import ADDED, ALTERED, Sabotage, append, put, replace

OPEN, CLOSED = "sshd.lets_in_nobody_else", "sshd.lets_the_user_in"
CLOUD = "cloud_configuration.brings_nothing_of_another_machine"
SOURCE = "cloud_configuration.looks_where_the_cloud_puts_it"
_SSHD, _SITE = "/etc/ssh/sshd_config.d/00-build.conf", "/etc/cloud/cloud.cfg.d/99-build.cfg"
OPENING = (
    ("root may log in with a password", "PermitRootLogin yes"),
    ("passwords are taken", "PasswordAuthentication yes"),
    ("questions are asked", "KbdInteractiveAuthentication yes"),
    ("no password is needed", "PermitEmptyPasswords yes"),
    ("a program gives keys", "AuthorizedKeysCommand /opt/keys"),
    ("keys are elsewhere", "AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%u"),
    ("an authority of keys", "TrustedUserCAKeys /etc/ssh/ca.pub"),
    ("hosts are trusted", "HostbasedAuthentication yes"),
    ("users bring libraries", "AcceptEnv LANG LD_*"),
    ("nothing is logged", "LogLevel QUIET"),
)
CLOSING = (
    ("another port", "Port 2222"),
    ("another address", "ListenAddress 10.0.0.7"),
    ("only some users", "AllowUsers packer"),
    ("no keys are taken", "PubkeyAuthentication no"),
    ("no sessions of PAM", "UsePAM no"),
    ("one command", "ForceCommand /bin/true"),
    ("names are looked up", "UseDNS yes"),
)
DATA = (
    ("an account", "users: [default, {name: packer}]"),
    ("a key for everybody", "ssh_authorized_keys: ['ssh-ed25519 AAAA builder']"),
    ("a name", "hostname: builder"),
    ("a command at the first boot", "runcmd: [[touch, /opt/x]]"),
    ("passwords are taken", "ssh_pwauth: true"),
    ("root may log in", "disable_root: false"),
    ("host keys stay", "ssh_deletekeys: false"),
    ("the name stays", "preserve_hostname: true"),
    ("a machine calls home", "phone_home: {url: 'http://10.0.0.1/'}"),
)

SABOTAGES = (
    *(
        Sabotage(OPEN, what, put(_SSHD, f"{line}\n"), line.split()[0].lower(), also=ADDED)
        for what, line in OPENING
    ),
    *(
        Sabotage(CLOSED, what, put(_SSHD, f"{line}\n"), line.split()[0].lower(), also=ADDED)
        for what, line in CLOSING
    ),
    Sabotage(
        OPEN,
        "the file against passwords is gone",
        put("/etc/ssh/sshd_config.d/10-keys-only.conf", "# none\n"),
        "passwordauthentication",
    ),
    Sabotage(
        "sshd.makes_no_exceptions",
        "passwords for one network",
        put(_SSHD, "Match Address 10.0.0.0/8\n  PasswordAuthentication yes\n"),
        _SSHD,
        also=ADDED,
    ),
    Sabotage(
        "sshd.uses_no_broken_algorithms",
        "old ciphers",
        put(_SSHD, "Ciphers +aes128-cbc\n"),
        "ciphers",
        also=ADDED,
    ),
    Sabotage(
        "pam.lets_nobody_in_unasked",
        "everybody is let in",
        replace(
            "/etc/pam.d/common-auth",
            "auth\t[success=1",
            "auth\tsufficient\tpam_permit.so\nauth\t[success=1",
        ),
        "/etc/pam.d/common-auth",
    ),
    Sabotage(
        "pam.lets_nobody_in_unasked",
        "a program decides",
        append("/etc/pam.d/common-auth", "auth optional pam_exec.so expose_authtok /opt/x\n"),
        "pam_exec.so",
    ),
    Sabotage(
        "pam.lets_nobody_in_unasked",
        "a module that no package brings",
        append("/etc/pam.d/sshd", "auth required pam_builder.so\n"),
        "pam_builder.so",
        also=ALTERED,
    ),
    *(
        Sabotage(
            CLOUD,
            what,
            put(_SITE, f"{line}\n"),
            f"{_SITE}: sets {line.partition(':')[0]}",
            also=(*ADDED, "package_sources.of_contextualisation_are_the_vendors"),
        )
        for what, line in DATA
    ),
    Sabotage(
        CLOUD,
        "data of a machine",
        put("/var/lib/cloud/seed/nocloud/user-data", "#cloud-config\n"),
        "/var/lib/cloud/seed/nocloud/user-data",
        also=ADDED,
    ),
    Sabotage(
        SOURCE,
        "one source that the cloud has not",
        put(_SITE, "datasource_list: [NoCloud]\n"),
        "leaves out ConfigDrive and OpenStack",
        also=ADDED,
    ),
    Sabotage(
        SOURCE,
        "contextualisation is off",
        put("/etc/cloud/cloud-init.disabled", ""),
        "/etc/cloud/cloud-init.disabled",
        also=ADDED,
    ),
    Sabotage(
        SOURCE,
        "settings of one source",
        put(_SITE, "datasource: {OpenStack: {metadata_urls: ['http://10.0.0.1']}}\n"),
        "sets datasource",
        also=(*ADDED, "package_sources.of_contextualisation_are_the_vendors"),
    ),
    Sabotage(
        "cloud_configuration.is_readable",
        "broken settings",
        put(_SITE, "a: [b\n"),
        _SITE,
        also=ADDED,
    ),
    Sabotage(
        "environment.loads_nothing_of_the_builders",
        "a library for everybody",
        put("/etc/environment", "LD_PRELOAD=/opt/x.so\n"),
        "LD_PRELOAD",
    ),
    Sabotage(
        "environment.loads_nothing_of_the_builders",
        "programs of the folder where one is",
        put("/etc/environment", "PATH=.:/usr/sbin:/usr/bin:/sbin:/bin\n"),
        "PATH",
    ),
    Sabotage(
        "environment.makes_files_for_their_owner",
        "all may change what anybody writes",
        put("/etc/profile.d/umask.sh", "umask 000\n"),
        "/etc/profile.d/umask.sh",
        also=(*ADDED, "startup.no_scripts_are_left"),
    ),
    Sabotage(
        "environment.has_the_locale_that_it_names",
        "a locale that was not made",
        put("/etc/default/locale", "LANG=de_DE.UTF-8\n"),
        "/etc/default/locale",
    ),
)
