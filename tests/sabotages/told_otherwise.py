"""Services and programs that are told something else than everywhere."""

from sabotages.table import (
    ADDED,
    ALTERED,
    Sabotage,
    append,
    both,
    link,
    mode,
    put,
    remove,
    replace,
)

UNDERSTANDS, FILES = "sshd.understands_its_settings", "sshd.transfers_files"
USER, CLIENT = "sshd.lets_the_user_in", "ssh_client.trusts_whom_the_user_trusts"
ASKS, GIVES = "resolver.asks_where_the_system_does", "resolver.takes_what_the_network_gives"
RESOLVER, HOSTS = "resolver.is_what_the_network_says", "resolver.knows_no_hosts_of_the_builder"
MANAGER, MAIL = "manager.leaves_services_and_logins_alone", "mail.goes_to_nobody_else"
LOG, KEPT = "logging.is_in_nobodys_way", "logging.is_kept"
SOURCES, KEYS = "package_sources.can_be_read", "package_sources.have_their_keys"
TOLD, OTHERWISE = (
    "cloud_modules.is_told_to_do_what_servers_need",
    "kernel_settings.fit_every_server",
)
SCRIPTS, DIVERTED = "startup.no_scripts_are_left", "kernel_arguments.start_the_system_as_it_is"
LAX, LOGIN = "certificates.are_asked_for", "environment.lets_users_and_programs_log_in"
NOBODY, SUITE = "accounts.nobody_has_keys", "package_sources.have_security_updates"
_SSHD, _OWN = "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/10-build.conf"
_CLOUD, _APT = "/etc/cloud/cloud.cfg.d/99-build.cfg", "/etc/apt/apt.conf.d/99build"
_DROP_IN = "/etc/systemd/{}.conf.d/build.conf"
_WANTED = "/sysinit.target.wants/systemd-resolved.service"
_RESOLVED = f"/etc/systemd/system{_WANTED}"
_KEY = "/etc/apt/trusted.gpg.d/debian-archive-bookworm-stable.asc"
_LIST = "/etc/apt/sources.list.d/site.list"
_SFTP = "Subsystem\tsftp\t/usr/lib/openssh/sftp-server"
SSH = (
    (UNDERSTANDS, "a misspelt word", "PermitRootLogins no", "there is no such setting"),
    (UNDERSTANDS, "a word for yes or no in SSH", "X11Forwarding off", "neither yes nor no"),
    (UNDERSTANDS, "an unknown algorithm", "Ciphers aes256-ctr,aes256", "there is no aes256"),
    (UNDERSTANDS, "a setting without a value", "Ciphers", "there is no value"),
    (USER, "a second for a login", "LoginGraceTime 1", "logingracetime: is 1"),
    (USER, "one login at a time", "MaxStartups 1", "maxstartups: is 1"),
    (USER, "one kind of keys", "PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256", "refuses keys for"),
    (USER, "one key that may be tried", "MaxAuthTries 1", "maxauthtries: is 1"),
    (
        "sshd.lets_in_nobody_else",
        "a login of root behind a tab",
        "PermitRootLogin\tyes",
        "permitrootlogin: is yes",
    ),
)
SYSTEMD = (
    (MANAGER, "few files", "system", "[Manager]\nDefaultLimitNOFILE=64\n", "NOFILE=64"),
    (MANAGER, "few processes", "system", "[Manager]\nDefaultTasksMax=20\n", "TasksMax=20"),
    (MANAGER, "starts without patience", "system", "[Manager]\nDefaultTimeoutStartSec=5s\n", "5s"),
    (MANAGER, "servers that go to sleep", "logind", "[Login]\nIdleAction=poweroff\n", "poweroff"),
    (MANAGER, "sessions that end all", "logind", "[Login]\nKillUserProcesses=yes\n", "KillUser"),
    (KEPT, "a journal in memory", "journald", "[Journal]\nStorage=volatile\n", "volatile"),
    (LOG, "a journal that fills the disk", "journald", "[Journal]\nSystemMaxUse=20G\n", "20G"),
    (LOG, "a journal on the console", "journald", "[Journal]\nForwardToConsole=yes\n", "Console"),
    (GIVES, "names that must be signed", "resolved", "[Resolve]\nDNSSEC=yes\n", "DNSSEC=yes"),
    (GIVES, "nobody who answers", "resolved", "[Resolve]\nDNSStubListener=no\n", "StubListener"),
)
SYSCTL = (
    ("no containers", "user.max_user_namespaces = 0"),
    ("an address that changes", "net.ipv6.conf.all.use_tempaddr=2"),
    ("slow connections", "net.ipv4.tcp_window_scaling = 0"),
)
ARGUMENTS = (
    ("processors that never rest", "idle=poll"),
    ("limits as long ago", "systemd.unified_cgroup_hierarchy=0"),
    ("volumes that are not there", "rd.lvm.lv=vg0/root"),
    ("memory kept for a dump", "crashkernel=512M"),
)
APT = (
    ("a statement without its end", 'APT::Install-Suggests "false"\n', "lacks a semicolon"),
    ("a brace without its end", 'Acquire { Queue-Mode "host";\n', "brace"),
)

SABOTAGES = (
    *(
        Sabotage(check, what, put(_OWN, f"{said}\n"), names, ADDED)
        for check, what, said, names in SSH
    ),
    Sabotage(
        FILES,
        "a program for files that is elsewhere",
        replace(_SSHD, "/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server"),
        "names /usr/libexec/openssh/sftp-server for sftp",
        ADDED,
    ),
    Sabotage(FILES, "no copies of files", replace(_SSHD, _SFTP, ""), "no program for sftp", ADDED),
    Sabotage(
        USER,
        "another port by an argument",
        replace("/etc/default/ssh", "SSHD_OPTS=", 'SSHD_OPTS="-p 2222"'),
        "/etc/default/ssh: says SSHD_OPTS",
        ALTERED,
    ),
    Sabotage(
        CLIENT,
        "connections to anybody",
        put("/etc/ssh/ssh_config.d/10-build.conf", "Host *\n  StrictHostKeyChecking no\n"),
        "StrictHostKeyChecking no",
        ADDED,
    ),
    Sabotage(
        CLIENT,
        "machines that the builder knows",
        put("/etc/ssh/ssh_known_hosts", "git.example ssh-ed25519 AAAA\n"),
        "/etc/ssh/ssh_known_hosts",
        ADDED,
    ),
    Sabotage(
        NOBODY, "a host that is trusted", put("/etc/hosts.equiv", "+\n"), "hosts.equiv", ADDED
    ),
    Sabotage(
        "passwords.none_is_locked_away_in_the_image",
        "a password behind a lock",
        replace("/etc/shadow", "daemon:*:", "daemon:!$y$j9T$abcdefgh$ijklmnopqrstuvwxyz:"),
        "daemon: has a password that is only locked",
    ),
    *(
        Sabotage(check, what, put(_DROP_IN.format(kind), said), names, ADDED)
        for check, what, kind, said, names in SYSTEMD
    ),
    *(
        Sabotage(
            OTHERWISE, what, put("/etc/sysctl.d/99-x.conf", f"{said}\n"), said, (*ADDED, SCRIPTS)
        )
        for what, said in SYSCTL
    ),
    *(
        Sabotage(
            DIVERTED,
            what,
            replace("/boot/grub/grub.cfg", "ro console=tty0", f"ro {said} console=tty0"),
            f"says {said}",
        )
        for what, said in ARGUMENTS
    ),
    Sabotage(
        "modules.drive_virtual_hardware",
        "no IPv6 by its module",
        put("/etc/modprobe.d/ipv6.conf", "options ipv6 disable=1\n"),
        "there is no IPv6",
        (*ADDED, SCRIPTS),
    ),
    *(Sabotage(SOURCES, what, put(_APT, said), names, ADDED) for what, said, names in APT),
    Sabotage(
        SOURCES,
        "a line that is no source",
        put(_LIST, "dib http://mirror.debian.org/debian bookworm main\n"),
        f"{_LIST}: says dib",
        ADDED,
    ),
    Sabotage(
        KEYS,
        "a key that is not there",
        put(_LIST, "deb [signed-by=/etc/apt/keyrings/a.gpg] http://a.debian.org/ bookworm main\n"),
        "wants /etc/apt/keyrings/a.gpg",
        (*ADDED, SUITE),
    ),
    Sabotage(
        KEYS,
        "a key for root alone",
        mode(_KEY, 0o600),
        f"{_KEY}: has mode 0600",
        ("permissions.of_what_everybody_needs_are_open",),
    ),
    Sabotage(
        ASKS,
        "no place to look for hosts",
        replace("/etc/nsswitch.conf", "hosts:", "#hosts:"),
        "does not say where to look for hosts",
    ),
    Sabotage(
        RESOLVER,
        "a file that nothing makes",
        link("/etc/resolv.conf", "../run/resolvconf/resolv.conf"),
        "which nothing in the image makes",
    ),
    Sabotage(
        RESOLVER,
        "a file whose service is off",
        both(remove(_RESOLVED), remove(f"/var/lib/systemd/deb-systemd-helper-enabled{_WANTED}")),
        "and systemd-resolved.service is not switched on",
    ),
    Sabotage(
        KEPT,
        "no folder for the journal",
        lambda root: (root / "var/log/journal").rmdir(),
        "/var/log/journal: is missing",
    ),
    Sabotage(
        "certificates.of_the_vendor_are_there",
        "authorities without their links",
        lambda root: [one.unlink() for one in (root / "etc/ssl/certs").glob("*.0")] and None,
        "are 0 links",
    ),
    Sabotage(
        "certificates.of_the_vendor_are_there",
        "an authority that the next update takes away",
        replace("/etc/ca-certificates.conf", "mozilla/ISRG_Root_X1", "!mozilla/ISRG_Root_X1"),
        "takes mozilla/ISRG_Root_X1.crt away",
    ),
    Sabotage(
        "startup.no_units_are_left",
        "services of an account of the builder",
        put("/var/lib/systemd/linger/builder", ""),
        "/var/lib/systemd/linger/builder: keeps services",
        ADDED,
    ),
    Sabotage(
        GIVES,
        "addresses in another order",
        append("/etc/gai.conf", "precedence ::ffff:0:0/96  100\n"),
        "/etc/gai.conf: says precedence",
        ALTERED,
    ),
    Sabotage(
        HOSTS,
        "a host of the builder in a template",
        append("/etc/cloud/templates/hosts.debian.tmpl", "10.0.0.5 repo.example\n"),
        "says repo.example is 10.0.0.5",
        ALTERED,
    ),
    Sabotage(
        MAIL,
        "letters of root to the builder",
        put("/etc/aliases", "root: builder@corp.example\n"),
        "/etc/aliases: says root: builder@corp.example",
        ADDED,
    ),
    Sabotage(
        MAIL,
        "letters that are sent on",
        put("/root/.forward", "builder@corp.example\n"),
        "/root/.forward: sends letters on",
        ADDED,
    ),
    Sabotage(
        TOLD,
        "another system's habits",
        put(_CLOUD, "system_info: {distro: ubuntu}\n"),
        "is for another system, ubuntu",
        (*ADDED, "cloud_modules.understands_its_settings"),
    ),
    Sabotage(
        TOLD,
        "a state that is forgotten",
        put(_CLOUD, "system_info: {paths: {cloud_dir: /run/cloud}}\n"),
        "keeps its state in /run/cloud",
        (*ADDED, "cloud_modules.understands_its_settings"),
    ),
    Sabotage(
        LAX,
        "certificates that git does not look at",
        put("/etc/gitconfig", "[http]\n\tsslVerify = false\n"),
        "/etc/gitconfig: says sslVerify = false",
        ADDED,
    ),
    Sabotage(
        LAX,
        "weak connections",
        append("/etc/ssl/openssl.cnf", "MinProtocol = TLSv1\n"),
        "says MinProtocol = TLSv1",
        ALTERED,
    ),
    Sabotage(
        LOGIN,
        "a shell that leaves at the first error",
        put("/etc/profile.d/site.sh", "set -e\n"),
        "/etc/profile.d/site.sh: says set -e",
        (*ADDED, SCRIPTS),
    ),
    Sabotage(
        LOGIN,
        "a greeting for programs",
        put("/root/.bashrc", "echo Welcome to the lab\n"),
        "says echo Welcome",
        ADDED,
    ),
    Sabotage(
        TOLD,
        "an account of the builder's tool",
        put(_CLOUD, "system_info: {default_user: {name: packer}}\n"),
        "makes the account packer, where users look for debian",
        (*ADDED, "cloud_modules.understands_its_settings"),
    ),
    Sabotage(
        "logging.is_rotated",
        "a broken rule for logs",
        put("/etc/logrotate.d/site", "/var/log/site.log {\n  weekly\n"),
        "/etc/logrotate.d/site: has a brace",
        ADDED,
    ),
    Sabotage(
        "pam.keeps_nobody_out",
        "a lock after one wrong password",
        append("/etc/security/faillock.conf", "deny = 1\nunlock_time = 0\n"),
        "says deny = 1",
        ALTERED,
    ),
    Sabotage(
        "package_sources.packages_are_not_held_back",
        "packages of the next release",
        put(
            "/etc/apt/preferences.d/build",
            "Package: *\nPin: release a=testing\nPin-Priority: 900\n",
        ),
        "/etc/apt/preferences.d/build",
        ADDED,
    ),
    Sabotage(
        "pam.lets_nobody_in_unasked",
        "a desktop that asks nobody",
        put("/etc/lightdm/lightdm.conf", "[Seat:*]\nautologin-user=builder\n"),
        "autologin-user=builder",
        ADDED,
    ),
)
